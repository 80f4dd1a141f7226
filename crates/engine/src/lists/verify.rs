use hashward_core::{Algorithm, Digest, EntryId, ListId, Strength};
use hashward_index::EntryNumber;
use hashward_list::OpenList;

use super::{KnownGood, ListIndex, ListIndexError};

/// How many digests that are in no list are looked up.
pub const STRANGERS: u64 = 1_000_000;
/// How many digests are looked up together.
const BATCH: usize = 4096;

/// Where an index is not what its sources say.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Mismatch {
    /// An entry's digest is not found, or leads to another entry.
    #[error("list {list}: {entry} of the source is not found in the index by one of its digests")]
    Missing {
        /// The list.
        list: ListId,
        /// The entry.
        entry: EntryId,
    },
    /// A digest that nobody listed is found.
    #[error("{count} of {STRANGERS} digests that nobody listed are found in the index")]
    Strangers {
        /// How many.
        count: u64,
    },
    /// The numbers of entries differ.
    #[error("list {list}: the index has {found} entries, its source {expected}")]
    Count {
        /// The list.
        list: ListId,
        /// Entries of the index.
        found: u64,
        /// Entries of the source.
        expected: u64,
    },
    /// The index has entries of no list.
    #[error("the index has {found} entries, its lists together {named}")]
    Unnamed {
        /// Entries of the index.
        found: u64,
        /// Entries of its lists.
        named: u64,
    },
    /// The index knows nothing of the list.
    #[error("list {list}: the index does not hold it")]
    NoList {
        /// The list.
        list: ListId,
    },
}

/// Holds an index against the lists it was built of: every digest of every entry leads to that entry, the index holds no
/// more entries than they do, and of [`STRANGERS`] random digests none is found. Entries that `known_good` holds back
/// must not be there. Lists of the index that have no source here are not looked at. The first mismatch is told.
pub fn verify_against(
    index: &ListIndex,
    sources: Vec<OpenList>,
    known_good: Option<&KnownGood>,
) -> Result<Result<(), Mismatch>, ListIndexError> {
    let all = sources.len() == index.lists().len();
    for source in sources {
        let id = source.info.id.clone();
        let Some(number) = index.lists().iter().position(|list| list.info.id == id) else {
            return Ok(Err(Mismatch::NoList { list: id }));
        };
        if let Err(mismatch) = verify_list(index, number, source, known_good)? {
            return Ok(Err(mismatch));
        }
    }
    let named: u64 = index.lists().iter().map(|list| list.entries).sum();
    if all && index.index().entries() != named {
        let found = index.index().entries();
        return Ok(Err(Mismatch::Unnamed { found, named }));
    }
    strangers(index)
}

fn verify_list(
    index: &ListIndex,
    number: usize,
    source: OpenList,
    known_good: Option<&KnownGood>,
) -> Result<Result<(), Mismatch>, ListIndexError> {
    let mut source = source;
    let list = source.info.id.clone();
    let mut expected = 0;
    let mut entries = Vec::with_capacity(BATCH);
    let mut more = true;
    while more {
        more = source.next_batch(&mut entries, BATCH)?;
        let held = match known_good {
            Some(known_good) => {
                known_good.hold(&entries.iter().map(|entry| &entry.digests).collect::<Vec<_>>())?
            }
            None => vec![false; entries.len()],
        };
        let (mut asked, mut askers) = (Vec::new(), Vec::new());
        for (asker, (entry, held)) in entries.iter().zip(&held).enumerate() {
            if !held {
                expected += 1;
                asked.extend(entry.digests.iter());
                askers.resize(asked.len(), asker);
            }
        }
        let mut hits: Vec<(usize, EntryNumber)> = Vec::new();
        index.index().lookup_batch(&asked, &mut |place, entry| hits.push((place, entry)))?;
        let mut found = vec![false; asked.len()];
        for (place, entry) in hits {
            let record = index.index().record(entry)?;
            found[place] |= record.list as usize == number && record.id == entries[askers[place]].id;
        }
        if let Some(place) = found.iter().position(|found| !found) {
            return Ok(Err(Mismatch::Missing { list, entry: entries[askers[place]].id }));
        }
    }
    let found = index.lists()[number].entries;
    Ok(if found == expected { Ok(()) } else { Err(Mismatch::Count { list, found, expected }) })
}

/// Looks up digests that are drawn from BLAKE3's output: nobody listed them.
fn strangers(index: &ListIndex) -> Result<Result<(), Mismatch>, ListIndexError> {
    let algorithms: Vec<Algorithm> =
        index.algorithms().iter().filter(|algorithm| algorithm.strength() != Strength::Hint).collect();
    let mut drawn = blake3::Hasher::new_derive_key("hashward 2026-11 strangers").finalize_xof();
    let (mut count, mut left) = (0, if algorithms.is_empty() { 0 } else { STRANGERS });
    let mut bytes = [0; 64];
    while left > 0 {
        let batch: Vec<Digest> = (0..left.min(BATCH as u64))
            .map(|number| {
                let algorithm =
                    algorithms[usize::try_from(number).expect("within a batch") % algorithms.len()];
                let bytes = &mut bytes[..algorithm.digest_bytes()];
                drawn.fill(bytes);
                Digest::new(algorithm, bytes).expect("as many bytes were drawn")
            })
            .collect();
        left -= batch.len() as u64;
        index.index().lookup_batch(&batch, &mut |_, _| count += 1)?;
    }
    Ok(if count == 0 { Ok(()) } else { Err(Mismatch::Strangers { count }) })
}
