//! NSRL's Reference Data Set 3: a `SQLite` database with the table
//! `FILE(sha256, sha1, md5, file_name, file_size, package_id)`.
//!
//! The file comes from somebody else and may be made to do harm. It is opened read-only and as if nobody could change
//! it, so that no journal beside it is played back. `FILE` must be a table that holds what it says: views, computed
//! columns and indexes of expressions are programs.

use std::fmt::Write;
use std::path::Path;

use hashward_core::Algorithm;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB, OpenFlags, Row};

use crate::format::draft::Draft;
use crate::format::out::{Fault, Out, Step, Stop};
use crate::format::{At, Place};
use crate::{Problem, Statement};

/// The largest value that is read from the database, in bytes.
const VALUE_BYTES_MAX: i32 = 1024 * 1024;

/// The fewest bytes that a row takes in a file: three digests as text. A database that has more rows than that allows
/// goes round in circles.
const ROW_BYTES_MIN: u64 = 32;

pub(in crate::format) fn read_file(path: &Path, total_bytes: u64, out: &mut Out<'_>) -> Step {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    read(&Connection::open_with_flags(uri(path), flags)?, total_bytes, out)
}

pub(in crate::format) fn read_bytes(bytes: &[u8], out: &mut Out<'_>) -> Step {
    let mut database = Connection::open_in_memory()?;
    database.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true)?;
    read(&database, bytes.len() as u64, out)
}

/// The path as URI (RFC 3986), `immutable`: <https://sqlite.org/uri.html>.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
        if plain {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri + "?immutable=1"
}

fn read(database: &Connection, total_bytes: u64, out: &mut Out<'_>) -> Step {
    defend(database)?;
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'FILE' COLLATE NOCASE \
                    AND sql LIKE 'CREATE TABLE %'";
    let computed = "SELECT count(*) FROM pragma_table_xinfo('FILE') WHERE hidden <> 0";
    let count = |sql| database.query_one(sql, [], |row| row.get::<_, i64>(0));
    if count(is_table)? != 1 || count(computed)? != 0 {
        let right = "a table with columns that hold values, and compute none";
        return Err(Stop::Malformed(Place { at: At::Byte(0), field: Some("FILE") }, Problem::Syntax(right)));
    }
    let rows_max = total_bytes / ROW_BYTES_MIN;
    let last_row: Option<i64> =
        database.query_one("SELECT max(rowid) FROM FILE NOT INDEXED", [], |row| row.get(0))?;
    let last_row = last_row.and_then(|row| u64::try_from(row).ok()).unwrap_or_default();
    let mut select = database
        .prepare("SELECT rowid, sha256, sha1, md5, file_size FROM FILE NOT INDEXED ORDER BY rowid")?;
    let mut rows = select.query([])?;
    let mut count: u64 = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let id: i64 = row.get(0)?;
        let at = At::Row(id);
        if count > rows_max {
            return Err(Stop::Malformed(
                Place { at, field: None },
                Problem::Syntax("as many rows as the file can hold"),
            ));
        }
        // In a damaged file, rows need not come in order.
        let part = part(total_bytes, u64::try_from(id).unwrap_or_default(), last_row);
        out.progress.set(part.max(out.progress.get()));
        out.put(at, parse(row))?;
    }
    out.progress.set(total_bytes);
    Ok(())
}

/// <https://sqlite.org/security.html>, for databases from somebody else.
fn defend(database: &Connection) -> rusqlite::Result<()> {
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    database.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    database.execute_batch("PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA query_only = ON;")
}

/// How many of `total` bytes have been read, going by the row's number.
fn part(total_bytes: u64, row: u64, last_row: u64) -> u64 {
    let read = u128::from(total_bytes) * u128::from(row) / u128::from(last_row.max(1));
    u64::try_from(read).unwrap_or(total_bytes).min(total_bytes)
}

fn parse(row: &Row<'_>) -> Result<Statement, Fault> {
    let mut draft = Draft::default();
    let digests = [("sha256", Algorithm::Sha256), ("sha1", Algorithm::Sha1), ("md5", Algorithm::Md5)];
    for (place, (field, algorithm)) in (1..).zip(digests) {
        match row.get_ref(place) {
            Ok(ValueRef::Null) => {}
            Ok(ValueRef::Text(text)) => {
                let text = std::str::from_utf8(text).map_err(|_| Fault::of(field, Problem::NotUtf8))?;
                draft.digest(field, algorithm, text)?;
            }
            _ => return Err(Fault::of(field, Problem::NotA("text"))),
        }
    }
    let wrong = Fault::of("file_size", Problem::NotA("a whole number"));
    draft.statement.size_bytes = match row.get_ref(4) {
        Ok(ValueRef::Null) => None,
        Ok(ValueRef::Integer(size)) => Some(u64::try_from(size).map_err(|_| wrong)?),
        Ok(ValueRef::Text(text)) => {
            let text = std::str::from_utf8(text).map_err(|_| wrong)?;
            Some(text.trim().parse().map_err(|_| wrong)?)
        }
        _ => return Err(wrong),
    };
    draft.finish()
}
