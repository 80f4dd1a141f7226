//! What can be wrong with a line or an item.

mod told;

use hashward_core::Algorithm;

/// Why a line or an item gives no statement. It says how, and holds nothing of what stands there, so that no message
/// can show a digest.
///
/// `Display` tells what is wrong, [`Problem::expected`] what would be right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The line is longer than [`LINE_BYTES_MAX`](crate::LINE_BYTES_MAX).
    TooLong {
        /// It has carriage returns inside: perhaps they are the line ends.
        carriage_returns: bool,
    },
    /// There is a byte 0, as in UTF-16 or between the lines of `sha256sum --zero`.
    NulByte {
        /// Where, in characters from 1.
        character: usize,
    },
    /// There is a carriage return before the line's end, as in files that end their lines with nothing else.
    CarriageReturn {
        /// Where, in characters from 1.
        character: usize,
    },
    /// The line belongs to another format.
    OtherFormat(&'static str),
    /// Where a digest should stand, there is something else.
    NotHex {
        /// Where, in characters from 1.
        character: usize,
    },
    /// An unnamed digest with a number of digits that tells no algorithm.
    Length {
        /// How many digits there are.
        digits: usize,
    },
    /// A digest with another number of digits than its algorithm makes.
    NamedLength {
        /// The algorithm that the line names.
        algorithm: Algorithm,
        /// How many digits there are.
        digits: usize,
    },
    /// Neither two spaces nor a space and an asterisk part digest and name.
    Separator {
        /// Where, in characters from 1.
        character: usize,
    },
    /// The line begins like `MD5 (name) = HEX` and does not go on like it.
    NamedForm,
    /// The line names an algorithm, and nobody knows it.
    UnknownAlgorithm,
    /// The line names an algorithm that Hashward does not compute.
    ForeignAlgorithm(&'static str),
    /// The line names a kind of fingerprint: content that resembles has a similar one, and equality says
    /// little.
    Fingerprint(&'static str),
    /// A name is said to be escaped, and has a backslash that escapes nothing.
    Escape {
        /// Where, in characters from 1.
        character: usize,
    },
    /// The digest of content of zero bytes.
    EmptyContent(Algorithm),
    /// There is a byte that is no UTF-8.
    NotUtf8,
    /// The name of a signal's kind is no word.
    UnknownKind,
    /// 64 digits that may be SHA-256 and may be PDQ, and nothing says which.
    Ambiguous,
    /// There is no signal.
    NoSignal,
    /// There are more signals than an item can have.
    TooManySignals,
    /// Two different digests of one algorithm, in what should be one item.
    TwoDigests(Algorithm),
    /// What must be there is not.
    Missing,
    /// Something else than what is named here.
    NotA(&'static str),
    /// A row with another number of columns than the file's header.
    Columns {
        /// How many the header has.
        header: usize,
        /// How many the row has.
        row: usize,
    },
    /// A quoted field does not end on its line, or something follows its end.
    Quote,
    /// The item is longer than [`format::ITEM_BYTES_MAX`](crate::format::ITEM_BYTES_MAX).
    TooLarge,
    /// A name, a reference or a note that is longer than [`format::TEXT_BYTES_MAX`](crate::format::TEXT_BYTES_MAX).
    TextTooLong,
    /// Things in things in things, deeper than [`format::DEPTH_MAX`](crate::format::DEPTH_MAX).
    TooDeep,
    /// The item is no JSON of the shape that its format has.
    Json {
        /// Where, in bytes of the item from 1.
        byte: usize,
    },
    /// The file ends in the middle of something.
    Truncated,
    /// The file is not written in its own language: what should stand here.
    Syntax(&'static str),
    /// Markup that no list needs and that attacks are made of: a document type, an entity.
    Markup(&'static str),
    /// A pattern that asks for something else than the digests of one file.
    Pattern(&'static str),
    /// The source itself says that this is not illegal, or not for matching.
    NotListed(&'static str),
}
