use hashward_core::ListInfo;

use super::bits::Bits;
use super::commit::Tally;
use super::error::{Fault, StoreError};
use super::intake::Stated;
use super::journal::{self, Record, StepInfo};
use super::merge::{born, merged};
use super::row::Numbered;
use super::tables::Tables;
use super::target::{self, Target};
use super::{Outcome, Store, StoredEntry, Summary, Tombstone, manifest};
use crate::{Change, Statement};

/// The longest name of a source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 256;

/// The reason in the tombstone of an entry whose source withdraws it without one.
const WITHDRAWN_BY_SOURCE: &str = "withdrawn by the source";

/// One change to a list, however large: all of it comes to be with [`Step::commit`], or nothing.
///
/// A step that fails, or is dropped, leaves the list as it was. After an error of SQLite it can only be dropped.
pub struct Step<'s> {
    pub(super) store: &'s Store,
    pub(super) info: StepInfo,
    pub(super) tables: Tables<'s>,
    /// The state from which the step goes on.
    pub(super) base: Record,
    /// What `list.toml` is to say after the step, in its one form.
    pub(super) manifest: String,
    /// Whether the step writes it there. If not, it is there already.
    pub(super) writes_manifest: bool,
    /// The entries of this step, as long as none of them was changed again.
    pub(super) born: Option<Tally>,
    source: Option<String>,
    /// How many entries there are, with those of this step.
    pub(super) entries: u64,
    /// How many statements there were.
    statements: u64,
    /// The entries that statements of this step spoke of by their keys.
    stated: Bits,
    /// Those of them whose keys stand for several items.
    ambiguous: Bits,
    pub(super) summary: Summary,
    failed: bool,
}

impl<'s> Step<'s> {
    /// Begins a step: from here on nobody else can change the list.
    pub(super) fn begin(store: &'s Store, info: StepInfo) -> Result<Self, Fault> {
        let info = info.checked()?;
        store.connection.execute_batch("BEGIN IMMEDIATE")?;
        Self::begun(store, info).inspect_err(|_| store.roll_back())
    }

    fn begun(store: &'s Store, info: StepInfo) -> Result<Self, Fault> {
        store.settle_manifest()?;
        let base = journal::newest(&store.connection)?;
        let manifest = manifest::render(&store.folder, &store.read_info()?)?;
        Ok(Self {
            store,
            info,
            tables: Tables::new(&store.connection, base.state.totals.entries == 0)?,
            born: Some(Tally::new(base.state.totals)),
            entries: base.state.totals.entries,
            base,
            manifest,
            writes_manifest: false,
            source: None,
            statements: 0,
            stated: Bits::default(),
            ambiguous: Bits::default(),
            summary: Summary::default(),
            failed: false,
        })
    }

    /// Says which feed or file the next statements come from. Keys are compared within one source; so a source needs the
    /// same name each time it is imported.
    pub fn set_source(&mut self, source: &str) -> Result<(), StoreError> {
        if !(1..=SOURCE_BYTES_MAX).contains(&source.len()) {
            return Err(StoreError::BadSource { bytes: source.len(), bytes_max: SOURCE_BYTES_MAX });
        }
        self.source = Some(source.to_owned());
        Ok(())
    }

    /// Takes a statement in.
    ///
    /// With a key, it speaks of the entry that its source named so before; else of the entry that its signals lead to;
    /// if there is none, of a new one. What it says of an entry is added to what is known, or replaces it; another
    /// digest for the same key replaces all signals of the entry, unless this very step gave it the former: then the
    /// key stands for several items, each of which its signals name. A withdrawal without a key withdraws each entry
    /// that has all of its signals.
    pub fn apply(&mut self, statement: &Statement) -> Result<Outcome, StoreError> {
        self.attempt(|step| {
            step.statements += 1;
            let stated = Stated::new(statement);
            let outcome = match stated.refusal() {
                Some(refusal) => Outcome::Refused(refusal),
                None if statement.change == Change::Put => step.put(stated)?,
                None => step.withdraw_stated(stated)?,
            };
            step.summary.count(step.statements, &outcome);
            if statement.change == Change::Put && !matches!(outcome, Outcome::Refused(_)) {
                step.summary.only_hints += u64::from(stated.is_only_hint());
                step.summary.count_unmatched(statement);
            }
            Ok(outcome)
        })
    }

    fn put(&mut self, stated: Stated) -> Result<Outcome, Fault> {
        let mut stated = stated;
        if let Some(key) = stated.key
            && let Some(entry) =
                target::by_key(&mut self.tables, &self.store.names, self.source.as_deref(), key)?
        {
            if !self.stands_for_several(&entry, &stated) {
                self.stated.insert(entry.number);
                return self.merge(&entry, &stated);
            }
            stated = stated.without_key();
        }
        match target::by_signals(&mut self.tables, &self.store.names, self.source.as_deref(), &stated)? {
            Target::Entry(entry) => {
                if stated.key.is_some() {
                    self.stated.insert(entry.number);
                }
                self.merge(&entry, &stated)
            }
            Target::New => {
                if stated.key.is_some() {
                    self.stated.insert(self.entries + 1);
                }
                self.add(&stated)
            }
            Target::Refused(refusal) => Ok(Outcome::Refused(refusal)),
        }
    }

