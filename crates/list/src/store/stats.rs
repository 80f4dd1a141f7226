use std::collections::BTreeMap;

use hashward_core::{Algorithm, Category};
use rusqlite::Connection;
use serde::Serialize;

use super::Store;
use super::error::{Fault, StoreError};
use super::journal::{self, State};
use super::reader::Reader;

/// How many categories, and how many kinds of signals, are counted one by one.
pub const STATS_KINDS_MAX: usize = 256;

/// A list in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// The newest state: the last change, and how many entries there are.
    pub newest: State,
    /// How many entries are in force.
    pub in_force: u64,
    /// How many entries in force there are of each category, by its word. Those without one of their own count for the
    /// list's.
    pub categories: BTreeMap<String, u64>,
    /// How many entries in force have a digest of each algorithm, by its word.
    pub algorithms: BTreeMap<&'static str, u64>,
    /// How many entries in force have a signal of each kind that Hashward does not match.
    pub unmatched_signals: BTreeMap<String, u64>,
}

impl Store {
    /// Counts what is in force. It reads every entry: some seconds for each ten million. How the list grew is in
    /// [`Store::states`].
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let own = self.info()?.category;
        let reader = Reader::new(&self.file)?;
        let stats = count(&reader.connection, &own).map_err(|fault| self.error(fault))?;
        reader.is_steady()?;
        Ok(stats)
    }
}

fn count(connection: &Connection, own: &Category) -> Result<Stats, Fault> {
    let newest = journal::newest(connection)?.state;
    let sums: Vec<String> = Algorithm::ALL.iter().map(|algorithm| format!("count({algorithm})")).collect();
    let sql = format!("SELECT {} FROM entry WHERE withdrawn_since IS NULL", sums.join(", "));
    let algorithms = connection.query_row(&sql, [], |row| {
        let count = |(at, algorithm): (usize, &Algorithm)| Ok((algorithm.word(), number(row, at)?));
        Algorithm::ALL.iter().enumerate().map(count).collect()
    })?;
    let mut categories = groups(
        connection,
        "SELECT category, count(*) FROM entry WHERE withdrawn_since IS NULL GROUP BY category \
         ORDER BY count(*) DESC LIMIT ?1",
    )?;
    if let Some(entries) = categories.remove(&None) {
        *categories.entry(Some(own.word().to_owned())).or_default() += entries;
    }
    let unmatched = groups(
        connection,
        "SELECT signal.key, count(*) FROM entry, json_each(entry.unmatched) AS signal \
         WHERE withdrawn_since IS NULL GROUP BY signal.key ORDER BY count(*) DESC LIMIT ?1",
    )?;
    let named = |groups: BTreeMap<Option<String>, u64>| {
        groups.into_iter().filter_map(|(word, entries)| Some((word?, entries))).collect()
    };
    Ok(Stats {
        in_force: newest.totals.in_force(),
        newest,
        categories: named(categories),
        algorithms,
        unmatched_signals: named(unmatched),
    })
}

fn groups(connection: &Connection, sql: &str) -> Result<BTreeMap<Option<String>, u64>, Fault> {
    let mut statement = connection.prepare(sql)?;
    let rows =
        statement.query_map([STATS_KINDS_MAX.cast_signed()], |row| Ok((row.get(0)?, number(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn number(row: &rusqlite::Row, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(i64::cast_unsigned)
}
