//! Entries as rows, and as bytes to be hashed.

use hashward_core::{Algorithm, Digests, EntryId};
use jiff::Timestamp;
use rusqlite::types::{FromSql, Value};
use rusqlite::{Row, Statement, ToSql};

use super::error::Fault;
use super::{Dispute, StoredEntry, Tombstone};

/// An entry and its number.
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) entry: StoredEntry,
}

/// The columns of an entry, in the order in which they are read and written here.
pub(super) const COLUMNS: &str = "id, source, key, md5, sha1, sha256, sha512, blake3, xxh3, unmatched, size_bytes, \
    category, reference, valid_from, valid_until, note, disputed_reason, disputed_since, withdrawn_reason, \
    withdrawn_since, listed_since";

/// How many there are.
pub(super) const COLUMN_COUNT: usize = 21;

/// As many question marks.
pub(super) fn marks() -> String {
    vec!["?"; COLUMN_COUNT].join(", ")
}

/// Binds an entry's columns to the parameters from `first` on, counted from 1.
pub(super) fn bind(statement: &mut Statement, first: usize, entry: &StoredEntry) -> rusqlite::Result<()> {
    let mut at = first;
    let mut put = |value: &dyn ToSql| {
        at += 1;
        statement.raw_bind_parameter(at - 1, value)
    };
    put(&entry.id.0.cast_signed())?;
    put(&entry.source)?;
    put(&entry.key)?;
    for algorithm in Algorithm::ALL {
        put(&entry.digests.get(*algorithm).as_ref().map(hashward_core::Digest::as_bytes))?;
    }
    put(&unmatched_text(entry))?;
    put(&entry.size_bytes.map(u64::cast_signed))?;
    put(&entry.category.as_ref().map(hashward_core::Category::word))?;
    put(&entry.reference)?;
    put(&entry.valid_from.map(Timestamp::as_microsecond))?;
    put(&entry.valid_until.map(Timestamp::as_microsecond))?;
    put(&entry.note)?;
    put(&entry.disputed.as_ref().map(|dispute| &dispute.reason))?;
    put(&entry.disputed.as_ref().map(|dispute| dispute.since.as_microsecond()))?;
    put(&entry.withdrawn.as_ref().map(|tombstone| &tombstone.reason))?;
    put(&entry.withdrawn.as_ref().map(|tombstone| tombstone.since.as_microsecond()))?;
    put(&entry.listed_since.as_microsecond())
}

fn unmatched_text(entry: &StoredEntry) -> Option<String> {
    let some = !entry.unmatched_signals.is_empty();
    some.then(|| serde_json::to_string(&entry.unmatched_signals).expect("texts are JSON"))
}

/// Reads a row of a number and the columns of an entry.
pub(super) fn read(row: &Row) -> Result<Numbered, Fault> {
    let number = row.get::<_, i64>(0)?.cast_unsigned();
    let entry = read_columns(row).map_err(|problem| Fault::Damaged(format!("entry {number}: {problem}")))?;
    Ok(Numbered { number, entry })
}

fn read_columns(row: &Row) -> Result<StoredEntry, String> {
    let mut columns = Columns { row, at: 0 };
    let id = EntryId(columns.required::<i64>("id")?.cast_unsigned());
    let source = columns.next()?;
    let key = columns.next()?;
    let digests = columns.digests()?;
    let unmatched_signals = match columns.next::<String>()? {
        // The parser's own words could show a part of the signals.
        Some(text) => serde_json::from_str(&text).map_err(|_| "its unmatched signals are no JSON")?,
        None => std::collections::BTreeMap::new(),
    };
    let size_bytes = columns.next::<i64>()?.map(i64::cast_unsigned);
    let category =
        columns.next::<String>()?.map(|word| word.parse()).transpose().map_err(|error| format!("{error}"))?;
    let reference = columns.next()?;
    let valid_from = columns.time()?;
    let valid_until = columns.time()?;
    let note = columns.next()?;
    let disputed = columns.mark()?.map(|(reason, since)| Dispute { reason, since });
    let withdrawn = columns.mark()?.map(|(reason, since)| Tombstone { reason, since });
    let listed_since = columns.time()?.ok_or("it has no date")?;
    Ok(StoredEntry {
        id,
        source,
        key,
        digests,
        unmatched_signals,
        size_bytes,
        category,
        reference,
        valid_from,
        valid_until,
        note,
        disputed,
        withdrawn,
        listed_since,
    })
}

