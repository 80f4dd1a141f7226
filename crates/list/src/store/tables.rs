//! The statements to SQLite that a step makes again and again.

use hashward_core::EntryId;
use rusqlite::{Connection, Statement};

use super::StoredEntry;
use super::error::Fault;
use super::lookup::Lookup;
use super::names::Names;
use super::row::{self, COLUMN_COUNT, COLUMNS, Numbered, integer};

/// How many entries are looked at for one name. A source could give one digest to millions of its items: those beyond
/// are not seen by a statement that looks for its entry by that digest.
pub(super) const CANDIDATES_MAX: usize = 64;

pub(super) struct Tables<'c> {
    lookup: Lookup<'c>,
    entry: Statement<'c>,
    insert_entry: Statement<'c>,
    insert_past: Statement<'c>,
    update_entry: Statement<'c>,
}

impl<'c> Tables<'c> {
    /// `empty` says that the list has no entry.
    pub(super) fn new(connection: &'c Connection, empty: bool) -> Result<Self, Fault> {
        let marks = row::marks();
        Ok(Self {
            lookup: Lookup::new(connection, empty)?,
            entry: connection.prepare(&format!("SELECT number, {COLUMNS} FROM entry WHERE number = ?1"))?,
            insert_entry: connection
                .prepare(&format!("INSERT INTO entry ({COLUMNS}, number) VALUES ({marks}, ?)"))?,
            insert_past: connection.prepare(&format!(
                "INSERT OR IGNORE INTO past ({COLUMNS}, entry, state) VALUES ({marks}, ?, ?)"
            ))?,
            update_entry: connection
                .prepare(&format!("UPDATE entry SET ({COLUMNS}) = ({marks}) WHERE number = ?"))?,
        })
    }

    /// The entries that `name` may lead to, the first [`CANDIDATES_MAX`] with a number above `after`.
    pub(super) fn holders(&mut self, name: u64, after: u64) -> Result<Vec<Numbered>, Fault> {
        let numbers = self.lookup.numbers(name, after, CANDIDATES_MAX)?;
        let mut holders = Vec::with_capacity(numbers.len());
        for number in numbers {
            let mut rows = self.entry.query([integer(number)])?;
            let missing = || Fault::Damaged(format!("entry {number} has a name and is not there"));
            holders.push(row::read(rows.next()?.ok_or_else(missing)?)?);
        }
        Ok(holders)
    }

    pub(super) fn id_taken(&mut self, id: EntryId) -> Result<bool, Fault> {
        let mut last = 0;
        loop {
            let page = self.holders(id.0, last)?;
            let Some(end) = page.last() else { return Ok(false) };
            last = end.number;
            if page.iter().any(|numbered| numbered.entry.id == id) {
                return Ok(true);
            }
        }
    }

    /// Puts in a new entry, with its names.
    pub(super) fn insert(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        row::bind(&mut self.insert_entry, 1, entry)?;
        self.insert_entry.raw_bind_parameter(COLUMN_COUNT + 1, integer(number))?;
        self.insert_entry.raw_execute()?;
        self.insert_names(number, entry, names)
    }

    /// Notes what an entry was before `state`; if that is noted already, it stays.
    pub(super) fn keep_past(&mut self, number: u64, before: &StoredEntry, state: u64) -> Result<(), Fault> {
        row::bind(&mut self.insert_past, 1, before)?;
        self.insert_past.raw_bind_parameter(COLUMN_COUNT + 1, integer(number))?;
        self.insert_past.raw_bind_parameter(COLUMN_COUNT + 2, integer(state))?;
        self.insert_past.raw_execute()?;
        Ok(())
    }

    /// Makes an entry what it is now, with its names. Names that lead to it no more stay, and lead to nothing.
    pub(super) fn update(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        row::bind(&mut self.update_entry, 1, entry)?;
        self.update_entry.raw_bind_parameter(COLUMN_COUNT + 1, integer(number))?;
        self.update_entry.raw_execute()?;
        self.insert_names(number, entry, names)
    }

    fn insert_names(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        names.of_entry(entry).into_iter().try_for_each(|name| self.lookup.insert(name, number))
    }

    /// Puts into the file what is not there yet.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        self.lookup.flush()
    }
}

/// Finds what a name may lead to: parameters are the name, a number, and how many with a higher number are wanted.
pub(super) fn holders_sql() -> String {
    format!(
        "SELECT entry.number, {COLUMNS} FROM name JOIN entry ON entry.number = name.entry \
         WHERE name.hash = ?1 AND name.entry > ?2 ORDER BY name.entry LIMIT ?3"
    )
}

/// Runs a statement that was prepared from [`holders_sql`].
pub(super) fn holders(
    statement: &mut Statement,
    name: u64,
    after: u64,
    max: usize,
) -> Result<Vec<Numbered>, Fault> {
    let mut rows = statement.query((name.cast_signed(), integer(after), integer(max as u64)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::read(row)?);
    }
    Ok(found)
}
