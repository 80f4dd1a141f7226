//! What the file of entries looks like, and how it is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Fault, StoreError};

/// The version of the schema below.
pub(super) const SCHEMA_VERSION: i64 = 1;

/// How long SQLite waits for another writer, in milliseconds.
pub(super) const BUSY_WAIT_MS: u64 = 5_000;

/// How much of the file a writer keeps in memory, in KiB. An import's look-ups are spread over the whole file.
const WRITER_CACHE_KIB: i64 = 96 * 1024;

/// How much of the file a reader keeps in memory, in KiB.
const READER_CACHE_KIB: i64 = 8 * 1024;

/// How much of the write-ahead log stays on disk when it is no longer needed, in bytes.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// "HWLS", in the file's header: told from any other SQLite file.
const APPLICATION_ID: i64 = 0x4857_4c53;

/// The columns of an entry, as `entry` holds them now, and `past` as they were before a state.
///
/// A digest stands in a column of its algorithm's word, as bytes; times are microseconds since 1970.
macro_rules! entry_columns {
    () => {
        "id INTEGER NOT NULL, source TEXT, key TEXT, \
         md5 BLOB, sha1 BLOB, sha256 BLOB, sha512 BLOB, blake3 BLOB, xxh3 BLOB, unmatched TEXT, \
         size_bytes INTEGER, category TEXT, reference TEXT, valid_from INTEGER, valid_until INTEGER, note TEXT, \
         disputed_reason TEXT, disputed_since INTEGER, withdrawn_reason TEXT, withdrawn_since INTEGER, \
         listed_since INTEGER NOT NULL"
    };
}

/// `entry`: each item ever listed, numbered from 1 without gaps in the order of their coming, so that a new one is
/// appended. `name`: where to look for an id, a key or a signal. `past`: what an entry was before the state that
/// changed it; a new entry needs none, as its number is beyond `state.entries` of the state before. `state`: the
/// journal. `manifest.pending` is 1 while `list.toml` is yet to be written as the newest state says.
///
/// The triggers hold the journal's promise against mistakes: what a state has recorded is neither changed nor removed,
/// and no entry changes without a record of what it was. Against intent there is the chain of hashes.
const SCHEMA: &str = concat!(
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, ",
    entry_columns!(),
    ") STRICT;
    CREATE TABLE name (hash INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (hash, entry)) STRICT, WITHOUT ROWID;
    CREATE TABLE past (entry INTEGER NOT NULL, state INTEGER NOT NULL, ",
    entry_columns!(),
    ", PRIMARY KEY (entry, state)) STRICT, WITHOUT ROWID;
    CREATE INDEX past_by_state ON past (state, entry);
    CREATE TABLE state (
        number INTEGER PRIMARY KEY, who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL, info TEXT NOT NULL,
        added INTEGER NOT NULL, changed INTEGER NOT NULL, revived INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
        disputed INTEGER NOT NULL, undisputed INTEGER NOT NULL,
        entries INTEGER NOT NULL, total_withdrawn INTEGER NOT NULL, total_disputed INTEGER NOT NULL,
        changes BLOB NOT NULL, previous BLOB NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE manifest (one INTEGER PRIMARY KEY CHECK (one = 1), pending INTEGER NOT NULL) STRICT;
    CREATE TRIGGER state_is_kept BEFORE DELETE ON state
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER state_is_final BEFORE UPDATE ON state
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER state_follows BEFORE INSERT ON state
        WHEN NEW.number <> (SELECT coalesce(max(number) + 1, 0) FROM state)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER past_is_kept BEFORE DELETE ON past WHEN OLD.state <= (SELECT max(number) FROM state)
        BEGIN SELECT RAISE(ABORT, 'the past is append-only'); END;
    CREATE TRIGGER past_is_final BEFORE UPDATE ON past
        BEGIN SELECT RAISE(ABORT, 'the past is append-only'); END;
    CREATE TRIGGER past_follows BEFORE INSERT ON past WHEN NEW.state <= (SELECT max(number) FROM state)
        BEGIN SELECT RAISE(ABORT, 'the past is append-only'); END;
    CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'entries are withdrawn, never removed'); END;
    CREATE TRIGGER entry_has_a_past BEFORE UPDATE ON entry
        WHEN OLD.number <= (SELECT entries FROM state ORDER BY number DESC LIMIT 1) AND NOT EXISTS (
            SELECT 1 FROM past WHERE entry = OLD.number AND state > (SELECT max(number) FROM state))
        BEGIN SELECT RAISE(ABORT, 'an entry changes in a step'); END;
    "
);

/// Opens the file to change it; `create` makes it if there is none.
pub(super) fn open_writer(path: &Path, create: bool) -> Result<Connection, Fault> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    open(path, flags, WRITER_CACHE_KIB)
}

