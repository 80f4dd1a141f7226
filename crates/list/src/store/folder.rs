use std::fs::{self, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hashward_core::{Digest, ListId, ListInfo};
use rusqlite::{Connection, ErrorCode};

use super::error::{Fault, StoreError};
use super::journal::{self, State, StepInfo};
use super::names::Names;
use super::reader::Reader;
use super::tables::{CANDIDATES_MAX, holders, holders_sql};
use super::{Diff, Entries, Selector, Step, StoredEntry, Which, commit, manifest, schema};

/// The name of the file of entries in a list folder.
pub(super) const FILE: &str = "entries.sqlite";

/// Whether `path` is a folder that holds a list, or what is left of one.
pub fn is_list_folder(path: &Path) -> bool {
    path.is_dir() && (path.join(FILE).exists() || path.join(manifest::FILE).exists())
}

/// A list as its maintainer works on it: a folder with `list.toml`, which people may edit, and the entries.
///
/// Every change is a [`Step`]: one atomic, lasting step from one state to the next, recorded in the journal. Only one
/// step can be open at a time, by whomever; readers see the state before it, and do not wait.
pub struct Store {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) connection: Connection,
    pub(super) names: Names,
    id: ListId,
    read_only: bool,
}

impl Store {
    /// Makes an empty list in `folder`, which may not be there yet, and opens it.
    pub fn init(folder: &Path, info: &ListInfo, by: StepInfo) -> Result<Self, StoreError> {
        let by = by.checked()?;
        let text = manifest::render(folder, info)?;
        let io = |source| StoreError::Io { path: folder.to_owned(), source };
        if folder.join(manifest::FILE).exists() {
            return Err(StoreError::AlreadyThere(folder.join(manifest::FILE)));
        }
        // What is in a list is nobody else's: SQLite gives its other files the rights of this one.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
        let file = folder.join(FILE);
        OpenOptions::new().append(true).create(true).mode(0o600).open(&file).map_err(io)?;
        let make = || -> Result<(), Fault> {
            let connection = schema::open_writer(&file, true)?;
            if !schema::is_blank(&connection)? {
                return Err(StoreError::AlreadyThere(file.clone()).into());
            }
            schema::set_durable(&connection)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            schema::create(&connection)?;
            commit::first(by, text).insert(&connection)?;
            connection.execute_batch("INSERT INTO manifest (one, pending) VALUES (1, 1); COMMIT")?;
            Ok(())
        };
        make().map_err(|fault| fault.at(&file, schema::BUSY_WAIT_MS))?;
        manifest::sync_folder(folder)?;
        Self::open(folder)
    }

