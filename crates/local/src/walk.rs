use std::path::{Path, PathBuf};

use hashward_core::Unreadable;
use walkdir::WalkDir;

use crate::file::{not_a_file, unopened};

/// A regular file on a [`walk`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Where it is: the path that was walked, and the way from there.
    pub path: PathBuf,
    /// Its size when it was seen, in bytes; None on a walk that does not ask for sizes.
    pub bytes: Option<u64>,
}

/// Something on a [`walk`] that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why it cannot be read.
    pub reason: Unreadable,
}

/// The iterator that [`walk`] returns.
pub struct Walk {
    entries: walkdir::IntoIter,
    asks_sizes: bool,
}

/// How many folders a walk keeps open; of those above, the rest of the names is kept in memory instead.
const OPEN_FOLDERS_MAX: usize = 32;

/// Every regular file at or below `path`, in the order of the names at each level, so that two walks over the
/// same files tell them in the same order. Symbolic links are told as skipped and not followed, except `path`
/// itself where it leads to a folder. Memory holds the names of the folders on the way down, one folder a
/// level.
pub fn walk(path: &Path) -> Walk {
    let entries = WalkDir::new(path).max_open(OPEN_FOLDERS_MAX).sort_by_file_name().into_iter();
    Walk { entries, asks_sizes: true }
}

impl Walk {
    /// Does not ask for the size of each file, which is a call to the system for each: most folders say by themselves what
    /// is a regular file.
    #[must_use]
    pub fn without_sizes(self) -> Self {
        Self { asks_sizes: false, ..self }
    }
}

impl Iterator for Walk {
    type Item = Result<Found, Skipped>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(skipped(error))),
            };
            let is_walked = entry.file_type().is_dir() || entry.depth() == 0 && entry.path().is_dir();
            if is_walked {
                continue;
            }
            if !self.asks_sizes && entry.file_type().is_file() {
                return Some(Ok(Found { path: entry.into_path(), bytes: None }));
            }
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) => return Some(Err(skipped(error))),
            };
            let path = entry.into_path();
            if metadata.is_file() {
                return Some(Ok(Found { path, bytes: Some(metadata.len()) }));
            }
            return Some(Err(Skipped { path, reason: not_a_file(&metadata) }));
        }
    }
}

fn skipped(error: walkdir::Error) -> Skipped {
    let path = error.path().map(Path::to_path_buf).unwrap_or_default();
    let reason =
        unopened(&error.into_io_error().unwrap_or_else(|| std::io::Error::other("links make a circle")));
    Skipped { path, reason }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use hashward_core::UnreadableKind;

    use super::*;

    /// What a walk below `root` tells, one line each.
    fn told(root: &Path, path: &Path) -> Vec<String> {
        let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        let line = |item: Result<Found, Skipped>| match item {
            Ok(found) => format!("{} {}", name(&found.path), found.bytes.expect("sizes were asked for")),
            Err(skipped) => format!("{} {}", name(&skipped.path), skipped.reason.kind),
        };
        walk(path).map(line).collect()
    }

    #[test]
    fn tells_files_in_order_and_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/deep/er")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        for (name, content) in [("b/deep/er/4", "1234"), ("b/2", "12"), ("c", "123"), ("a", "")] {
            fs::write(at(name), content).unwrap();
        }
        symlink(at("b"), at("d")).unwrap();
        symlink(at("nowhere"), at("e")).unwrap();
        symlink(at("c"), at("f")).unwrap();
        let all = ["a 0", "b/2 2", "b/deep/er/4 4", "c 3", "d not-a-file", "e not-a-file", "f not-a-file"];
        assert_eq!(told(dir.path(), dir.path()), all);
        let mut without_sizes = walk(dir.path()).without_sizes().zip(walk(dir.path()));
        assert!(without_sizes.all(|items| match items {
            (Ok(without), Ok(with)) => (without.path, without.bytes) == (with.path, None),
            (without, with) => without == with,
        }));
        assert_eq!(told(dir.path(), &at("c")), ["c 3"]);
        assert_eq!(told(dir.path(), &at("f")), ["f not-a-file"]);
        assert_eq!(told(dir.path(), &at("d")), ["d/2 2", "d/deep/er/4 4"]);
        assert_eq!(told(dir.path(), &at("e")), ["e not-found"]);
        assert_eq!(told(dir.path(), &at("missing")), ["missing not-found"]);
        assert_eq!(walk(&at("missing")).next().unwrap().unwrap_err().reason.kind, UnreadableKind::NotFound);
    }
}
