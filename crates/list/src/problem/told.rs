use std::fmt;

use hashward_core::Algorithm;

use crate::format::{DEPTH_MAX, ITEM_BYTES_MAX, SIGNALS_MAX, TEXT_BYTES_MAX};
use crate::{LINE_BYTES_MAX, Problem};

impl Problem {
    /// What would be right in place of what is wrong.
    pub fn expected(&self) -> String {
        const FORMS: &str = "`HEX`, `HEX  name` or `SHA256 (name) = HEX`";
        const LENGTHS: &str = "32 (MD5), 40 (SHA-1), 64 (SHA-256) or 128 (SHA-512)";
        let known = || Algorithm::WORDS.join(", ");
        match self {
            Self::TooLong { carriage_returns: true } => {
                "one digest per line, and lines that end in LF or CRLF: these seem to end in CR alone"
                    .to_owned()
            }
            Self::TooLong { carriage_returns: false } => format!("one digest per line: {FORMS}"),
            Self::NulByte { .. } => {
                "ASCII or UTF-8 text (not UTF-16), and lines that end in LF (so no --zero)".to_owned()
            }
            Self::CarriageReturn { .. } => "lines that end in LF or CRLF, not in CR alone".to_owned(),
            Self::OtherFormat(_) => format!("a text list with lines such as {FORMS}"),
            Self::NotHex { .. } => format!("0-9, a-f or A-F in a digest, on a line such as {FORMS}"),
            Self::Length { digits: 16 } => {
                format!("{LENGTHS} digits; if these are XXH3, lines such as `XXH3 (name) = HEX`")
            }
            Self::Length { .. } => {
                format!("{LENGTHS} digits; any other algorithm by name: `BLAKE3 (name) = HEX`")
            }
            Self::NamedLength { algorithm, .. } => format!("{} digits", algorithm.digest_bytes() * 2),
            Self::Separator { .. } => {
                "two spaces, or a space and '*', between digest and name: `HEX  name`".to_owned()
            }
            Self::NamedForm => "`SHA256 (name) = HEX`".to_owned(),
            Self::UnknownAlgorithm | Self::ForeignAlgorithm(_) => format!("one of {}", known()),
            Self::Fingerprint(_) => format!("a digest, one of {}", known()),
            Self::Escape { .. } => {
                r"\\, \n or \r in the name of a line that begins with a backslash".to_owned()
            }
            Self::EmptyContent(_) => {
                "the line removed: it would match every empty file and every unfinished upload".to_owned()
            }
            Self::NotUtf8 => "UTF-8 text".to_owned(),
            Self::UnknownKind => {
                format!("one of {}, or another kind's name such as pdq or photodna", known())
            }
            Self::Ambiguous => "the kind said: sha256 or pdq".to_owned(),
            Self::NoSignal => "at least one digest or fingerprint".to_owned(),
            Self::TooManySignals => format!("at most {SIGNALS_MAX} signals of one item"),
            Self::TwoDigests(algorithm) => format!("at most one digest of {algorithm} for one item"),
            Self::Missing => "a value".to_owned(),
            Self::NotA(what) => (*what).to_owned(),
            Self::Columns { header, .. } => format!("{header}, as in the file's header"),
            Self::Quote => "a quoted field that ends on its line, and \"\" for a quote inside it".to_owned(),
            Self::TooLarge => format!("at most {ITEM_BYTES_MAX} bytes"),
            Self::TextTooLong => format!("at most {TEXT_BYTES_MAX} bytes"),
            Self::TooDeep => format!("at most {DEPTH_MAX} things inside each other"),
            Self::Json { .. } => "JSON of the shape that the format has, each field once".to_owned(),
            Self::Truncated => "the whole file: perhaps a transfer broke off".to_owned(),
            Self::Syntax(right) => (*right).to_owned(),
            Self::Markup(_) => "plain elements and text".to_owned(),
            Self::Pattern(_) => {
                "a pattern such as `[file:hashes.'SHA-256' = '…' AND file:hashes.MD5 = '…']`".to_owned()
            }
            Self::NotListed(_) => "an item that its source puts forward for this use".to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { .. } => write!(f, "longer than {LINE_BYTES_MAX} bytes"),
            Self::NulByte { character } => write!(f, "character {character} is a NUL byte"),
            Self::CarriageReturn { character } => {
                write!(f, "character {character} is a carriage return inside the line")
            }
            Self::OtherFormat(format) => write!(f, "this is {format}"),
            Self::NotHex { character } => write!(f, "character {character} is no hexadecimal digit"),
            Self::Length { digits } => write!(f, "{digits} hexadecimal digits tell no algorithm"),
            Self::NamedLength { algorithm, digits } => {
                write!(f, "{digits} hexadecimal digits are no digest of {algorithm}")
            }
            Self::Separator { character } => {
                write!(f, "character {character} does not part digest and name")
            }
            Self::NamedForm => f.write_str("the line names an algorithm and gives no digest"),
            Self::UnknownAlgorithm => f.write_str("the word before the bracket names no known algorithm"),
            Self::ForeignAlgorithm(name) => {
                write!(f, "{name} is an algorithm that hashward does not compute")
            }
            Self::Fingerprint(name) => {
                write!(f, "{name} is a fingerprint and not a digest: hashward does not match these yet")
            }
            Self::Escape { character } => {
                write!(f, "character {character} is a backslash that escapes nothing")
            }
            Self::EmptyContent(algorithm) => write!(f, "the {algorithm} digest of empty content"),
            Self::NotUtf8 => f.write_str("a byte that is no UTF-8"),
            Self::UnknownKind => f.write_str("the word names no kind of signal"),
            Self::Ambiguous => f.write_str("64 hexadecimal digits that may be SHA-256 and may be PDQ"),
            Self::NoSignal => f.write_str("there is no signal"),
            Self::TooManySignals => f.write_str("too many signals"),
            Self::TwoDigests(algorithm) => write!(f, "two different digests of {algorithm}"),
            Self::Missing => f.write_str("it is missing"),
            Self::NotA(what) => write!(f, "this is not {what}"),
            Self::Columns { row, .. } => write!(f, "{row} columns"),
            Self::Quote => f.write_str("a quoted field has no end, or goes on behind it"),
            Self::TooLarge => write!(f, "longer than {ITEM_BYTES_MAX} bytes"),
            Self::TextTooLong => write!(f, "longer than {TEXT_BYTES_MAX} bytes"),
            Self::TooDeep => f.write_str("nested too deep"),
            Self::Json { byte } => write!(f, "not to be read from byte {byte} of the item on"),
            Self::Truncated => f.write_str("the file ends here"),
            Self::Syntax(_) => f.write_str("something else stands here"),
            Self::Markup(what) => write!(f, "{what}"),
            Self::Pattern(why) => write!(f, "the pattern {why}"),
            Self::NotListed(why) => write!(f, "not taken up: {why}"),
        }
    }
}
