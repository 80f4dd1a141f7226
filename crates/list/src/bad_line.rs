use std::fmt;

use hashward_core::Algorithm;

use crate::LINE_BYTES_MAX;

/// Why a line gives no digest. It says where and how, and holds nothing of what the line says.
///
/// `Display` tells what is wrong, [`Problem::expected`] what would be right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The line is longer than [`LINE_BYTES_MAX`].
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
}

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
        }
    }
}

/// A line that gives no digest, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadLine {
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: expected {}", self.line, self.problem, self.problem.expected())
    }
}

/// The bad lines of a file: how many there are, and the first of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BadLines {
    /// How many lines are bad.
    pub count: u64,
    /// The first of them, at most [`BadLines::FIRST_MAX`].
    pub first: Vec<BadLine>,
}

impl BadLines {
    /// How many bad lines are told one by one.
    pub const FIRST_MAX: usize = 10;

    /// Whether no line is bad.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts one more, and keeps it if it is among the first.
    pub(crate) fn push(&mut self, line: u64, problem: Problem) {
        self.count += 1;
        if self.first.len() < Self::FIRST_MAX {
            self.first.push(BadLine { line, problem });
        }
    }
}
