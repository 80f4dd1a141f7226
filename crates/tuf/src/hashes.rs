//! Digests of files, as metadata states them.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256, SHA512};
use serde::{Deserialize, Serialize};

/// The digests that a file must have: from the algorithm's name to hexadecimal digits.
///
/// Known are `sha256` and `sha512`. Of those that are stated all must be right, and at least one must be known.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hashes(BTreeMap<String, String>);

impl Hashes {
    /// Those of a file with this SHA-256.
    pub fn sha256(digest: [u8; 32]) -> Self {
        Self([("sha256".to_owned(), hex(&digest))].into())
    }

    /// Those of `bytes`: SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self([("sha256".to_owned(), hex(ring::digest::digest(&SHA256, bytes).as_ref()))].into())
    }

    /// The digest before the name of a file of a consistent snapshot, in hexadecimal digits.
    pub fn prefix(&self) -> Option<&str> {
        self.0.get("sha256").or_else(|| self.0.get("sha512")).map(String::as_str)
    }

    /// The SHA-256 in hexadecimal digits, if it is stated.
    pub fn sha256_hex(&self) -> Option<&str> {
        self.0.get("sha256").map(String::as_str)
    }

    /// Whether the digests have the form of digests, and one of them can be computed.
    pub(crate) fn are_usable(&self) -> bool {
        let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let lengths = [("sha256", 64), ("sha512", 128)];
        let right = |(name, digits): (&str, usize)| {
            self.0.get(name).is_none_or(|text| text.len() == digits && is_hex(text))
        };
        lengths.into_iter().all(right) && lengths.iter().any(|(name, _)| self.0.contains_key(*name))
    }

    /// Whether `bytes` have all digests that can be computed.
    pub(crate) fn are_of(&self, bytes: &[u8]) -> bool {
        let mut running = self.begin();
        running.update(bytes);
        running.finish()
    }

    /// Begins to compute over a stream.
    pub(crate) fn begin(&self) -> Running<'_> {
        let context = |name: &str, algorithm| self.0.get(name).map(|_| Context::new(algorithm));
        Running { wanted: self, sha256: context("sha256", &SHA256), sha512: context("sha512", &SHA512) }
    }
}

/// The digests of a stream, as far as it has been read.
pub(crate) struct Running<'a> {
    wanted: &'a Hashes,
    sha256: Option<Context>,
    sha512: Option<Context>,
}

impl Running<'_> {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for context in [&mut self.sha256, &mut self.sha512].into_iter().flatten() {
            context.update(bytes);
        }
    }

    /// Whether what was read has all digests that are stated and can be computed, and there is one.
    pub(crate) fn finish(self) -> bool {
        let mut is_any_known = false;
        for (name, context) in [("sha256", self.sha256), ("sha512", self.sha512)] {
            let Some(context) = context else { continue };
            if self.wanted.0.get(name).map(String::as_str) != Some(&hex(context.finish().as_ref())) {
                return false;
            }
            is_any_known = true;
        }
        is_any_known
    }
}

/// Lower case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory takes everything");
        text
    })
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [high, low] = *pair { Some(digit(high)? << 4 | digit(low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(pairs: &[(&str, &str)]) -> Hashes {
        Hashes(pairs.iter().map(|(name, digits)| ((*name).to_owned(), (*digits).to_owned())).collect())
    }

    #[test]
    fn all_that_are_stated_must_be_right_and_one_known() {
        let right = Hashes::of(b"abc");
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(right.prefix(), Some(digits));
        assert!(right.are_of(b"abc") && !right.are_of(b"abd"));
        let one_wrong = stated(&[("sha256", digits), ("sha512", &"0".repeat(128))]);
        assert!(one_wrong.are_usable() && !one_wrong.are_of(b"abc"));
        for none in [stated(&[]), stated(&[("md5", "00")]), stated(&[("sha256", "abc")])] {
            assert!(!none.are_usable());
        }
        assert!(!stated(&[("md5", "900150983cd24fb0d6963f7d28e17f72")]).are_of(b"abc"));
    }

    #[test]
    fn digits_go_both_ways() {
        assert_eq!(unhex(&hex(&[0, 127, 255])), Some(vec![0, 127, 255]));
        assert_eq!([unhex("0"), unhex("0g"), unhex("+1")], [None, None, None]);
    }
}
