//! What changed between two states, entry by entry, a page at a time.

use rusqlite::{Connection, OptionalExtension, Statement};

use super::error::Fault;
use super::row::{self, COLUMNS, Numbered, integer};
use super::{EntryChange, StoredEntry};

/// How many entries are read at a time.
pub(super) const PAGE_ENTRIES: u64 = 512;

/// After how many bytes of texts a page ends before that.
pub(super) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A change and the entry's number.
pub(super) struct NumberedChange {
    pub(super) number: u64,
    pub(super) change: EntryChange,
}

/// Goes through the entries that changed from one state to a later one, in the order of their numbers.
///
/// An entry in a past state is what `past` holds of the first later state that changed it, or else what it is now.
pub(super) struct Cursor {
    from: u64,
    to: u64,
    /// How many entries there were in the first of the two states.
    entries_from: u64,
    /// And in the second.
    entries_to: u64,
    /// The number of the entry looked at last.
    last: u64,
}

impl Cursor {
    /// From state `from`, which had `entries_from` entries, to the state `to`, which has `entries_to`. The connection
    /// must stay in one transaction, and makes a table of its own; it can serve one cursor at a time.
    pub(super) fn new(
        connection: &Connection,
        (from, entries_from): (u64, u64),
        (to, entries_to): (u64, u64),
    ) -> Result<Self, Fault> {
        connection.execute_batch(
            "DROP TABLE IF EXISTS temp.touched; CREATE TEMP TABLE touched (entry INTEGER PRIMARY KEY);",
        )?;
        connection.execute(
            "INSERT OR IGNORE INTO temp.touched SELECT entry FROM past WHERE state > ?1 AND state <= ?2 AND entry <= ?3",
            [integer(from), integer(to), integer(entries_from)],
        )?;
        Ok(Self { from, to, entries_from, entries_to, last: 0 })
    }

    /// The next changes; none when there are no more. An entry that was changed and is again what it was is given too,
    /// if `unchanged` is set.
    pub(super) fn page(
        &mut self,
        connection: &Connection,
        unchanged: bool,
    ) -> Result<Vec<NumberedChange>, Fault> {
        let mut page = Vec::new();
        while page.is_empty() {
            let before = self.last;
            if self.last < self.entries_from {
                self.touched(connection, unchanged, &mut page)?;
            } else if self.last < self.entries_to {
                self.added(connection, &mut page)?;
            }
            if self.last == before {
                break;
            }
        }
        Ok(page)
    }

    /// Takes a page of the entries that were there before.
    fn touched(
        &mut self,
        connection: &Connection,
        unchanged: bool,
        page: &mut Vec<NumberedChange>,
    ) -> Result<(), Fault> {
        let mut touched =
            connection.prepare("SELECT entry FROM temp.touched WHERE entry > ?1 ORDER BY entry LIMIT ?2")?;
        let mut as_of = AsOf::new(connection)?;
        let mut rows = touched.query([integer(self.last), integer(PAGE_ENTRIES)])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            let before = as_of.entry(number, self.from)?;
            let after = as_of.entry(number, self.to)?;
            bytes += weight(&before) + weight(&after);
            self.last = number;
            if unchanged || before != after {
                let change = EntryChange { id: before.id, before: Some(before), after: Some(after) };
                page.push(NumberedChange { number, change });
            }
            if bytes > PAGE_BYTES {
                return Ok(());
            }
        }
        drop(rows);
        if !touched.exists([integer(self.last), integer(1)])? {
            self.last = self.entries_from;
        }
        Ok(())
    }

    /// Takes a page of the entries that were not.
    fn added(&mut self, connection: &Connection, page: &mut Vec<NumberedChange>) -> Result<(), Fault> {
        let mut as_of = AsOf::new(connection)?;
        let entries = entries(connection, self.last, self.entries_to)?;
        for Numbered { number, entry } in entries {
            let after = as_of.past(number, self.to)?.unwrap_or(entry);
            self.last = number;
            page.push(NumberedChange {
                number,
                change: EntryChange { id: after.id, before: None, after: Some(after) },
            });
        }
        Ok(())
    }
}

/// A page of the entries as they are now, with numbers above `after` and at most `until`.
pub(super) fn entries(connection: &Connection, after: u64, until: u64) -> Result<Vec<Numbered>, Fault> {
    let sql = format!(
        "SELECT number, {COLUMNS} FROM entry WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([integer(after), integer(until), integer(PAGE_ENTRIES)])?;
    let mut entries = Vec::new();
    let mut bytes = 0;
    while bytes <= PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let entry = row::read(row)?;
        bytes += weight(&entry.entry);
        entries.push(entry);
    }
    Ok(entries)
}

/// Roughly how many bytes an entry's texts have.
fn weight(entry: &StoredEntry) -> usize {
    let unmatched: usize = entry.unmatched_signals.values().map(String::len).sum();
    unmatched + entry.note.as_ref().map_or(0, String::len) + entry.key.as_ref().map_or(0, String::len)
}

/// Entries as they were.
struct AsOf<'c> {
    past: Statement<'c>,
    now: Statement<'c>,
    /// The newest state with a past: nothing needs to be looked for after it.
    newest: u64,
}

impl<'c> AsOf<'c> {
    fn new(connection: &'c Connection) -> Result<Self, Fault> {
        let newest: Option<i64> =
            connection.query_row("SELECT max(state) FROM past", [], |row| row.get(0))?;
        let past = format!(
            "SELECT entry, {COLUMNS} FROM past WHERE entry = ?1 AND state > ?2 ORDER BY state LIMIT 1"
        );
        Ok(Self {
            past: connection.prepare(&past)?,
            now: connection.prepare(&format!("SELECT number, {COLUMNS} FROM entry WHERE number = ?1"))?,
            newest: newest.map_or(0, i64::cast_unsigned),
        })
    }

    /// What an entry was in a state, if a later state changed it.
    fn past(&mut self, number: u64, state: u64) -> Result<Option<StoredEntry>, Fault> {
        if state >= self.newest {
            return Ok(None);
        }
        let row =
            self.past.query_row([integer(number), integer(state)], |row| Ok(row::read(row))).optional()?;
        Ok(row.transpose()?.map(|numbered| numbered.entry))
    }

    /// What an entry was in a state, which must have it.
    fn entry(&mut self, number: u64, state: u64) -> Result<StoredEntry, Fault> {
        if let Some(entry) = self.past(number, state)? {
            return Ok(entry);
        }
        let row = self.now.query_row([integer(number)], |row| Ok(row::read(row))).optional()?;
        let missing = || Fault::Damaged(format!("entry {number} has a past and is not there"));
        Ok(row.transpose()?.ok_or_else(missing)?.entry)
    }
}