/// Goes from column to column. No error shows what a column holds.
struct Columns<'r> {
    row: &'r Row<'r>,
    /// The column that was read last; the first holds the number.
    at: usize,
}

impl Columns<'_> {
    fn next<T: FromSql>(&mut self) -> Result<Option<T>, String> {
        self.at += 1;
        self.row.get(self.at).map_err(|_| format!("column {} holds no value of its type", self.at))
    }

    fn required<T: FromSql>(&mut self, name: &str) -> Result<T, String> {
        self.next()?.ok_or_else(|| format!("it has no {name}"))
    }

    fn digests(&mut self) -> Result<Digests, String> {
        let mut digests = Digests::default();
        for algorithm in Algorithm::ALL {
            self.at += 1;
            let value = self.row.get_ref(self.at).map_err(|error| error.to_string())?;
            let bytes = value.as_blob_or_null().map_err(|_| format!("its {algorithm} digest is no blob"))?;
            match bytes {
                Some(bytes) if bytes.len() == algorithm.digest_bytes() => digests.set(*algorithm, bytes),
                Some(bytes) => Err(format!(
                    "its {algorithm} digest has {} bytes: expected {}",
                    bytes.len(),
                    algorithm.digest_bytes()
                ))?,
                None => {}
            }
        }
        Ok(digests)
    }

    fn time(&mut self) -> Result<Option<Timestamp>, String> {
        let micros = self.next()?;
        micros.map(Timestamp::from_microsecond).transpose().map_err(|error| error.to_string())
    }

    /// A reason and a time that stand together.
    fn mark(&mut self) -> Result<Option<(String, Timestamp)>, String> {
        match (self.next()?, self.time()?) {
            (Some(reason), Some(since)) => Ok(Some((reason, since))),
            (None, None) => Ok(None),
            _ => Err("a reason without a date, or a date without a reason".to_owned()),
        }
    }
}

/// Appends what is hashed of an entry: each column in its order, with its kind and its length before it.
pub(super) fn encode(bytes: &mut Vec<u8>, entry: Option<&StoredEntry>) {
    let Some(entry) = entry else { return bytes.push(0) };
    bytes.push(1);
    put_bytes(bytes, Some(&entry.id.0.to_le_bytes()));
    put_bytes(bytes, entry.source.as_deref().map(str::as_bytes));
    put_bytes(bytes, entry.key.as_deref().map(str::as_bytes));
    for algorithm in Algorithm::ALL {
        put_bytes(bytes, entry.digests.get(*algorithm).as_ref().map(hashward_core::Digest::as_bytes));
    }
    put_bytes(bytes, unmatched_text(entry).as_deref().map(str::as_bytes));
    put_bytes(bytes, entry.size_bytes.map(u64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    put_bytes(bytes, entry.category.as_ref().map(|category| category.word().as_bytes()));
    put_bytes(bytes, entry.reference.as_deref().map(str::as_bytes));
    put_time(bytes, entry.valid_from);
    put_time(bytes, entry.valid_until);
    put_bytes(bytes, entry.note.as_deref().map(str::as_bytes));
    put_bytes(bytes, entry.disputed.as_ref().map(|dispute| dispute.reason.as_bytes()));
    put_time(bytes, entry.disputed.as_ref().map(|dispute| dispute.since));
    put_bytes(bytes, entry.withdrawn.as_ref().map(|tombstone| tombstone.reason.as_bytes()));
    put_time(bytes, entry.withdrawn.as_ref().map(|tombstone| tombstone.since));
    put_time(bytes, Some(entry.listed_since));
}

fn put_time(bytes: &mut Vec<u8>, moment: Option<Timestamp>) {
    put_bytes(
        bytes,
        moment.map(|moment| moment.as_microsecond().to_le_bytes()).as_ref().map(<[u8; 8]>::as_slice),
    );
}

/// Appends a field: whether it is there, its length, its bytes.
pub(super) fn put_bytes(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    let Some(field) = field else { return bytes.push(0) };
    bytes.push(1);
    bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
    bytes.extend_from_slice(field);
}

/// A number for SQLite. Entry and state numbers stay far below what it holds.
pub(super) fn integer(number: u64) -> Value {
    Value::Integer(number.cast_signed())
}
