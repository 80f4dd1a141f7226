use std::path::Path;
use std::sync::Arc;

use hashward_core::{Digest, Digests, ListId};
use hashward_index::{EntryRecord, IndexError, IndexWriter, Layout, Progress, SealKey};
use hashward_list::{MatchableEntry, OpenList};

use super::rails::StepSize;
use super::{
    KnownGood, ListIndex, ListIndexError, LoadedList, Quarantined, Rails, catalogue, finished, writer_at,
};
use crate::Snapshot;

/// How many entries are held against the rails together.
const BATCH: usize = 256;

/// How an index over lists is built.
#[derive(Clone, Copy, Default)]
pub struct BuildOptions<'a> {
    /// Where the sealed file comes to stand; without one the index is in memory.
    pub path: Option<&'a Path>,
    /// How lookups are laid out; without one by the number of signals.
    pub layout: Option<Layout>,
    /// What the lists must pass.
    pub rails: Rails<'a>,
    /// Now, in Unix seconds: since when an entry is listed that the generation before did not have, if its list does not
    /// say.
    pub now: i64,
}

/// Builds the index over some lists, entry by entry.
pub struct ListIndexBuilder<'a> {
    writer: IndexWriter,
    key: &'a SealKey,
    options: BuildOptions<'a>,
    lists: Vec<LoadedList>,
}

impl<'a> ListIndexBuilder<'a> {
    /// Begins an index, sealed under `key`.
    pub fn new(key: &'a SealKey, options: BuildOptions<'a>) -> Result<Self, ListIndexError> {
        let writer = match options.layout {
            Some(layout) => writer_at(options.path, key)?.with_layout(layout),
            None => writer_at(options.path, key)?,
        };
        Ok(Self { writer, key, options, lists: Vec::new() })
    }

    /// Adds a list with all its entries, and tells after each batch how many there are of it so far.
    pub fn add(&mut self, list: OpenList, told: &mut dyn FnMut(u64)) -> Result<(), ListIndexError> {
        let mut list = list;
        let id = list.info.id.clone();
        if let Some(first) = self.lists.iter().find(|other| other.info.id == id) {
            let (first, second) = (first.path.clone(), list.path);
            return Err(ListIndexError::SameId { id, first, second });
        }
        let before = Before::of(self.options.rails.previous, &id);
        let (mut entries, mut kept) = (0, 0);
        let mut quarantined = Quarantined::default();
        let mut batch = Vec::with_capacity(BATCH);
        let mut more = true;
        while more {
            more = list.next_batch(&mut batch, BATCH)?;
            if let Some(known_good) = self.options.rails.known_good {
                let held =
                    known_good.hold(&batch.iter().map(|entry| &entry.digests).collect::<Vec<&Digests>>())?;
                let mut held = held.into_iter();
                batch.retain(|entry| {
                    let held = held.next().expect("one answer for each entry");
                    if held {
                        quarantined.push(entry.id);
                    }
                    !held
                });
            }
            let since = before.listed_since(&batch, self.options.now)?;
            for (entry, since) in batch.iter().zip(since) {
                kept += u64::from(since.kept);
                add_entry(&mut self.writer, self.lists.len(), entry, since.listed_since)?;
            }
            entries += batch.len() as u64;
            told(entries);
        }
        if entries == 0 {
            return Err(ListIndexError::AllKnownGood { list: id });
        }
        if let (Some(caps), Some(before)) = (self.options.rails.caps_for(&id), before.entries()) {
            let step = StepSize { before, added: entries - kept, removed: before.saturating_sub(kept) };
            caps.check(step).map_err(|refusal| ListIndexError::Refused { list: id, refusal })?;
        }
        self.lists.push(LoadedList {
            info: Arc::new(list.info),
            path: list.path,
            entries,
            skipped_lines: list.skipped.count,
            quarantined,
            state: list.state,
        });
        Ok(())
    }