    /// Whether the key of an entry turns out to name more than that entry: this step gave it other signals. From then on
    /// no statement with that key says which item it means, but by signals.
    fn stands_for_several(&mut self, entry: &Numbered, stated: &Stated) -> bool {
        let several = self.ambiguous.contains(entry.number)
            || (self.stated.contains(entry.number) && stated.contradicts(&entry.entry));
        if several {
            self.ambiguous.insert(entry.number);
        }
        several && stated.held_by(&entry.entry) < stated.signals()
    }

    fn add(&mut self, stated: &Stated) -> Result<Outcome, Fault> {
        let mut ordinal = 0;
        let mut id = self.store.names.id(stated, ordinal);
        while self.tables.id_taken(id)? {
            ordinal += 1;
            id = self.store.names.id(stated, ordinal);
        }
        self.entries += 1;
        let entry = born(stated, self.source.as_deref(), id, self.info.when);
        self.tables.insert(self.entries, &entry, &self.store.names)?;
        if let Some(born) = &mut self.born {
            born.take_born(self.entries, &entry);
        }
        Ok(Outcome::New)
    }

    fn merge(&mut self, entry: &Numbered, stated: &Stated) -> Result<Outcome, Fault> {
        let after = merged(&entry.entry, stated, self.source.as_deref());
        if after == entry.entry {
            return Ok(Outcome::Unchanged);
        }
        self.change(entry, &after)?;
        Ok(if entry.entry.is_in_force() { Outcome::Changed } else { Outcome::Revived })
    }

    pub(super) fn change(&mut self, before: &Numbered, after: &StoredEntry) -> Result<(), Fault> {
        if before.number <= self.base.state.totals.entries {
            self.tables.keep_past(before.number, &before.entry, self.state())?;
        } else {
            self.born = None;
        }
        self.tables.update(before.number, after, &self.store.names)
    }

    fn withdraw_stated(&mut self, stated: Stated) -> Result<Outcome, Fault> {
        let reason = stated.statement.note.as_deref().unwrap_or(WITHDRAWN_BY_SOURCE);
        if let Some(key) = stated.key {
            let names = &self.store.names;
            let Some(entry) = target::by_key(&mut self.tables, names, self.source.as_deref(), key)? else {
                return Ok(Outcome::Absent);
            };
            let withdrawn = self.withdraw_entry(&entry, reason)?;
            return Ok(if withdrawn { Outcome::Withdrawn } else { Outcome::Unchanged });
        }
        let names =
            self.store.names.of_signals(&stated.statement.digests, &stated.statement.unmatched_signals);
        let name = *names.first().expect("a withdrawal without a key has a signal");
        let mut outcome = Outcome::Absent;
        let mut last = 0;
        loop {
            let page = self.tables.holders(name, last)?;
            let Some(end) = page.last() else { return Ok(outcome) };
            last = end.number;
            for entry in page.iter().filter(|entry| stated.held_by(&entry.entry) == stated.signals()) {
                if self.withdraw_entry(entry, reason)? {
                    outcome = Outcome::Withdrawn;
                } else if outcome == Outcome::Absent {
                    outcome = Outcome::Unchanged;
                }
            }
        }
    }

    /// Withdraws an entry, and says whether that is a change.
    fn withdraw_entry(&mut self, entry: &Numbered, reason: &str) -> Result<bool, Fault> {
        if !entry.entry.is_in_force() {
            return Ok(false);
        }
        let mut after = entry.entry.clone();
        after.withdrawn = Some(Tombstone { reason: reason.to_owned(), since: self.info.when });
        self.change(entry, &after)?;
        Ok(true)
    }

    /// Says something else of the whole list; its id must stay. `list.toml` is written anew with the step: comments in
    /// it go.
    pub fn set_info(&mut self, info: &ListInfo) -> Result<(), StoreError> {
        self.attempt(|step| {
            step.store.check_id(info)?;
            step.manifest = manifest::render(&step.store.folder, info)?;
            step.writes_manifest = true;
            Ok(())
        })
    }

    /// The number of the state that the step makes.
    pub(super) fn state(&self) -> u64 {
        self.base.state.number + 1
    }

    /// Does a part of the step. If SQLite fails in it, it may have undone the whole step: then nothing may follow.
    pub(super) fn attempt<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        if self.failed || self.store.connection.is_autocommit() {
            return Err(StoreError::StepFailed);
        }
        part(self).map_err(|fault| {
            self.failed |= !matches!(fault, Fault::Told(_));
            self.store.error(fault)
        })
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.store.roll_back();
    }
}
