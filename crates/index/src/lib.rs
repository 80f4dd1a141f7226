//! Digests to entries: which entries of the lists hold a digest.
//!
//! [`SignalIndex`] is the question. [`Index`] answers it from an immutable, memory-mapped file, in which digests
//! stand as [`Seal`]s under the deployment's [`SealKey`]; [`IndexWriter`] builds one. [`Layered`] lays the newest
//! changes over it. [`naive::NaiveIndex`] answers obviously, and tests hold all of them equal.

mod checked;
mod error;
mod filter;
mod format;
mod front;
mod index;
mod key;
mod lines;
mod lookup;
#[allow(unsafe_code)]
mod map;
pub mod naive;
mod output;
mod overlay;
mod pairs;
mod record;
mod rows;
mod seal;
mod shared;
mod spool;
#[cfg(test)]
mod tests;
mod texts;
mod writer;

use hashward_core::{AlgorithmSet, Digest};

pub use error::{IndexError, Part};
pub use format::Layout;
pub use index::{Index, is_index_file};
pub use key::SealKey;
pub use overlay::{Layered, Overlay, OverlayBuilder};
pub use record::EntryRecord;
pub use seal::{Seal, Sealer};
pub use texts::{CATEGORIES_MAX, REFERENCE_BYTES_MAX};
pub use writer::{CATALOGUE_BYTES_MAX, IndexWriter, PAIRS_MAX, Progress};

/// The number by which an index knows an entry: in the order in which entries were added, from 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryNumber(pub u32);

/// Answers which entries hold a digest. An index does not change: a new state of the lists is a new index.
///
/// An error is damage to what the index reads. What was told before it is true, and is not everything.
pub trait SignalIndex: Send + Sync {
    /// The algorithms of which the index holds a digest. No other digest of a content needs to be computed.
    fn algorithms(&self) -> AlgorithmSet;

    /// How many distinct digests the index holds. Equal bytes of two algorithms are two digests.
    fn signals(&self) -> u64;

    /// How many entries the index holds.
    fn entries(&self) -> u64;

    /// Calls `found` with the place in `digests`, and the entry, for each entry that holds exactly the digest
    /// there. For one place entries come in ascending order, each once; the places come in any order.
    fn lookup_batch(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError>;

    /// What is known of an entry.
    fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError>;

    /// Calls `found` with each entry that holds exactly this digest, in ascending order, each once.
    fn lookup(&self, digest: &Digest, found: &mut dyn FnMut(EntryNumber)) -> Result<(), IndexError> {
        self.lookup_batch(std::slice::from_ref(digest), &mut |_, entry| found(entry))
    }
}
