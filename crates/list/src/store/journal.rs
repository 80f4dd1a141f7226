//! The journal: who made which state of a list, when and why, chained by hashes.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Serialize, Serializer};

use super::error::{Fault, StoreError};
use super::merge::to_microsecond;
use super::row::{integer, put_bytes};

/// The longest name of who takes a step, in bytes.
pub const WHO_BYTES_MAX: usize = 256;
/// The longest reason for a step, in bytes.
pub const WHY_BYTES_MAX: usize = 4096;

/// Parts what is hashed here from what anybody else hashes with BLAKE3.
const CONTEXT: &str = "hashward 2026 list journal v1";

/// Who takes a step, why, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StepInfo {
    /// Who: a person or a service. Not empty.
    pub who: String,
    /// Why: such as the name of what is imported. Not empty.
    pub why: String,
    /// When. Held to the microsecond.
    pub when: Timestamp,
}

impl StepInfo {
    pub(super) fn checked(self) -> Result<Self, StoreError> {
        for (field, text, bytes_max) in [("who", &self.who, WHO_BYTES_MAX), ("why", &self.why, WHY_BYTES_MAX)]
        {
            if !(1..=bytes_max).contains(&text.len()) {
                return Err(StoreError::BadStep { field, bytes: text.len(), bytes_max });
            }
        }
        Ok(Self { when: to_microsecond(self.when), ..self })
    }
}

/// The hash of a state, and by the chain of all states before it. Kept elsewhere, it shows later whether a list's history
/// was rewritten or cut.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct StateHash(pub [u8; 32]);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateHash({self})")
    }
}

impl Serialize for StateHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How many entries a step changed, each counted once, by what matters most.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// New ones.
    pub added: u64,
    /// Those that say something else than before.
    pub changed: u64,
    /// Those put in force again.
    pub revived: u64,
    /// Those withdrawn.
    pub withdrawn: u64,
    /// Those that are disputed from now on.
    pub disputed: u64,
    /// Those that are disputed no more.
    pub undisputed: u64,
}

/// How many entries a list has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// All that it ever had.
    pub entries: u64,
    /// Those of them that are withdrawn.
    pub withdrawn: u64,
    /// Those in force that are disputed.
    pub disputed: u64,
}

impl Totals {
    /// How many entries are in force.
    pub fn in_force(&self) -> u64 {
        self.entries.saturating_sub(self.withdrawn)
    }
}

/// One state of a list, as the journal has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct State {
    /// The state's number; that of the empty list is 0.
    pub number: u64,
    /// Who made it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    #[serde(serialize_with = "time")]
    pub when: Timestamp,
    /// What became of entries since the state before.
    pub counts: Counts,
    /// How many entries there are.
    pub totals: Totals,
    /// The state's hash.
    pub hash: StateHash,
}

fn time<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

/// A state and what else its row holds.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) state: State,
    /// What `list.toml` says in this state.
    pub(super) info: String,
    /// The hash of all changes to entries.
    pub(super) changes: [u8; 32],
    /// The hash of the state before; zeros in state 0.
    pub(super) previous: [u8; 32],
}

impl Record {
    /// What the hash must be.
    pub(super) fn chained(&self) -> StateHash {
        let State { number, who, why, when, counts, totals, hash: _ } = &self.state;
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, Some(&self.previous));
        put_bytes(&mut bytes, Some(who.as_bytes()));
        put_bytes(&mut bytes, Some(why.as_bytes()));
        put_bytes(&mut bytes, Some(self.info.as_bytes()));
        put_bytes(&mut bytes, Some(&self.changes));
        for number in [*number, when.as_microsecond().cast_unsigned()].iter().chain(&numbers(counts, totals))
        {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        StateHash(blake3::derive_key(CONTEXT, &bytes))
    }

