use std::fmt;
use std::hash::{BuildHasher, RandomState};

use bloomfilter::Bloom;
use hashward_core::{Algorithm, AlgorithmSet, Digest};

use crate::table::{Rows, Table};
use crate::{EntryNumber, SignalIndex};

/// The share of digests in no list that pass the filter and cost a search: about one in a hundred.
///
/// At this share the filter takes about 9.6 bits per digest. A digest that passes wrongly is only searched in
/// vain.
pub const FALSE_POSITIVE_SHARE: f64 = 0.01;

/// Collects digests and entries, and builds a [`MemoryIndex`] from them.
pub struct MemoryIndexBuilder {
    tables: Tables,
}

impl Default for MemoryIndexBuilder {
    fn default() -> Self {
        Self { tables: Tables::new() }
    }
}

impl MemoryIndexBuilder {
    /// A builder without any digest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `entry` holds `digest`. Several entries may hold one digest, and one entry several digests,
    /// in any order; a repetition changes nothing.
    pub fn add(&mut self, digest: &Digest, entry: EntryNumber) {
        self.tables.get_mut(digest.algorithm()).add(digest.as_bytes(), entry);
    }

    /// Sorts what was added, and builds the filter for exactly as many digests as there are.
    pub fn build(mut self) -> MemoryIndex {
        let mut algorithms = AlgorithmSet::EMPTY;
        let mut signals = 0;
        for algorithm in Algorithm::ALL {
            let table = self.tables.get_mut(*algorithm);
            table.seal();
            table.for_each_digest(&mut |_| {
                algorithms.insert(*algorithm);
                signals += 1;
            });
        }
        let mut filter = new_filter(signals);
        for algorithm in algorithms.iter() {
            self.tables.get(algorithm).for_each_digest(&mut |bytes| {
                let digest = Digest::new(algorithm, bytes).expect("the table's rows are digests");
                filter.set(&digest);
            });
        }
        MemoryIndex { filter, tables: self.tables, algorithms, signals }
    }
}

/// A filter for `signals` digests, empty yet.
///
/// Its seed is new for each index: who does not hold the process's memory cannot choose digests that pass the
/// filter, neither in a list nor in a request. An answer never depends on it, so that no result needs it to
/// be repeatable.
fn new_filter(signals: usize) -> Bloom<Digest> {
    let random = RandomState::new();
    let mut seed = [0; 32];
    for (i, word) in seed.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&random.hash_one(i).to_le_bytes());
    }
    // A filter for no item at all does not exist; one for a single item that was never set lets nothing pass.
    Bloom::new_for_fp_rate_with_seed(signals.max(1), FALSE_POSITIVE_SHARE, &seed)
        .expect("a filter with a seed of its own has nothing to fail at")
}

/// An index in memory: a Bloom filter in front of sorted rows, one table per algorithm.
///
/// Nearly every content is in no list. The filter dismisses it after reading about two bits of it; only what
/// passes is searched in the table, and only what the table holds is found. So the filter can cost a search
/// and never a wrong answer.
///
/// A digest that one entry holds takes its own length, four bytes, and about ten bits of the filter.
pub struct MemoryIndex {
    filter: Bloom<Digest>,
    tables: Tables,
    algorithms: AlgorithmSet,
    signals: usize,
}

impl MemoryIndex {
    /// Whether the filter lets the digest pass: always if the index holds it, else in about
    /// [`FALSE_POSITIVE_SHARE`] of all cases.
    pub fn may_hold(&self, digest: &Digest) -> bool {
        self.filter.check(digest)
    }
}

impl SignalIndex for MemoryIndex {
    fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    fn signals(&self) -> usize {
        self.signals
    }

    fn lookup(&self, digest: &Digest, found: &mut dyn FnMut(EntryNumber)) {
        if self.algorithms.contains(digest.algorithm()) && self.may_hold(digest) {
            self.tables.get(digest.algorithm()).lookup(digest.as_bytes(), found);
        }
    }
}

impl fmt::Debug for MemoryIndex {
    /// Says how much the index holds, and nothing of what: digests of lists are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryIndex({} digests of {})", self.signals, self.algorithms)
    }
}

/// One table per algorithm, in the order of [`Algorithm::ALL`]: equal bytes of two algorithms never meet.
struct Tables([Box<dyn Rows>; Algorithm::ALL.len()]);

impl Tables {
    fn new() -> Self {
        Self([
            Box::new(Table::<{ Algorithm::Md5.digest_bytes() }>::default()),
            Box::new(Table::<{ Algorithm::Sha1.digest_bytes() }>::default()),
            Box::new(Table::<{ Algorithm::Sha256.digest_bytes() }>::default()),
            Box::new(Table::<{ Algorithm::Sha512.digest_bytes() }>::default()),
            Box::new(Table::<{ Algorithm::Blake3.digest_bytes() }>::default()),
            Box::new(Table::<{ Algorithm::Xxh3.digest_bytes() }>::default()),
        ])
    }

    fn get(&self, algorithm: Algorithm) -> &dyn Rows {
        &*self.0[algorithm as usize]
    }

    fn get_mut(&mut self, algorithm: Algorithm) -> &mut dyn Rows {
        &mut *self.0[algorithm as usize]
    }
}
