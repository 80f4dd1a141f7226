//! The folders below which clients may name files, and the way down from there.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::ClamdError;

/// How deep a walk goes below the folder that was named; a folder is held open for each level.
const DEPTH_MAX: usize = 64;

/// Waiting must not be possible, not even in `open`.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Folders that are held open, so that what is moved or linked elsewhere later changes nothing.
#[derive(Clone, Debug)]
pub(super) struct Roots(Arc<[Root]>);

#[derive(Debug)]
struct Root {
    path: PathBuf,
    folder: OwnedFd,
}

/// A file that a walk comes by, or why it cannot be read, in clamd's words.
pub(super) struct Found {
    /// The path as the client knows it.
    pub(super) path: PathBuf,
    pub(super) file: Result<File, &'static str>,
}

/// What a path names.
enum Opened {
    File(File),
    Folder(OwnedFd),
}

impl Roots {
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, ClamdError> {
        let open_root = |path: &PathBuf| {
            if !path.is_absolute() {
                return Err(ClamdError::RelativeRoot { path: path.clone() });
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let opened = open(path, flags, Mode::empty());
            let source = |error: Errno| ClamdError::Root { path: path.clone(), source: error.into() };
            Ok(Root { path: path.clone(), folder: opened.map_err(source)? })
        };
        paths.iter().map(open_root).collect::<Result<_, _>>().map(Self)
    }

    /// Sends every file at or below `path` to `found`, as long as somebody listens. Links are followed in what the client
    /// named, within a root, and nowhere below.
    pub(super) fn walk(&self, path: PathBuf, found: &mpsc::Sender<Found>) {
        match self.resolve(&path) {
            Err(reason) => drop(found.blocking_send(Found { path, file: Err(reason) })),
            Ok(Opened::File(file)) => drop(found.blocking_send(Found { path, file: Ok(file) })),
            Ok(Opened::Folder(folder)) => descend(path, folder, found),
        }
    }

    /// The kernel itself holds the way below the root. A path outside of all roots is not looked for.
    fn resolve(&self, path: &Path) -> Result<Opened, &'static str> {
        let Some(path) = plain(path) else { return Err(MISSING) };
        let within = self.0.iter().find_map(|root| Some((root, path.strip_prefix(&root.path).ok()?)));
        let (root, below) = within.ok_or(DENIED)?;
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let held = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        opened(openat2(&root.folder, below, OPEN, Mode::empty(), held))
    }
}

const MISSING: &str = "File path check failure: No such file or directory.";
const DENIED: &str = "Access denied.";
const NOT_A_FILE: &str = "Not supported file type";
const FAILED: &str = "Can't open file or directory";
const TOO_DEEP: &str = "Directory recursion limit reached";

/// The path without `.` and `..`; None if it is not absolute.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::from("/");
    path.is_absolute().then(|| {
        for component in path.components() {
            match component {
                Component::ParentDir => drop(plain.pop()),
                Component::Normal(name) => plain.push(name),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        plain
    })
}

fn opened(opened: Result<OwnedFd, Errno>) -> Result<Opened, &'static str> {
    let descriptor = opened.map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => MISSING,
        Errno::NXIO => NOT_A_FILE,
        Errno::ACCESS | Errno::PERM | Errno::XDEV | Errno::LOOP => DENIED,
        _ => FAILED,
    })?;
    let kind = FileType::from_raw_mode(fstat(&descriptor).map_err(|_| FAILED)?.st_mode);
    match kind {
        FileType::RegularFile => Ok(Opened::File(descriptor.into())),
        FileType::Directory => Ok(Opened::Folder(descriptor)),
        _ => Err(NOT_A_FILE),
    }
}

/// Tells every file below an open folder. Links, pipes and the like are passed over, as clamd does.
fn descend(path: PathBuf, folder: OwnedFd, found: &mpsc::Sender<Found>) {
    let tell = |path, file| found.blocking_send(Found { path, file }).is_ok();
    let Ok(entries) = Dir::new(folder) else {
        tell(path, Err(FAILED));
        return;
    };
    let mut way = vec![(path, entries)];
    while let Some((path, entries)) = way.last_mut() {
        let entry = match entries.next() {
            None => {
                way.pop();
                continue;
            }
            Some(Err(_)) => {
                let path = path.clone();
                way.pop();
                if !tell(path, Err(FAILED)) {
                    return;
                }
                continue;
            }
            Some(Ok(entry)) => entry,
        };
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let is_passed_over =
            !matches!(entry.file_type(), FileType::RegularFile | FileType::Directory | FileType::Unknown);
        if is_passed_over || name == "." || name == ".." {
            continue;
        }
        let here = path.join(name);
        let open = |parent| openat(parent, name, OPEN | OFlags::NOFOLLOW, Mode::empty());
        let is_told = match opened(entries.fd().and_then(open)) {
            Ok(Opened::File(file)) => tell(here, Ok(file)),
            Ok(Opened::Folder(_)) if way.len() == DEPTH_MAX => tell(here, Err(TOO_DEEP)),
            Ok(Opened::Folder(folder)) => match Dir::new(folder) {
                Ok(entries) => {
                    way.push((here, entries));
                    true
                }
                Err(_) => tell(here, Err(FAILED)),
            },
            // It was of a kind that is read, and has become another meanwhile or was of none.
            Err(NOT_A_FILE) => true,
            Err(reason) => tell(here, Err(reason)),
        };
        if !is_told {
            return;
        }
    }
}

/// The file behind a descriptor that a client sent, if it is one.
pub(super) fn regular(descriptor: OwnedFd) -> Result<File, &'static str> {
    match opened(Ok(descriptor))? {
        Opened::File(file) => Ok(file),
        Opened::Folder(_) => Err(NOT_A_FILE),
    }
}

#[cfg(test)]
#[path = "roots/tests.rs"]
mod tests;
