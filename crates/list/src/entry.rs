use std::fmt;

use hashward_core::{Algorithm, AlgorithmSet, Digest, Digests, EntryId};

/// How many bytes of digests an entry holds in place: one of SHA-256, or one each of MD5 and SHA-1. No more
/// fit without making every entry larger.
const FEW_BYTES: usize = 38;

/// One entry of a list: what all lines with one name say together, or what one line without a name says.
///
/// It holds at most one digest of each algorithm. A line with the entry's name and another digest of an
/// algorithm that the entry holds already shows that the name stands for several items: that line, and each
/// further one of that name with a digest that is new, begins an entry of its own.
///
/// 56 bytes for most lists; an entry with more digests has one allocation besides.
#[derive(Clone, Eq, PartialEq)]
pub struct ListEntry {
    /// The entry's name in alerts. It depends on the list's id, and on the name and the count of earlier
    /// entries of that name, or for an entry without a name on its digest; so it stays when lines move.
    pub id: EntryId,
    /// The line on which the entry begins, from 1.
    pub line: u64,
    digests: Packed,
}

/// Digests in the order of their algorithms, without gaps.
#[derive(Clone, Eq, PartialEq)]
enum Packed {
    Few { present: AlgorithmSet, bytes: [u8; FEW_BYTES] },
    Many { present: AlgorithmSet, bytes: Box<[u8]> },
}

impl ListEntry {
    pub(crate) fn new(id: EntryId, line: u64, digest: &Digest) -> Self {
        Self { id, line, digests: Packed::new(&Digests::from_iter([*digest])) }
    }

    /// Puts a digest in. There must be none of its algorithm yet.
    pub(crate) fn insert(&mut self, digest: &Digest) {
        debug_assert!(!self.algorithms().contains(digest.algorithm()));
        let mut digests: Digests = self.digests().collect();
        digests.insert(digest);
        self.digests = Packed::new(&digests);
    }

    /// The algorithms of which the entry holds a digest: at least one.
    pub fn algorithms(&self) -> AlgorithmSet {
        match self.digests {
            Packed::Few { present, .. } | Packed::Many { present, .. } => present,
        }
    }

    /// The entry's digest of one algorithm, if it holds one.
    pub fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        let present = self.algorithms();
        if !present.contains(algorithm) {
            return None;
        }
        let before = present.iter().take_while(|earlier| *earlier != algorithm);
        let start: usize = before.map(Algorithm::digest_bytes).sum();
        let bytes: &[u8] = match &self.digests {
            Packed::Few { bytes, .. } => bytes,
            Packed::Many { bytes, .. } => bytes,
        };
        let bytes = &bytes[start..start + algorithm.digest_bytes()];
        Some(Digest::new(algorithm, bytes).expect("as many bytes were packed"))
    }

    /// The entry's digests, in the order of their algorithms.
    pub fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.algorithms().iter().filter_map(|algorithm| self.digest(algorithm))
    }
}

impl Packed {
    fn new(digests: &Digests) -> Self {
        let present = digests.algorithms();
        let mut bytes = [0; FEW_BYTES];
        let mut end = 0;
        for digest in digests.iter() {
            let digest = digest.as_bytes();
            let Some(place) = bytes.get_mut(end..end + digest.len()) else {
                let all = digests.iter().flat_map(|digest| digest.as_bytes().to_vec());
                return Self::Many { present, bytes: all.collect() };
            };
            place.copy_from_slice(digest);
            end += digest.len();
        }
        Self::Few { present, bytes }
    }
}

impl fmt::Debug for ListEntry {
    /// Shows no byte of a digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListEntry({}, line {}, {})", self.id, self.line, self.algorithms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_set_of_digests_is_packed_and_found() {
        for bits in 1..1_u32 << Algorithm::ALL.len() {
            let wanted = || Algorithm::ALL.iter().copied().filter(|a| bits & 1 << *a as u32 != 0);
            let made = |a: Algorithm| Digest::new(a, &vec![a as u8 + 1; a.digest_bytes()]).unwrap();
            // From the last to the first, so that each insertion moves what is there.
            let mut digests: Vec<Digest> = wanted().map(made).collect();
            let mut entry = ListEntry::new(EntryId(1), 1, &digests.pop().unwrap());
            digests.iter().rev().for_each(|digest| entry.insert(digest));
            assert!(entry.digests().eq(wanted().map(made)));
            assert_eq!(entry.algorithms(), wanted().collect());
        }
    }

    #[test]
    fn entries_are_small_and_keep_their_secret() {
        assert_eq!(size_of::<ListEntry>(), 56);
        let entry = ListEntry::new(EntryId(0xab), 7, &Digest::of_empty_content(Algorithm::Md5));
        assert_eq!(format!("{entry:?}"), "ListEntry(e-00000000000000ab, line 7, md5)");
    }
}
