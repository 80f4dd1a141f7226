//! The end of a step.

use super::change::EntryChange;
use super::error::{Fault, StoreError};
use super::history::Cursor;
use super::journal::{Counts, Record, State, StateHash, Totals};
use super::row::{encode, integer};
use super::{Step, StoredEntry, Summary};

/// Takes the changes of one state, in the order of the entries' numbers, and makes of them what the journal says.
pub(super) struct Tally {
    touched: blake3::Hasher,
    added: blake3::Hasher,
    bytes: Vec<u8>,
    pub(super) counts: Counts,
    pub(super) totals: Totals,
}

impl Tally {
    /// `totals` are those of the state before.
    pub(super) fn new(totals: Totals) -> Self {
        let hasher = blake3::Hasher::new;
        Self { touched: hasher(), added: hasher(), bytes: Vec::new(), counts: Counts::default(), totals }
    }

    /// Entries that the state before has, and those that it has not, each for themselves in order.
    pub(super) fn take(&mut self, number: u64, change: &EntryChange) {
        self.take_pair(number, change.before.as_ref(), change.after.as_ref());
        change.count(&mut self.counts, &mut self.totals);
    }

    /// Takes an entry that is new and in force.
    pub(super) fn take_born(&mut self, number: u64, entry: &StoredEntry) {
        self.take_pair(number, None, Some(entry));
        self.counts.added += 1;
        self.totals.entries += 1;
    }

    fn take_pair(&mut self, number: u64, before: Option<&StoredEntry>, after: Option<&StoredEntry>) {
        self.bytes.clear();
        encode(&mut self.bytes, before);
        encode(&mut self.bytes, after);
        let hasher = if before.is_none() { &mut self.added } else { &mut self.touched };
        hasher.update(&number.to_le_bytes());
        hasher.update(&(self.bytes.len() as u64).to_le_bytes());
        hasher.update(&self.bytes);
    }

    /// The hash of all changes that were taken.
    pub(super) fn changes(&self) -> [u8; 32] {
        let both = [self.touched.finalize(), self.added.finalize()];
        *blake3::hash(&both.map(|hash| *hash.as_bytes()).concat()).as_bytes()
    }
}

impl Step<'_> {
    /// Makes the step come to be: after this, or after any kill, the list is in the new state or in the old one. A step
    /// that changes nothing makes no state.
    pub fn commit(mut self) -> Result<Summary, StoreError> {
        let record = self.attempt(Self::close)?;
        if let Some(record) = record {
            self.attempt(|step| Ok(step.store.connection.execute_batch("COMMIT")?))?;
            self.summary.state = Some(record.state.number);
        }
        let summary = std::mem::take(&mut self.summary);
        if self.writes_manifest && summary.state.is_some() {
            // The step stands. What cannot be written now is written before the next one, and read from the journal
            // until then.
            let _ = self.store.settle_manifest_alone();
        }
        Ok(summary)
    }

    /// Does all of the step but for keeping it.
    pub fn dry_run(mut self) -> Result<Summary, StoreError> {
        self.attempt(Self::close)?;
        Ok(std::mem::take(&mut self.summary))
    }

    /// Writes the journal, within the transaction. None if there is nothing to write of.
    fn close(&mut self) -> Result<Option<Record>, Fault> {
        self.tables.flush()?;
        let connection = &self.store.connection;
        let base = &self.base.state;
        // If no entry that is new was changed since it came, all new ones are taken already.
        let taken = self.born.take();
        let entries = if taken.is_some() { base.totals.entries } else { self.entries };
        let mut tally = taken.unwrap_or_else(|| Tally::new(base.totals));
        let mut remove = connection.prepare("DELETE FROM past WHERE entry = ?1 AND state = ?2")?;
        let before = (base.number, base.totals.entries);
        let mut cursor = Cursor::new(connection, before, (self.state(), entries))?;
        let mut changed = self.entries > base.totals.entries;
        loop {
            let page = cursor.page(connection, true)?;
            if page.is_empty() {
                break;
            }
            for numbered in page {
                if numbered.change.before == numbered.change.after {
                    remove.execute([integer(numbered.number), integer(self.state())])?;
                } else {
                    changed = true;
                    tally.take(numbered.number, &numbered.change);
                }
            }
        }
        self.summary.info_changed = self.manifest != self.base.info;
        self.summary.changes = changed || self.summary.info_changed;
        if !self.summary.changes {
            return Ok(None);
        }
        let mut record = Record {
            state: State {
                number: self.state(),
                who: self.info.who.clone(),
                why: self.info.why.clone(),
                when: self.info.when,
                counts: tally.counts,
                totals: tally.totals,
                hash: StateHash([0; 32]),
            },
            info: self.manifest.clone(),
            changes: tally.changes(),
            previous: base.hash.0,
        };
        record.state.hash = record.chained();
        record.insert(connection)?;
        if self.writes_manifest {
            connection.execute("UPDATE manifest SET pending = 1", [])?;
        }
        Ok(Some(record))
    }
}

/// The first state of a list: empty.
pub(super) fn first(info: super::StepInfo, manifest: String) -> Record {
    let mut record = Record {
        state: State {
            number: 0,
            who: info.who,
            why: info.why,
            when: info.when,
            counts: Counts::default(),
            totals: Totals::default(),
            hash: StateHash([0; 32]),
        },
        info: manifest,
        changes: Tally::new(Totals::default()).changes(),
        previous: [0; 32],
    };
    record.state.hash = record.chained();
    record
}
