//! A set of rows on disk, with its checksum's tree and its latest changes: in one SQLite file.
//!
//! Rows stand in *nodes* by bucket; two more kinds of nodes hold the hashes above them. All nodes of one building of the set
//! have one *base*: a new snapshot is written beside the old one under another base, and one small step makes it the present
//! one. A delta is one transaction, which touches the nodes concerned.

mod base;
mod node;
mod pairs;
mod past;
mod rows;
mod step;
mod tally;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hashward_core::ListId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::fault::Fault;
use crate::seal::{Place, Seal};
use crate::{Checksum, Header, ReleaseError, ReplicaKey};

pub(crate) use base::{Base, BaseWriter, Commits};
pub(crate) use pairs::{Pairs, PairsWriter};
pub(crate) use rows::Rows;
pub(crate) use step::{Change, Outcome};
pub(crate) use tally::Tally;

/// "HWRL", in the file's header: told from any other SQLite file.
const APPLICATION_ID: i64 = 0x4857_524c;
const SCHEMA_VERSION: i64 = 1;
/// How long SQLite waits for another writer, in milliseconds.
const BUSY_WAIT_MS: u64 = 5_000;
/// How much of the file a writer keeps in memory, in KiB.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// How much of the file a reader keeps in memory, in KiB.
const READER_CACHE_KIB: i64 = 4 * 1024;
/// How much of the write-ahead log stays on disk when it is no longer needed, in bytes.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// `shelf`: whose list it is, and the present base. `node`: see [`node`]. `release`: the releases that can be gone back to,
/// and what they say. `change`: what each but the first of them changed, in parts.
const SCHEMA: &str = "
    CREATE TABLE shelf (one INTEGER PRIMARY KEY CHECK (one = 1), list TEXT NOT NULL, base INTEGER NOT NULL) STRICT;
    CREATE TABLE node (place INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE release (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL, header BLOB NOT NULL) STRICT;
    CREATE TABLE change (release INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (release, part)) STRICT;
";

pub(crate) struct Shelf {
    path: PathBuf,
    connection: Connection,
    seal: Seal,
}

impl Shelf {
    /// Opens the file to change it, and makes it if there is none.
    pub(crate) fn create(path: &Path, list: &ListId, key: Option<&ReplicaKey>) -> Result<Self, ReleaseError> {
        let io = |source| ReleaseError::io(path, source);
        OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(io)?;
        let make = || -> Result<Self, Fault> {
            let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
            let shelf = Self { path: path.to_owned(), connection, seal: Seal::new(list, key) };
            shelf.within(|| {
                if pragma(&shelf.connection, "application_id")? == 0 {
                    shelf.connection.execute_batch(SCHEMA)?;
                    let sql = "INSERT INTO shelf (one, list, base) VALUES (1, ?1, 0)";
                    shelf.connection.execute(sql, [list.as_str()])?;
                    shelf.connection.pragma_update(None, "application_id", APPLICATION_ID)?;
                    shelf.connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
                }
                Ok(())
            })?;
            let found = recorded_list(&shelf.connection)?;
            if found != *list {
                return Err(ReleaseError::OtherList { found, expected: list.clone() }.into());
            }
            Ok(shelf)
        };
        make().map_err(|fault| fault.at(path))
    }

    /// Opens the file to read it.
    pub(crate) fn open_read_only(path: &Path, key: Option<&ReplicaKey>) -> Result<Self, ReleaseError> {
        let make = || -> Result<Self, Fault> {
            let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)?;
            let list = recorded_list(&connection)?;
            Ok(Self { path: path.to_owned(), connection, seal: Seal::new(&list, key) })
        };
        make().map_err(|fault| fault.at(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn list(&self) -> &ListId {
        self.seal.list()
    }

    pub(crate) fn error(&self, fault: Fault) -> ReleaseError {
        fault.at(&self.path)
    }

    /// Everything that is done is done, or nothing of it.
    pub(crate) fn within<T>(&self, act: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        self.begin()?;
        let done = act().and_then(|done| {
            self.commit()?;
            Ok(done)
        });
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    pub(crate) fn begin(&self) -> Result<(), Fault> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    pub(crate) fn commit(&self) -> Result<(), Fault> {
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If this fails, the end of the connection does it.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// From now on, this connection sees one moment.
    pub(crate) fn hold_still(&self) -> Result<(), Fault> {
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    /// The number and checksum of the newest release: what can be told without the key.
    pub(crate) fn newest_state(&self) -> Result<Option<(u64, String)>, Fault> {
        let sql = "SELECT number, checksum FROM release ORDER BY number DESC LIMIT 1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
        Ok(self.connection.query_row(sql, [], row).optional()?)
    }

    /// The newest release.
    pub(crate) fn newest(&self) -> Result<Option<Header>, Fault> {
        let Some((number, _)) = self.newest_state()? else { return Ok(None) };
        self.header(number)
    }

    /// A release that can be gone back to.
    pub(crate) fn header(&self, number: u64) -> Result<Option<Header>, Fault> {
        let sql = "SELECT header FROM release WHERE number = ?1";
        let kept = self.connection.query_row(sql, [number.cast_signed()], |row| row.get(0)).optional()?;
        let Some(kept) = kept else { return Ok(None) };
        let bytes = self.seal.open(Place::Header(number), kept)?;
        let json = serde_json::from_slice(&bytes).map_err(|_| Fault::Damaged("a header is no JSON"))?;
        Ok(Some(Header::parse(&json)?))
    }

    /// The numbers of the releases that can be gone back to, the oldest first.
    pub(crate) fn releases(&self) -> Result<Vec<u64>, Fault> {
        let mut statement = self.connection.prepare_cached("SELECT number FROM release ORDER BY number")?;
        let numbers = statement.query_map([], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Notes a release, in the transaction that makes it present.
    pub(crate) fn note(&self, header: &Header) -> Result<(), Fault> {
        let bytes = self.seal.close(Place::Header(header.release), header.to_json().to_string().as_bytes());
        let sql = "INSERT INTO release (number, checksum, header) VALUES (?1, ?2, ?3)";
        let number = header.release.cast_signed();
        self.connection.execute(sql, (number, header.checksum.to_string(), bytes))?;
        Ok(())
    }

    fn base(&self) -> Result<u32, Fault> {
        let base: i64 = self.connection.query_row("SELECT base FROM shelf", [], |row| row.get(0))?;
        u32::try_from(base).map_err(|_| Fault::Damaged("its base has no such number"))
    }
}

fn recorded_list(connection: &Connection) -> Result<ListId, Fault> {
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Fault::Damaged("it is a database of something else"));
    }
    if pragma(connection, "user_version")? != SCHEMA_VERSION {
        return Err(Fault::Damaged("it was written by another version of this program"));
    }
    let list: String = connection.query_row("SELECT list FROM shelf", [], |row| row.get(0))?;
    list.parse().map_err(|_| Fault::Damaged("it names no list"))
}

fn open(path: &Path, access: OpenFlags, cache_kib: i64) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_millis(BUSY_WAIT_MS))?;
    // The file may come from anybody: it must not run code of its own, and what is in it is not trusted.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    Ok(connection)
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// What a set's tree says of all of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sum {
    pub(crate) checksum: Checksum,
    pub(crate) rows: u64,
}
