//! The twin that tests hold other indexes against: too slow to use, too plain to be wrong.

use hashward_core::{AlgorithmSet, Digest};

use crate::{EntryNumber, SignalIndex};

/// An index that looks at every digest it holds, each time.
#[derive(Clone, Default)]
pub struct NaiveIndex {
    pairs: Vec<(Digest, EntryNumber)>,
}

impl NaiveIndex {
    /// An index of these pairs of a digest and an entry that holds it, in any order, repetitions allowed.
    pub fn new(pairs: impl IntoIterator<Item = (Digest, EntryNumber)>) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

impl SignalIndex for NaiveIndex {
    fn algorithms(&self) -> AlgorithmSet {
        self.pairs.iter().map(|(digest, _)| digest.algorithm()).collect()
    }

    fn signals(&self) -> usize {
        let mut distinct: Vec<&Digest> = Vec::new();
        for (digest, _) in &self.pairs {
            if !distinct.contains(&digest) {
                distinct.push(digest);
            }
        }
        distinct.len()
    }

    fn lookup(&self, digest: &Digest, found: &mut dyn FnMut(EntryNumber)) {
        let holding = self.pairs.iter().filter(|(held, _)| held == digest);
        let mut entries: Vec<EntryNumber> = holding.map(|(_, entry)| *entry).collect();
        entries.sort_unstable();
        entries.dedup();
        entries.into_iter().for_each(found);
    }
}
