//! Moving a judged file where it belongs, without ever overwriting one that is there.

use std::ffi::{OsStr, OsString};
use std::fs::{create_dir, symlink_metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hashward_core::{Action, Decision};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::Folders;
use super::in_flight::Offered;
use super::scan::stamp;

/// Where a judged file goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shelf {
    Passed,
    Held,
    Unreadable,
}

impl Shelf {
    pub(super) const ALL: [Self; 3] = [Self::Passed, Self::Held, Self::Unreadable];

    /// The shelf's folder.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Held => "held",
            Self::Unreadable => "unreadable",
        }
    }

    pub(super) const fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Allow | Decision::Act(Action::Observe) => Self::Passed,
            Decision::Act(Action::Review | Action::Block | Action::Takedown) => Self::Held,
            Decision::Unreadable(_) => Self::Unreadable,
        }
    }
}

/// What became of a file that was to be moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moved {
    /// It is on its shelf.
    Shelved,
    /// Somebody took it away.
    Gone,
    /// It is not what was judged any more: it stays, and is judged as what it is now.
    Changed,
}

/// How many names are tried for one file; the last is made of the time, and free in practice.
const NAMES_MAX: u32 = 100;
/// The longest name of most file systems, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Moves a file from the inbox to its shelf, keeping its relative path.
pub(super) fn shelve(folders: &Folders, offered: &Offered) -> io::Result<Moved> {
    let from = folders.inbox.join(&offered.relative);
    match symlink_metadata(&from) {
        Ok(metadata) if crate::stamp::Stamp::of(&metadata) == offered.stamp => {}
        Ok(_) => return Ok(Moved::Changed),
        Err(error) if is_gone(&error) => return Ok(Moved::Gone),
        Err(error) => return Err(error),
    }
    let shelf = folders.of(offered.shelf);
    let Some(name) = offered.relative.file_name() else { return Ok(Moved::Gone) };
    let above = offered.relative.parent().unwrap_or(Path::new(""));
    let moved = match make_folders(&shelf, above).and_then(|folder| rename(&from, &folder, name)) {
        // The shelf's name may be longer than the inbox's. Better there without its folders than not at all.
        Err(error) if is(&error, Errno::NAMETOOLONG) => rename(&from, &shelf, name),
        moved => moved,
    };
    let to = match moved {
        Ok(to) => to,
        Err(error) if is_gone(&error) && stamp(&from).is_none() => return Ok(Moved::Gone),
        Err(error) => return Err(error),
    };
    // Somebody may have put another file there just before it was moved. It was not judged, and goes back.
    if stamp(&to).is_some_and(|stamp| !stamp.same_content(&offered.stamp)) {
        let back = from.parent().unwrap_or(&folders.inbox);
        std::fs::create_dir_all(back)?;
        rename(&to, back, name)?;
        return Ok(Moved::Changed);
    }
    Ok(Moved::Shelved)
}

/// Renames `from` into `folder`, as `name` or, where that is taken, the first free one of `name~2`, `name~3`,
/// ….
fn rename(from: &Path, folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for number in 1..=NAMES_MAX {
        let to = folder.join(numbered(name, number));
        match rename_to_free(from, &to) {
            Ok(()) => return Ok(to),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{NAMES_MAX} names for it are taken")))
}

fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no such rename. This worker alone moves files to the shelves.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

/// The folder `below` in `shelf`. Where a file has taken the name of a folder, the folder gets another one.
fn make_folders(shelf: &Path, below: &Path) -> io::Result<PathBuf> {
    let mut folder = shelf.to_owned();
    for component in below.components() {
        let Component::Normal(name) = component else { continue };
        folder = make_folder(&folder, name)?;
    }
    Ok(folder)
}

fn make_folder(parent: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for number in 1..=NAMES_MAX {
        let folder = parent.join(numbered(name, number));
        match create_dir(&folder) {
            Ok(()) => return Ok(folder),
            // A link to a folder is none of ours: it could lead out of the shelf.
            Err(_) if symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{NAMES_MAX} names for its folder are taken")))
}

fn numbered(name: &OsStr, number: u32) -> OsString {
    let suffix = match number {
        1 => return name.to_owned(),
        NAMES_MAX => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("~{}", now.as_nanos())
        }
        number => format!("~{number}"),
    };
    let mut bytes = name.as_bytes().to_vec();
    bytes.truncate(NAME_BYTES_MAX - suffix.len());
    bytes.extend_from_slice(suffix.as_bytes());
    OsString::from_vec(bytes)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn is_gone(error: &io::Error) -> bool {
    is(error, Errno::NOENT) || is(error, Errno::NOTDIR)
}