    /// Finishes the index. A file stands at its path then, whole; or the error leaves what was there.
    pub fn finish(self, progress: &mut dyn FnMut(Progress)) -> Result<ListIndex, ListIndexError> {
        if self.lists.is_empty() {
            return Err(ListIndexError::NoList);
        }
        let known_good = self.options.rails.known_good.map(KnownGood::fingerprint);
        let catalogue = catalogue::write(&self.lists, known_good.as_deref());
        let index = finished(self.writer, &catalogue, self.options.path, self.key, progress)?;
        Ok(ListIndex::new(self.lists, index, self.options.path, known_good))
    }
}

/// Adds one entry of the list with the given number.
fn add_entry(
    writer: &mut IndexWriter,
    list: usize,
    entry: &MatchableEntry,
    listed_since: Option<i64>,
) -> Result<(), IndexError> {
    let digests: Vec<Digest> = entry.digests.iter().collect();
    writer.add(&record(list, entry, listed_since), &digests).map(|_| ())
}

/// What the index keeps of an entry.
pub(super) fn record(list: usize, entry: &MatchableEntry, listed_since: Option<i64>) -> EntryRecord<'_> {
    let list = u32::try_from(list).expect("lists are named by hand");
    EntryRecord {
        disputed: entry.disputed,
        category: entry.category.as_ref(),
        size_bytes: entry.size_bytes,
        valid_from: entry.valid_from,
        valid_until: entry.valid_until,
        listed_since,
        line: entry.line,
        reference: entry.reference.as_deref(),
        ..EntryRecord::new(list, entry.id)
    }
}

/// The generation before, as far as one list goes.
struct Before<'a>(Option<(&'a Snapshot, &'a LoadedList)>);

/// What the generation before says of an entry.
#[derive(Clone, Copy, Default)]
struct Earlier {
    /// It was there.
    known: bool,
    /// It was there, and does not end now.
    kept: bool,
    /// Earlier when the entry is listed.
    listed_since: Option<i64>,
}

impl<'a> Before<'a> {
    fn of(previous: Option<&'a Snapshot>, id: &ListId) -> Self {
        Self(previous.and_then(|snapshot| {
            snapshot.lists().iter().find(|list| list.info.id == *id).map(|list| (snapshot, list))
        }))
    }

    fn entries(&self) -> Option<u64> {
        self.0.map(|(_, list)| list.entries)
    }

    /// Earlier when each entry is listed, place by place: as its list says, else as the generation before knew, else
    /// since now; and if there was no generation before, nobody knows. An entry is the one of before if its name and
    /// one of its digests are.
    fn listed_since(&self, entries: &[MatchableEntry], now: i64) -> Result<Vec<Earlier>, IndexError> {
        let stated =
            |entry: &MatchableEntry| Earlier { listed_since: entry.listed_since, ..Earlier::default() };
        let mut since: Vec<Earlier> = entries.iter().map(stated).collect();
        let Some((snapshot, list)) = self.0 else { return Ok(since) };
        let (mut asked, mut askers) = (Vec::new(), Vec::new());
        for (asker, entry) in entries.iter().enumerate() {
            asked.extend(entry.digests.iter());
            askers.resize(asked.len(), asker);
        }
        let mut hits = Vec::new();
        snapshot.lookup(&asked, &mut |place, number| hits.push((askers[place], number)))?;
        for (asker, number) in hits {
            let record = snapshot.record(number)?;
            if record.id == entries[asker].id && snapshot.list(&record).info.id == list.info.id {
                // An entry that ends with this step goes as surely as one that is withdrawn.
                let ended = |until: Option<i64>| until.is_some_and(|until| until <= now);
                since[asker].known = true;
                since[asker].kept = ended(record.valid_until) || !ended(entries[asker].valid_until);
                since[asker].listed_since = entries[asker].listed_since.or(record.listed_since);
            }
        }
        for since in since.iter_mut().filter(|since| !since.known) {
            since.listed_since = since.listed_since.or(Some(now));
        }
        Ok(since)
    }
}