/// Readers do not wait for a writer, and what is committed is on the disk. Only for a file that is known to be a list,
/// as it changes the file.
pub(super) fn set_durable(connection: &Connection) -> Result<(), Fault> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    Ok(())
}

/// A connection that reads.
pub(super) struct Reading {
    pub(super) connection: Connection,
    /// Set if the file could only be read as one that nobody changes: then this is what it looked like.
    pub(super) unlocked: Option<Looks>,
}

/// How long a file is, and when it was changed.
#[derive(Eq, PartialEq)]
pub(super) struct Looks(u64, SystemTime);

impl Looks {
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let looks = || fs::metadata(path).and_then(|metadata| Ok(Self(metadata.len(), metadata.modified()?)));
        looks().map_err(|source| StoreError::Io { path: path.to_owned(), source })
    }
}

/// Opens the file to read it.
///
/// Readers and writers find each other through a file beside it, which has to be made. Where that cannot be, as on a
/// read-only mount, and no log of a writer is there, the file is read without. Then its looks tell whether somebody
/// changed it meanwhile.
pub(super) fn open_reader(path: &Path) -> Result<Reading, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looks = Looks::of(path)?;
    let shared = open(path, flags, READER_CACHE_KIB).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Reading { connection, unlocked: None })
    });
    match shared {
        Err(Fault::Sqlite(error))
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && !has_log(path) =>
        {
            let name = uri(path).ok_or(error)?;
            let connection = open(&name, flags | OpenFlags::SQLITE_OPEN_URI, READER_CACHE_KIB)?;
            Ok(Reading { connection, unlocked: Some(looks) })
        }
        reading => reading,
    }
}

/// An empty log is what a reader leaves that did not get further.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::symlink_metadata(log).is_ok_and(|log| log.len() > 0)
}

/// The file as one that nobody changes. None if its path is no UTF-8.
fn uri(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(PathBuf::from(format!("file://{escaped}?immutable=1")))
}

fn open(path: &Path, flags: OpenFlags, cache_kib: i64) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(BUSY_WAIT_MS))?;
    // The file may come from anybody: it must not run code of its own, and what is in it is not trusted.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // A file in memory that somebody cuts short would end the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    Ok(connection)
}

/// Makes the tables. To be called in a transaction.
pub(super) fn create(connection: &Connection) -> Result<(), Fault> {
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(())
}

/// Whether the file is a database in which nothing was made yet.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, Fault> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0 && pragma(connection, "application_id")? == 0)
}

/// Sees to it that the file is a list of this version, with the tables and triggers of this version and nothing else.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let folder = path.parent().unwrap_or(path);
    let no_list = |problem| StoreError::NotAListFolder { path: folder.to_owned(), problem };
    match pragma(connection, "application_id") {
        Ok(APPLICATION_ID) => {}
        Ok(_) if is_blank(connection)? => {
            Err(no_list("its `list init` did not come to its end; expected that to be done again"))?;
        }
        Ok(_) => Err(no_list("entries.sqlite is a database of something else"))?,
        Err(fault) => return Err(fault),
    }
    let found = pragma(connection, "user_version")?;
    if found > SCHEMA_VERSION {
        Err(StoreError::NewerSchema { path: path.to_owned(), found })?;
    }
    let fresh = Connection::open_in_memory()?;
    create(&fresh)?;
    if objects(connection)? != objects(&fresh)? {
        return Err(Fault::Damaged(format!("its tables are not those of schema version {SCHEMA_VERSION}")));
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// How many objects of a schema are looked at: more than there are.
const OBJECTS_MAX: usize = 100;

fn objects(connection: &Connection) -> Result<Vec<(String, Option<String>)>, Fault> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.take(OBJECTS_MAX).collect::<Result<_, _>>()?)
}
