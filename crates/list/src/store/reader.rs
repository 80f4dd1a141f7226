use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::{Fault, StoreError};
use super::history::{Cursor, entries};
use super::schema::{Looks, Reading};
use super::{EntryChange, FieldChange, StoredEntry, change, journal, manifest, schema};

/// A connection that sees one moment of the list.
pub(super) struct Reader {
    pub(super) connection: Connection,
    unlocked: Option<Looks>,
    file: PathBuf,
}

impl Reader {
    pub(super) fn new(file: &Path) -> Result<Self, StoreError> {
        let open = || -> Result<Reading, Fault> {
            let reading = schema::open_reader(file)?;
            reading.connection.execute_batch("BEGIN")?;
            Ok(reading)
        };
        let Reading { connection, unlocked } =
            open().map_err(|fault| fault.at(file, schema::BUSY_WAIT_MS))?;
        Ok(Self { connection, unlocked, file: file.to_owned() })
    }

    /// Sees to it that what was read so far is of one moment.
    pub(super) fn is_steady(&self) -> Result<(), StoreError> {
        match &self.unlocked {
            Some(looks) if *looks != Looks::of(&self.file)? => {
                Err(StoreError::ChangedMeanwhile(self.file.clone()))
            }
            _ => Ok(()),
        }
    }

    fn error(&self, fault: Fault) -> StoreError {
        fault.at(&self.file, schema::BUSY_WAIT_MS)
    }
}

/// Which entries are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// Those that are not withdrawn: what an index is built of.
    InForce,
    /// All that the list ever had.
    All,
}

/// Goes through the entries of a list, a page at a time. It sees the list as it was when it began.
pub struct Entries {
    reader: Reader,
    which: Which,
    state: u64,
    /// How many entries there are.
    until: u64,
    /// The number of the entry that was read last.
    last: u64,
    page: VecDeque<StoredEntry>,
}

impl Entries {
    pub(super) fn new(reader: Reader, which: Which) -> Result<Self, StoreError> {
        let newest = journal::newest(&reader.connection).map_err(|fault| reader.error(fault))?.state;
        let (state, until) = (newest.number, newest.totals.entries);
        Ok(Self { reader, which, state, until, last: 0, page: VecDeque::new() })
    }

    /// The state of which these are the entries.
    pub fn state_number(&self) -> u64 {
        self.state
    }

    fn fill(&mut self) -> Result<(), Fault> {
        while self.page.is_empty() && self.last < self.until {
            let page = entries(&self.reader.connection, self.last, self.until)?;
            let Some(end) = page.last() else {
                return Err(Fault::Damaged(format!("it has {} entries: expected {}", self.last, self.until)));
            };
            self.reader.is_steady()?;
            self.last = end.number;
            let wanted = |entry: &StoredEntry| self.which == Which::All || entry.is_in_force();
            self.page.extend(page.into_iter().map(|numbered| numbered.entry).filter(wanted));
        }
        Ok(())
    }
}

impl Iterator for Entries {
    type Item = Result<StoredEntry, StoreError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if let Err(fault) = self.fill() {
            self.last = self.until;
            return Some(Err(self.reader.error(fault)));
        }
        self.page.pop_front().map(Ok)
    }
}

/// Goes through the entries that are not the same in two states: first those that both states have, then the others,
/// each in the order of their coming; a page at a time. It sees the list as it was when it began.
pub struct Diff {
    reader: Reader,
    cursor: Option<Cursor>,
    from: u64,
    to: u64,
    info: Vec<FieldChange>,
    page: VecDeque<EntryChange>,
}

impl Diff {
    /// `to` is the newest state if it is not given.
    pub(super) fn new(reader: Reader, folder: &Path, from: u64, to: Option<u64>) -> Result<Self, StoreError> {
        let connection = &reader.connection;
        let begin = || -> Result<_, Fault> {
            let first = journal::state(connection, from)?;
            let second = match to {
                Some(to) => journal::state(connection, to)?,
                None => journal::newest(connection)?,
            };
            let facts = |text: &str| manifest::facts(folder, text);
            let info = change::compare(&facts(&first.info)?, &facts(&second.info)?);
            let (first, second) = (first.state, second.state);
            let (low, high) = if from <= second.number { (&first, &second) } else { (&second, &first) };
            let end = |state: &journal::State| (state.number, state.totals.entries);
            Ok((Cursor::new(connection, end(low), end(high))?, second.number, info))
        };
        let (cursor, to, info) = begin().map_err(|fault| reader.error(fault))?;
        Ok(Self { reader, cursor: Some(cursor), from, to, info, page: VecDeque::new() })
    }

    /// The state that the changes begin with.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The state that the changes lead to.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// What is said otherwise of the whole list.
    pub fn info(&self) -> &[FieldChange] {
        &self.info
    }

    fn fill(&mut self) -> Result<(), Fault> {
        if let Some(cursor) = &mut self.cursor
            && self.page.is_empty()
        {
            let page = cursor.page(&self.reader.connection, false)?;
            self.reader.is_steady()?;
            if page.is_empty() {
                self.cursor = None;
            }
            self.page.extend(page.into_iter().map(|numbered| numbered.change));
        }
        Ok(())
    }
}

impl Iterator for Diff {
    type Item = Result<EntryChange, StoreError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if let Err(fault) = self.fill() {
            self.cursor = None;
            return Some(Err(self.reader.error(fault)));
        }
        let mut change = self.page.pop_front()?;
        if self.to < self.from {
            std::mem::swap(&mut change.before, &mut change.after);
        }
        Some(Ok(change))
    }
}
