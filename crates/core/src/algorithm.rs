use std::fmt;

use crate::word::words;

words! {
    /// A digest algorithm that a list may use and that Hashward computes.
    pub enum Algorithm ("digest algorithm") {
        /// MD5 (RFC 1321), 16 bytes. Collisions are practical: weak.
        Md5 = "md5",
        /// SHA-1 (FIPS 180-4), 20 bytes. Chosen-prefix collisions are practical: weak.
        Sha1 = "sha1",
        /// SHA-256 (FIPS 180-4), 32 bytes.
        Sha256 = "sha256",
        /// SHA-512 (FIPS 180-4), 64 bytes.
        Sha512 = "sha512",
        /// BLAKE3, 32 bytes.
        Blake3 = "blake3",
        /// XXH3, 64 bits, written big-endian as `xxhsum` does. Not cryptographic: never grounds for an alert.
        Xxh3 = "xxh3",
    }
}

/// How much an equal digest proves.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Strength {
    /// Anybody can make other content with the same digest at no cost: never a ground.
    Hint,
    /// Collisions are practical, so that one match alone deserves a second look.
    Weak,
    /// No practical collision is known.
    Strong,
}

impl Algorithm {
    /// The length of this algorithm's digests, in bytes.
    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
            Self::Xxh3 => 8,
        }
    }

    /// How much an equal digest of this algorithm proves.
    pub const fn strength(self) -> Strength {
        match self {
            Self::Xxh3 => Strength::Hint,
            Self::Md5 | Self::Sha1 => Strength::Weak,
            Self::Sha256 | Self::Sha512 | Self::Blake3 => Strength::Strong,
        }
    }

    /// Reads a name as tools print it: `SHA256`, `sha-256`, `SHA2-256`, `XXH3`, in either case.
    pub fn from_tool_name(name: &str) -> Option<Self> {
        let folded: String =
            name.chars().filter(|c| *c != '-' && *c != '_').map(|c| c.to_ascii_lowercase()).collect();
        match folded.as_str() {
            "sha2256" => Some(Self::Sha256),
            "sha2512" => Some(Self::Sha512),
            "xxh364" => Some(Self::Xxh3),
            word => word.parse().ok(),
        }
    }
}

/// A set of algorithms, one bit each.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct AlgorithmSet(u8);

impl AlgorithmSet {
    /// No algorithm.
    pub const EMPTY: Self = Self(0);
    /// Every algorithm Hashward computes.
    pub const ALL: Self = Self((1 << Algorithm::ALL.len()) - 1);

    /// This set with `algorithm` in it.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | 1 << algorithm as u8)
    }

    /// Whether `algorithm` is in the set.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & 1 << algorithm as u8 != 0
    }

    /// Puts `algorithm` in the set.
    pub fn insert(&mut self, algorithm: Algorithm) {
        *self = self.with(algorithm);
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many algorithms the set holds.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.iter().copied().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Display for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, algorithm) in self.iter().enumerate() {
            write!(f, "{}{algorithm}", if i == 0 { "" } else { ", " })?;
        }
        if self.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlgorithmSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.word().parse(), Ok(*algorithm));
            assert_eq!(Algorithm::from_tool_name(&algorithm.word().to_uppercase()), Some(*algorithm));
        }
        assert_eq!(Algorithm::from_tool_name("SHA2-256"), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::from_tool_name("pdq"), None);
        let error = "sha3".parse::<Algorithm>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#"unknown digest algorithm "sha3": expected one of md5, sha1, sha256, sha512, blake3, xxh3"#
        );
    }

    #[test]
    fn sets_do_what_sets_do() {
        let weak: AlgorithmSet = [Algorithm::Md5, Algorithm::Sha1].into_iter().collect();
        assert_eq!(weak.len(), 2);
        assert_eq!(AlgorithmSet::ALL.difference(weak).len(), 4);
        assert!(AlgorithmSet::ALL.contains(Algorithm::Xxh3) && !weak.contains(Algorithm::Xxh3));
        assert_eq!(weak.union(AlgorithmSet::EMPTY), weak.intersection(AlgorithmSet::ALL));
        assert_eq!(format!("{weak} / {}", AlgorithmSet::EMPTY), "md5, sha1 / none");
    }
}
