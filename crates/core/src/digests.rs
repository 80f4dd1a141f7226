use std::fmt;

use crate::{Algorithm, AlgorithmSet, Digest};

const TOTAL_BYTES: usize = 16 + 20 + 32 + 64 + 32 + 8;

/// The digests of one content: at most one of each algorithm, held in place without allocation.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digests {
    present: AlgorithmSet,
    bytes: [u8; TOTAL_BYTES],
}

impl Default for Digests {
    fn default() -> Self {
        Self { present: AlgorithmSet::EMPTY, bytes: [0; TOTAL_BYTES] }
    }
}

impl Digests {
    /// Which algorithms there is a digest of.
    pub const fn algorithms(&self) -> AlgorithmSet {
        self.present
    }

    /// Puts a digest in; one of the same algorithm is replaced.
    pub fn insert(&mut self, digest: &Digest) {
        self.set(digest.algorithm(), digest.as_bytes());
    }

    /// Puts a digest's bytes in. Panics if they are not as long as `algorithm` makes them.
    pub fn set(&mut self, algorithm: Algorithm, bytes: &[u8]) {
        self.bytes[place(algorithm)].copy_from_slice(bytes);
        self.present.insert(algorithm);
    }

    /// The digest of one algorithm, if it is there.
    pub fn get(&self, algorithm: Algorithm) -> Option<Digest> {
        let bytes = &self.bytes[place(algorithm)];
        self.present
            .contains(algorithm)
            .then(|| Digest::new(algorithm, bytes).expect("the place has the length"))
    }

    /// The digests that are there, in the order of their algorithms.
    pub fn iter(&self) -> impl Iterator<Item = Digest> + '_ {
        self.present.iter().filter_map(|algorithm| self.get(algorithm))
    }
}

/// Where an algorithm's digest stands in the buffer.
fn place(algorithm: Algorithm) -> std::ops::Range<usize> {
    let start = match algorithm {
        Algorithm::Md5 => 0,
        Algorithm::Sha1 => 16,
        Algorithm::Sha256 => 36,
        Algorithm::Sha512 => 68,
        Algorithm::Blake3 => 132,
        Algorithm::Xxh3 => 164,
    };
    start..start + algorithm.digest_bytes()
}

impl FromIterator<Digest> for Digests {
    fn from_iter<I: IntoIterator<Item = Digest>>(digests: I) -> Self {
        let mut set = Self::default();
        digests.into_iter().for_each(|digest| set.insert(&digest));
        set
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digests({}; …)", self.present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_its_own_place() {
        let all: Digests = Algorithm::ALL.iter().map(|a| Digest::of_empty_content(*a)).collect();
        assert_eq!(all.algorithms(), AlgorithmSet::ALL);
        for algorithm in Algorithm::ALL {
            assert_eq!(all.get(*algorithm), Some(Digest::of_empty_content(*algorithm)));
        }
        assert_eq!(all.iter().count(), 6);
        assert_eq!(Digests::default().get(Algorithm::Md5), None);
    }
}
