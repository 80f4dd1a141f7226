use std::fmt;
use std::hash::{Hash, Hasher};

use crate::Algorithm;
use crate::empty::EMPTY_CONTENT_HEX;

const BYTES_MAX: usize = 64;

/// The digest of some content, with the algorithm that made it.
///
/// A digest of a list is a secret of its maintainer. So there is no `Display`, and `Debug` shows no byte of it:
/// a digest is written only where somebody calls [`Digest::to_hex`].
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digest {
    algorithm: Algorithm,
    /// The digest, then zeros up to the longest digest's length.
    bytes: [u8; BYTES_MAX],
}

/// Why some text or bytes are not a digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DigestError {
    /// The wrong number of hexadecimal digits: for which algorithm, and how many there were.
    Length(Algorithm, usize),
    /// A character that is no hexadecimal digit, at this position (from 1).
    Alphabet(usize),
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(algorithm, digits) => {
                let right = algorithm.digest_bytes() * 2;
                write!(f, "{digits} hexadecimal digits: a digest of {algorithm} has {right}")
            }
            Self::Alphabet(position) => {
                write!(f, "character {position} is no hexadecimal digit: expected 0-9, a-f or A-F")
            }
        }
    }
}

impl std::error::Error for DigestError {}

impl Digest {
    /// A digest from its bytes; `bytes` must be as long as `algorithm` makes them.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, DigestError> {
        if bytes.len() != algorithm.digest_bytes() {
            return Err(DigestError::Length(algorithm, bytes.len() * 2));
        }
        let mut padded = [0; BYTES_MAX];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { algorithm, bytes: padded })
    }

    /// A digest from hexadecimal digits in either case.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Result<Self, DigestError> {
        let digits = hex.as_bytes();
        if digits.len() != algorithm.digest_bytes() * 2 {
            return Err(DigestError::Length(algorithm, hex.chars().count()));
        }
        let mut bytes = [0; BYTES_MAX];
        for (i, pair) in digits.chunks_exact(2).enumerate() {
            let high = nibble(pair[0]).ok_or(DigestError::Alphabet(2 * i + 1))?;
            let low = nibble(pair[1]).ok_or(DigestError::Alphabet(2 * i + 2))?;
            bytes[i] = high << 4 | low;
        }
        Ok(Self { algorithm, bytes })
    }

    /// The digest that content of zero bytes has: what an unfinished upload looks like. No list may hold it.
    pub fn of_empty_content(algorithm: Algorithm) -> Self {
        let hex = EMPTY_CONTENT_HEX[algorithm as usize];
        Self::from_hex(algorithm, hex).expect("the table of empty digests is well-formed")
    }

    /// The algorithm that made this digest.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes, as many as its algorithm makes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_bytes()]
    }

    /// The digest in lower-case hexadecimal digits. The one way to write a digest.
    pub fn to_hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let pairs = self.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        pairs.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.algorithm.hash(state);
        state.write(self.as_bytes());
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}, …)", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let hex = "00ff7a1E9c0b4d5566778899aabbCCdd";
        let digest = Digest::from_hex(Algorithm::Md5, hex).unwrap();
        assert_eq!(digest.to_hex(), hex.to_lowercase());
        assert_eq!(Digest::new(Algorithm::Md5, digest.as_bytes()), Ok(digest));
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let cases = [
            ("abcd", "4 hexadecimal digits: a digest of md5 has 32"),
            (
                "00ff7a1E9c0b4d5566778899aabbCCdg",
                "character 32 is no hexadecimal digit: expected 0-9, a-f or A-F",
            ),
            ("é0ff7a1E9c0b4d5566778899aabbCCd", "31 hexadecimal digits: a digest of md5 has 32"),
        ];
        for (hex, expected) in cases {
            match Digest::from_hex(Algorithm::Md5, hex) {
                Err(error) if hex.is_ascii() => assert_eq!(error.to_string(), expected),
                Err(_) => {}
                Ok(_) => panic!("{hex} is no MD5"),
            }
        }
    }

    #[test]
    fn debug_shows_no_byte() {
        let digest = Digest::of_empty_content(Algorithm::Sha256);
        assert_eq!(format!("{digest:?}"), "Digest(sha256, …)");
    }
}
