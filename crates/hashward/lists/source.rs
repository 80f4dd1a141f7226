//! Where lists come from, and how it is told that they changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use hashward_index::is_index_file;
use hashward_list::FolderState;
use hashward_list::store::{Store, is_list_folder};

/// What is named as a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A text file, with a TOML file beside it or none.
    Text,
    /// A list folder.
    Folder,
    /// A sealed file.
    Sealed,
}

impl Kind {
    /// What stands at `path`. What cannot be read is taken for a text file, whose reader says what is wrong.
    pub(crate) fn of(path: &Path) -> Self {
        if is_list_folder(path) {
            Self::Folder
        } else if is_index_file(path) {
            Self::Sealed
        } else {
            Self::Text
        }
    }
}

/// What a list looks like. A list that looks as before has not changed: whoever changes a file in place, and sets its
/// time back, is not noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Looks {
    /// Device, inode, length and time of change of each file. A file that is not there has none.
    files: Vec<Option<[i128; 4]>>,
    /// The newest state of a list folder. Its files change before a new state can be read, and not with it.
    state: Option<FolderState>,
}

impl Looks {
    /// How the list at `path` looks now.
    pub(crate) fn of(path: &Path, kind: Kind) -> Self {
        let (files, state) = match kind {
            Kind::Text => (vec![path.to_owned(), path.with_extension("toml")], None),
            Kind::Sealed => (vec![path.to_owned()], None),
            Kind::Folder => (vec![path.join("list.toml")], newest_state(path)),
        };
        let looks = |file: &PathBuf| {
            let metadata = fs::metadata(file).ok()?;
            let changed = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            Some([metadata.dev().into(), metadata.ino().into(), metadata.len().into(), changed])
        };
        Self { files: files.iter().map(looks).collect(), state }
    }
}

/// None if the folder cannot be read now: whoever reads it then says why.
fn newest_state(folder: &Path) -> Option<FolderState> {
    Store::open_read_only(folder).ok().and_then(|store| FolderState::newest(&store).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_change_with_any_file_of_a_list() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("known.txt");
        let nothing = Looks::of(&text, Kind::Text);
        fs::write(&text, "a").unwrap();
        let alone = Looks::of(&text, Kind::Text);
        assert_ne!(nothing, alone);
        assert_eq!(alone, Looks::of(&text, Kind::Text));
        fs::write(folder.path().join("known.toml"), "id = 'x'").unwrap();
        assert_ne!(alone, Looks::of(&text, Kind::Text));
        assert_eq!(Kind::of(&text), Kind::Text);
        assert_eq!(Kind::of(&folder.path().join("missing")), Kind::Text);
    }
}
