use std::path::Path;

use hashward_core::Digest;
use rusqlite::Connection;

use super::commit::Tally;
use super::error::{Fault, StoreError};
use super::history::{Cursor, NumberedChange, entries};
use super::journal::{self, Record};
use super::names::Names;
use super::reader::Reader;
use super::{State, Store, Totals, manifest};

/// How many states are read at a time.
const PAGE_STATES: usize = 256;

/// How many problems SQLite tells of its own file.
const SQLITE_PROBLEMS_MAX: usize = 20;

/// What a check of a list found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckReport {
    /// The newest state. To know that nobody cut or rewrote the whole journal, compare its number and hash with those
    /// that were kept elsewhere.
    pub newest: State,
    /// Whether `list.toml` was edited since. That is no problem: the next step records it.
    pub info_edited: bool,
    /// What is wrong, at most [`CheckReport::PROBLEMS_MAX`]: nothing, if the list is sound.
    pub problems: Vec<String>,
}

impl CheckReport {
    /// How many problems are told.
    pub const PROBLEMS_MAX: usize = 50;

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < Self::PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// Checks the list in `folder`, to the last byte: what SQLite knows of its file, the chain of the journal, that the
/// entries are what the journal says, and that each is found by each of its signals. Memory is bounded; the time is
/// that of an import.
///
/// A list that cannot be opened at all is an error; everything else that is wrong is told in the report.
pub fn check(folder: &Path) -> Result<CheckReport, StoreError> {
    Store::open_read_only(folder)?.check()
}

impl Store {
    /// See [`check`].
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        let reader = Reader::new(&self.file)?;
        let connection = &reader.connection;
        let newest = journal::newest(connection).map_err(|fault| self.error(fault))?;
        let written = manifest::render(&self.folder, &self.info()?)?;
        let mut report =
            CheckReport { info_edited: written != newest.info, newest: newest.state, problems: Vec::new() };
        let parts = [check_file, check_journal, check_entries];
        for part in parts {
            if let Err(fault) = part(connection, &self.names, &mut report) {
                report.problem(self.error(fault).to_string());
            }
        }
        reader.is_steady()?;
        Ok(report)
    }
}

fn check_file(connection: &Connection, _: &Names, report: &mut CheckReport) -> Result<(), Fault> {
    let sql = format!("PRAGMA integrity_check({SQLITE_PROBLEMS_MAX})");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let problem: String = row.get(0)?;
        if problem != "ok" {
            report.problem(format!("SQLite: {problem}"));
        }
    }
    Ok(())
}

/// Goes through all states: each must follow from the one before, and the entries must have changed as it says.
fn check_journal(connection: &Connection, _: &Names, report: &mut CheckReport) -> Result<(), Fault> {
    let mut before: Option<Record> = None;
    loop {
        let after = before.as_ref().map(|record| record.state.number);
        let page = journal::states(connection, after, PAGE_STATES)?;
        if page.is_empty() {
            return Ok(());
        }
        for record in page {
            let number = record.state.number;
            if number != before.as_ref().map_or(0, |before| before.state.number + 1) {
                report.problem(format!("state {number} of the journal does not follow the one before it"));
            }
            if record.previous != before.as_ref().map_or([0; 32], |before| before.state.hash.0) {
                report.problem(format!("state {number} of the journal is not chained to the one before it"));
            }
            if record.chained() != record.state.hash {
                report
                    .problem(format!("state {number} of the journal is not what it was when it was written"));
            }
            check_changes(connection, before.as_ref(), &record, report)?;
            before = Some(record);
        }
    }
}

fn check_changes(
    connection: &Connection,
    before: Option<&Record>,
    record: &Record,
    report: &mut CheckReport,
) -> Result<(), Fault> {
    let number = record.state.number;
    let totals = before.map_or(Totals::default(), |before| before.state.totals);
    let mut tally = Tally::new(totals);
    if let Some(before) = before {
        let first = (before.state.number, totals.entries);
        let mut cursor = Cursor::new(connection, first, (number, record.state.totals.entries))?;
        loop {
            let page = cursor.page(connection, true)?;
            if page.is_empty() {
                break;
            }
            for NumberedChange { number, change } in &page {
                tally.take(*number, change);
            }
        }
    }
    if tally.changes() != record.changes {
        report.problem(format!("the entries that state {number} changed are not what they were then"));
    }
    if (tally.counts, tally.totals) != (record.state.counts, record.state.totals) {
        report.problem(format!("the numbers of state {number} are not those of its entries"));
    }
    Ok(())
}

/// Goes through all entries: their numbers have no gap, no digest is that of empty content, and all names lead to them.
fn check_entries(connection: &Connection, names: &Names, report: &mut CheckReport) -> Result<(), Fault> {
    let mut leads = connection.prepare("SELECT 1 FROM name WHERE hash = ?1 AND entry = ?2")?;
    let mut last = 0;
    loop {
        let page = entries(connection, last, i64::MAX.cast_unsigned())?;
        if page.is_empty() {
            break;
        }
        for numbered in page {
            let (number, entry) = (numbered.number, numbered.entry);
            if number != last + 1 {
                report.problem(format!("entry {number} follows entry {last}"));
            }
            last = number;
            for digest in entry.digests.iter().filter(|d| *d == Digest::of_empty_content(d.algorithm())) {
                report.problem(format!(
                    "{} has the {} digest of empty content",
                    entry.id,
                    digest.algorithm()
                ));
            }
            for name in names.of_entry(&entry) {
                if !leads.exists([name.cast_signed(), number.cast_signed()])? {
                    report.problem(format!(
                        "{} is not found by one of its signals, its key or its id",
                        entry.id
                    ));
                }
            }
        }
    }
    let expected = report.newest.totals.entries;
    if last != expected {
        report.problem(format!("there are {last} entries: expected {expected}"));
    }
    Ok(())
}