    /// Opens the list in `folder` to change it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = Self::opened(folder, false)?;
        store.settle_manifest_alone()?;
        store.info()?;
        Ok(store)
    }

    /// Opens the list in `folder` to read it. On a read-only mount, what is opened shows the state of that moment; later
    /// ones show when it is opened again.
    pub fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        let store = Self::opened(folder, true)?;
        store.info()?;
        Ok(store)
    }

    fn opened(folder: &Path, read_only: bool) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let missing = |problem| StoreError::NotAListFolder { path: folder.to_owned(), problem };
        if !folder.is_dir() {
            return Err(missing("there is no such folder; expected one that `list init` made"));
        }
        if !file.is_file() {
            return Err(missing("it has no entries.sqlite; expected a folder that `list init` made"));
        }
        let open = || -> Result<(Connection, ListId), Fault> {
            let connection = if read_only {
                schema::open_reader(&file)?.connection
            } else {
                schema::open_writer(&file, false)?
            };
            schema::check(&connection, &file)?;
            if !read_only {
                schema::set_durable(&connection)?;
            }
            let recorded = journal::newest(&connection)?.info;
            let id = manifest::parse(folder, &recorded)
                .map_err(|_| Fault::Damaged("its journal holds no manifest".to_owned()))?
                .id;
            Ok((connection, id))
        };
        let (connection, id) = open().map_err(|fault| match fault {
            Fault::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                missing("entries.sqlite is no SQLite database, or its beginning is damaged")
            }
            fault => fault.at(&file, schema::BUSY_WAIT_MS),
        })?;
        Ok(Self { folder: folder.to_owned(), file, connection, names: Names::new(&id), id, read_only })
    }

    /// What is true of the whole list: what `list.toml` says now. What people changed in it is recorded with the next
    /// step.
    pub fn info(&self) -> Result<ListInfo, StoreError> {
        self.read_info().map_err(|fault| self.error(fault))
    }

    pub(super) fn read_info(&self) -> Result<ListInfo, Fault> {
        let info = if self.manifest_pending()? {
            manifest::parse(&self.folder, &journal::newest(&self.connection)?.info)?
        } else {
            manifest::read(&self.folder)?
        };
        self.check_id(&info)?;
        Ok(info)
    }

    pub(super) fn check_id(&self, info: &ListInfo) -> Result<(), StoreError> {
        if info.id == self.id {
            return Ok(());
        }
        let path = self.folder.join(manifest::FILE);
        Err(StoreError::OtherListId { path, found: info.id.clone(), expected: self.id.clone() })
    }

    fn manifest_pending(&self) -> Result<bool, Fault> {
        Ok(self.connection.query_row("SELECT pending FROM manifest", [], |row| row.get(0))?)
    }

    /// Writes `list.toml` as the newest state says, if that is still to be done. To be called with the right to write.
    pub(super) fn settle_manifest(&self) -> Result<(), Fault> {
        if self.manifest_pending()? {
            manifest::write(&self.folder, &journal::newest(&self.connection)?.info)?;
            self.connection.execute("UPDATE manifest SET pending = 0", [])?;
        }
        Ok(())
    }

    /// The same, in a transaction of its own.
    pub(super) fn settle_manifest_alone(&self) -> Result<(), StoreError> {
        let settle = || -> Result<(), Fault> {
            if !self.manifest_pending()? {
                return Ok(());
            }
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.settle_manifest()?;
            Ok(self.connection.execute_batch("COMMIT")?)
        };
        settle().map_err(|fault| {
            self.roll_back();
            self.error(fault)
        })
    }

    /// Begins a step; see [`Step`]. Waits a few seconds for another one to end, then says that somebody else is at it.
    pub fn begin(&mut self, info: StepInfo) -> Result<Step<'_>, StoreError> {
        if self.read_only {
            return Err(StoreError::ReadOnly(self.folder.clone()));
        }
        let store: &Self = self;
        Step::begin(store, info).map_err(|fault| store.error(fault))
    }

    /// The number of the newest state.
    pub fn state_number(&self) -> Result<u64, StoreError> {
        Ok(self.newest_state()?.number)
    }

    /// The newest state.
    pub fn newest_state(&self) -> Result<State, StoreError> {
        let newest = journal::newest(&self.connection).map_err(|fault| self.error(fault))?;
        Ok(newest.state)
    }

    /// The states after `after`, or from the first, in their order, at most `max`.
    pub fn states(&self, after: Option<u64>, max: usize) -> Result<Vec<State>, StoreError> {
        let records = journal::states(&self.connection, after, max).map_err(|fault| self.error(fault))?;
        Ok(records.into_iter().map(|record| record.state).collect())
    }

    /// What was true of the whole list in a state.
    pub fn info_at(&self, state: u64) -> Result<ListInfo, StoreError> {
        let record = journal::state(&self.connection, state).map_err(|fault| self.error(fault))?;
        manifest::parse(&self.folder, &record.info)
    }

    /// The selected entries, withdrawn ones too, in the order of their coming; at most [`SELECTED_MAX`].
    ///
    /// [`SELECTED_MAX`]: super::SELECTED_MAX
    pub fn show(&self, selector: &Selector) -> Result<Vec<StoredEntry>, StoreError> {
        let select = || -> Result<Vec<StoredEntry>, Fault> {
            let mut statement = self.connection.prepare(&holders_sql())?;
            let selected = selector
                .select(&self.names, |name, after| holders(&mut statement, name, after, CANDIDATES_MAX))?;
            if selected.is_empty() {
                return Err(StoreError::NotFound { selector: selector.what() }.into());
            }
            Ok(selected.into_iter().map(|numbered| numbered.entry).collect())
        };
        select().map_err(|fault| self.error(fault))
    }

    /// The entries that hold a digest, withdrawn ones too; none if there are none.
    pub fn find(&self, digest: &Digest) -> Result<Vec<StoredEntry>, StoreError> {
        match self.show(&Selector::Digest(*digest)) {
            Err(StoreError::NotFound { .. }) => Ok(Vec::new()),
            found => found,
        }
    }

    /// The entries, in the order of their coming, as they are at this moment: later steps do not show.
    pub fn entries(&self, which: Which) -> Result<Entries, StoreError> {
        Entries::new(Reader::new(&self.file)?, which)
    }

    /// What is not the same in state `from` and in state `to`, of which either may be the earlier.
    pub fn diff(&self, from: u64, to: u64) -> Result<Diff, StoreError> {
        Diff::new(Reader::new(&self.file)?, &self.folder, from, Some(to))
    }

    /// What changed since a state, up to the newest: for an index that was built in that state.
    pub fn changes_since(&self, state: u64) -> Result<Diff, StoreError> {
        Diff::new(Reader::new(&self.file)?, &self.folder, state, None)
    }

    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If this fails, the end of the connection does it.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    pub(super) fn error(&self, fault: Fault) -> StoreError {
        fault.at(&self.file, schema::BUSY_WAIT_MS)
    }
}