    /// Adds the state to the journal.
    pub(super) fn insert(&self, connection: &Connection) -> Result<(), Fault> {
        let sql = format!("INSERT INTO state ({COLUMNS}) VALUES ({})", ["?"; COLUMN_COUNT].join(", "));
        let mut statement = connection.prepare(&sql)?;
        let State { number, who, why, when, counts, totals, hash } = &self.state;
        statement.raw_bind_parameter(1, integer(*number))?;
        statement.raw_bind_parameter(2, who)?;
        statement.raw_bind_parameter(3, why)?;
        statement.raw_bind_parameter(4, when.as_microsecond())?;
        statement.raw_bind_parameter(5, &self.info)?;
        for (i, number) in numbers(counts, totals).into_iter().enumerate() {
            statement.raw_bind_parameter(6 + i, integer(number))?;
        }
        for (i, hash) in [&self.changes, &self.previous, &hash.0].into_iter().enumerate() {
            statement.raw_bind_parameter(15 + i, hash.as_slice())?;
        }
        statement.raw_execute()?;
        Ok(())
    }
}

const COLUMNS: &str = "number, who, why, at, info, added, changed, revived, withdrawn, disputed, undisputed, entries, \
    total_withdrawn, total_disputed, changes, previous, hash";
const COLUMN_COUNT: usize = 17;

/// In the order of their columns.
fn numbers(counts: &Counts, totals: &Totals) -> [u64; 9] {
    let Counts { added, changed, revived, withdrawn, disputed, undisputed } = *counts;
    [
        added,
        changed,
        revived,
        withdrawn,
        disputed,
        undisputed,
        totals.entries,
        totals.withdrawn,
        totals.disputed,
    ]
}

/// The newest state.
pub(super) fn newest(connection: &Connection) -> Result<Record, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM state ORDER BY number DESC LIMIT 1");
    let record = connection.query_row(&sql, [], |row| Ok(read(row))).optional()?;
    record.unwrap_or_else(|| Err(Fault::Damaged("its journal is empty".to_owned())))
}

/// The state of a number.
pub(super) fn state(connection: &Connection, number: u64) -> Result<Record, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM state WHERE number = ?1");
    let record = connection.query_row(&sql, [integer(number)], |row| Ok(read(row))).optional()?;
    let Some(record) = record else {
        let newest = newest(connection)?.state.number;
        return Err(match number {
            _ if number > newest => StoreError::NoSuchState { state: number, newest }.into(),
            _ => Fault::Damaged(format!("its journal has no state {number}")),
        });
    };
    record
}

/// The states after `after`, or from the first, in their order, at most `max`.
pub(super) fn states(connection: &Connection, after: Option<u64>, max: usize) -> Result<Vec<Record>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM state WHERE number > ?1 ORDER BY number LIMIT ?2");
    let mut statement = connection.prepare(&sql)?;
    let after = after.map_or(-1, u64::cast_signed);
    let mut rows = statement.query((after, integer(max as u64)))?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(read(row)?);
    }
    Ok(states)
}

fn read(row: &Row) -> Result<Record, Fault> {
    let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let when = Timestamp::from_microsecond(row.get(3)?)
        .map_err(|error| Fault::Damaged(format!("a state of its journal: {error}")))?;
    let counts = Counts {
        added: number(5)?,
        changed: number(6)?,
        revived: number(7)?,
        withdrawn: number(8)?,
        disputed: number(9)?,
        undisputed: number(10)?,
    };
    let totals = Totals { entries: number(11)?, withdrawn: number(12)?, disputed: number(13)? };
    let hash = |at| {
        let bytes = row.get_ref(at)?.as_blob().ok().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| Fault::Damaged("a hash of its journal has not 32 bytes".to_owned()))
    };
    Ok(Record {
        state: State {
            number: number(0)?,
            who: row.get(1)?,
            why: row.get(2)?,
            when,
            counts,
            totals,
            hash: StateHash(hash(16)?),
        },
        info: row.get(4)?,
        changes: hash(14)?,
        previous: hash(15)?,
    })
}
