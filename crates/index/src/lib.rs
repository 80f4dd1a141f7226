//! Digests to candidates: which entries hold a digest.
//!
//! [`SignalIndex`] is the question; [`MemoryIndex`] answers it fast, [`naive::NaiveIndex`] answers it
//! obviously, and tests hold the two equal.

mod memory;
pub mod naive;
mod table;
#[cfg(test)]
mod tests;

use hashward_core::{AlgorithmSet, Digest};

pub use memory::{FALSE_POSITIVE_SHARE, MemoryIndex, MemoryIndexBuilder};

/// The number by which an index knows an entry. What it stands for is known to whoever built the index.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryNumber(pub u32);

/// Answers which entries hold a digest. An index does not change: a new state of the lists is a new index.
///
/// This is all that the engine asks of an index, and on purpose: a sealed index that is mapped from a file
/// takes the place of [`MemoryIndex`] without a change elsewhere. So nothing here gives a digest back, and
/// nothing borrows from how an index keeps its digests.
pub trait SignalIndex: Send + Sync {
    /// The algorithms of which the index holds a digest. No other digest of a content needs to be computed.
    fn algorithms(&self) -> AlgorithmSet;

    /// How many distinct digests the index holds. Equal bytes of two algorithms are two digests.
    fn signals(&self) -> usize;

    /// Calls `found` with each entry that holds exactly this digest, in ascending order, each once.
    fn lookup(&self, digest: &Digest, found: &mut dyn FnMut(EntryNumber));
}
