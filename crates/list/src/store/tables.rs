//! The statements to SQLite that a step makes again and again.

use hashward_core::EntryId;
use rusqlite::{Connection, Statement};

use super::StoredEntry;
use super::error::Fault;
use super::names::Names;
use super::row::{self, COLUMN_COUNT, COLUMNS, Numbered};

/// How many entries are looked at for one name. A source could give one digest to millions of its items: those beyond
/// are not seen by a statement that looks for its entry by that digest.
pub(super) const CANDIDATES_MAX: usize = 64;

pub(super) struct Tables<'c> {
    holders: Statement<'c>,
    id_taken: Statement<'c>,
    insert_entry: Statement<'c>,
    insert_name: Statement<'c>,
    insert_past: Statement<'c>,
    update_entry: Statement<'c>,
}

impl<'c> Tables<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, Fault> {
        let marks = row::marks();
        Ok(Self {
            holders: connection.prepare(&holders_sql())?,
            id_taken: connection.prepare(
                "SELECT 1 FROM name JOIN entry ON entry.number = name.entry \
                 WHERE name.hash = ?1 AND entry.id = ?1 LIMIT 1",
            )?,
            insert_entry: connection
                .prepare(&format!("INSERT INTO entry ({COLUMNS}, number) VALUES ({marks}, ?)"))?,
            insert_name: connection.prepare("INSERT OR IGNORE INTO name (hash, entry) VALUES (?1, ?2)")?,
            insert_past: connection.prepare(&format!(
                "INSERT OR IGNORE INTO past ({COLUMNS}, entry, state) VALUES ({marks}, ?, ?)"
            ))?,
            update_entry: connection
                .prepare(&format!("UPDATE entry SET ({COLUMNS}) = ({marks}) WHERE number = ?"))?,
        })
    }

    /// The entries that `name` may lead to, the first [`CANDIDATES_MAX`] with a number above `after`.
    pub(super) fn holders(&mut self, name: u64, after: u64) -> Result<Vec<Numbered>, Fault> {
        holders(&mut self.holders, name, after, CANDIDATES_MAX)
    }

    pub(super) fn id_taken(&mut self, id: EntryId) -> Result<bool, Fault> {
        Ok(self.id_taken.exists([id.0.cast_signed()])?)
    }

    /// Puts in a new entry, with its names.
    pub(super) fn insert(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        row::bind(&mut self.insert_entry, 1, entry)?;
        self.insert_entry.raw_bind_parameter(COLUMN_COUNT + 1, row::integer(number))?;
        self.insert_entry.raw_execute()?;
        self.insert_names(number, entry, names)
    }

    /// Notes what an entry was before `state`; if that is noted already, it stays.
    pub(super) fn keep_past(&mut self, number: u64, before: &StoredEntry, state: u64) -> Result<(), Fault> {
        row::bind(&mut self.insert_past, 1, before)?;
        self.insert_past.raw_bind_parameter(COLUMN_COUNT + 1, row::integer(number))?;
        self.insert_past.raw_bind_parameter(COLUMN_COUNT + 2, row::integer(state))?;
        self.insert_past.raw_execute()?;
        Ok(())
    }

    /// Makes an entry what it is now, with its names. Names that lead to it no more stay, and lead to nothing.
    pub(super) fn update(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        row::bind(&mut self.update_entry, 1, entry)?;
        self.update_entry.raw_bind_parameter(COLUMN_COUNT + 1, row::integer(number))?;
        self.update_entry.raw_execute()?;
        self.insert_names(number, entry, names)
    }

    fn insert_names(&mut self, number: u64, entry: &StoredEntry, names: &Names) -> Result<(), Fault> {
        for name in names.of_entry(entry) {
            self.insert_name.execute([name.cast_signed(), number.cast_signed()])?;
        }
        Ok(())
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
    let mut rows = statement.query((name.cast_signed(), row::integer(after), row::integer(max as u64)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::read(row)?);
    }
    Ok(found)
}
