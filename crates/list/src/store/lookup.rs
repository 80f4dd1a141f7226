//! From names to the numbers of entries, within a step.

use std::collections::BTreeSet;

use rusqlite::{Connection, Statement};

use super::bits::Bits;
use super::error::Fault;
use super::row::integer;

/// How many new names are held in memory before they go to the file, in one sorted run: a run touches each page of the
/// file once, where single names would touch one each. About 20 MB.
const PENDING_MAX: usize = 512 * 1024;

/// How many bits the filter has: 32 MB.
const FILTER_BITS: u64 = 1 << 28;

/// Leads from names to the numbers of entries: those in the file, and those of this step that are not there yet.
pub(super) struct Lookup<'c> {
    numbers: Statement<'c>,
    insert: Statement<'c>,
    pending: BTreeSet<(u64, u64)>,
    /// Which names may be in the file, by a part of their bits. Only for a list that began empty, as it would have to be
    /// filled from the file otherwise: the first import, which is the largest, looks for millions of names in vain.
    filter: Option<Bits>,
}

impl<'c> Lookup<'c> {
    /// `empty` says that there is no name in the file.
    pub(super) fn new(connection: &'c Connection, empty: bool) -> Result<Self, Fault> {
        let numbers = "SELECT entry FROM name WHERE hash = ?1 AND entry > ?2 ORDER BY entry LIMIT ?3";
        Ok(Self {
            numbers: connection.prepare(numbers)?,
            insert: connection.prepare("INSERT OR IGNORE INTO name (hash, entry) VALUES (?1, ?2)")?,
            pending: BTreeSet::new(),
            filter: empty.then(Bits::default),
        })
    }

    /// The numbers above `after` that `name` leads to, the lowest `max` of them, in order.
    pub(super) fn numbers(&mut self, name: u64, after: u64, max: usize) -> Result<Vec<u64>, Fault> {
        let range = (name, after.saturating_add(1))..=(name, u64::MAX);
        let mut numbers: Vec<u64> = self.pending.range(range).map(|(_, number)| *number).take(max).collect();
        if self.filter.as_ref().is_some_and(|filter| !filter.contains(filter_bit(name))) {
            return Ok(numbers);
        }
        let mut rows = self.numbers.query((name.cast_signed(), integer(after), integer(max as u64)))?;
        while let Some(row) = rows.next()? {
            numbers.push(row.get::<_, i64>(0)?.cast_unsigned());
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.truncate(max);
        Ok(numbers)
    }

    /// Makes a name lead to an entry.
    pub(super) fn insert(&mut self, name: u64, number: u64) -> Result<(), Fault> {
        self.pending.insert((name, number));
        if self.pending.len() >= PENDING_MAX { self.flush() } else { Ok(()) }
    }

    /// Puts all names into the file.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        // In the order of the file, which is that of signed numbers.
        let pending = std::mem::take(&mut self.pending);
        let (low, high) = ((0, 0)..(1 << 63, 0), (1 << 63, 0)..=(u64::MAX, u64::MAX));
        for (name, number) in pending.range(high).chain(pending.range(low)) {
            self.insert.execute([name.cast_signed(), number.cast_signed()])?;
            if let Some(filter) = &mut self.filter {
                filter.insert(filter_bit(*name));
            }
        }
        Ok(())
    }
}

fn filter_bit(name: u64) -> u64 {
    name % FILTER_BITS
}
