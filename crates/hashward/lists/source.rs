//! Where lists come from, and how it is told that they changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use hashward_core::ListId;
use hashward_index::is_index_file;
use hashward_list::store::{Store, is_list_folder};
use hashward_list::{FolderState, ListError, ListHistory, LoadOptions, NamedHistory, OpenList};
use hashward_release::{ReplicaKey, ReplicaReader, is_replica_folder, replica_state};

use crate::subscriptions::{self, Found};

/// What is named as a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A text file, with a TOML file beside it or none.
    Text,
    /// A list folder.
    Folder,
    /// The folder of a subscription: a replica of somebody else's list.
    Replica,
    /// A sealed file.
    Sealed,
}

impl Kind {
    /// What stands at `path`. What cannot be read is taken for a text file, whose reader says what is wrong.
    pub(crate) fn of(path: &Path) -> Self {
        if is_list_folder(path) {
            Self::Folder
        } else if is_replica_folder(path) {
            Self::Replica
        } else if is_index_file(path) {
            Self::Sealed
        } else {
            Self::Text
        }
    }

    /// Whether a list of the kind knows its past, so that it is read in one state, and says what changed since another.
    fn has_history(self) -> bool {
        matches!(self, Self::Folder | Self::Replica)
    }
}

/// What a list looks like. A list that looks as before has not changed: whoever changes a file in place, and sets its
/// time back, is not noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Looks {
    /// Device, inode, length and time of change of each file. A file that is not there has none.
    files: Vec<Option<[i128; 4]>>,
    /// The newest state of a list folder or a replica. Its files change before a new state can be read, and not with it.
    state: Option<FolderState>,
}

impl Looks {
    /// How the list at `path` looks now.
    pub(crate) fn of(path: &Path, kind: Kind) -> Self {
        let (files, state) = match kind {
            Kind::Text => (vec![path.to_owned(), path.with_extension("toml")], None),
            Kind::Sealed => (vec![path.to_owned()], None),
            Kind::Folder => (vec![path.join("list.toml")], newest_state(path)),
            Kind::Replica => (Vec::new(), replica_state(path).ok().flatten()),
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

/// The lists that are named, and how each looked when it was read.
pub(crate) struct Sources {
    all: Vec<Source>,
    /// Where the lists are that were named.
    named: Vec<PathBuf>,
    /// The folder of subscriptions, whose lists come and go behind those that are named.
    subscriptions: Option<PathBuf>,
    /// What was in it at the last look.
    found: Found,
    options: LoadOptions,
    replica_key: ReplicaKey,
}

struct Source {
    path: PathBuf,
    kind: Kind,
    /// None if it was not read yet, or is to be read again whatever it looks like.
    looks: Option<Looks>,
}

impl Sources {
    /// The lists at `named`, and those that `subscriptions` holds now; replicas are sealed under `replica_key`.
    pub(crate) fn new(
        named: &[PathBuf],
        subscriptions: Option<&Path>,
        options: LoadOptions,
        replica_key: ReplicaKey,
    ) -> Result<Self> {
        let (named, subscriptions) = (named.to_vec(), subscriptions.map(Path::to_owned));
        let source = |path: &PathBuf| Source { path: path.clone(), kind: Kind::of(path), looks: None };
        let (all, found) = (named.iter().map(source).collect(), Found::default());
        let mut sources = Self { all, named, subscriptions, found, options, replica_key };
        sources.rescan()?;
        Ok(sources)
    }

    /// Looks which lists there are now: those of subscriptions come and go. One that went without being removed is an
    /// error, and what was there stays: its disk may be away.
    pub(crate) fn rescan(&mut self) -> Result<()> {
        let Some(directory) = &self.subscriptions else {
            return Ok(());
        };
        let found = subscriptions::look(directory)?;
        let gone = self.all[self.named.len()..].iter().map(|source| &source.path);
        let mut gone = gone.filter(|path| !found.replicas.contains(path));
        if let Some(lost) = gone.find(|path| !subscriptions::is_removed(directory, path)) {
            bail!(
                "{}: was there and is no more, or cannot be read: is its disk there? To give a subscription up, \
                 `hashward subscribe remove` it",
                lost.display()
            );
        }
        let mut known = self.all.split_off(self.named.len());
        self.all.extend(found.replicas.iter().map(|path| {
            match known.iter().position(|source| source.path == *path) {
                Some(place) => known.swap_remove(place),
                None => Source { path: path.clone(), kind: Kind::Replica, looks: None },
            }
        }));
        if !known.is_empty() {
            // What went is not told by the looks of those that are left.
            self.forget();
        }
        self.found = found;
        Ok(())
    }

    /// What must be there before there can be a first generation, if it is not yet.
    pub(crate) fn waits_for(&self) -> Option<String> {
        let directory = self.subscriptions.as_ref()?;
        if self.found.subscriptions == 0 {
            return Some(format!("a subscription, of which {} holds none", directory.display()));
        }
        let waited_for = &self.found.incomplete;
        (!waited_for.is_empty()).then(|| format!("the first release of {}", waited_for.join(", ")))
    }

    /// The lists that an operator holds at a release.
    pub(crate) fn held(&self) -> &[ListId] {
        &self.found.held
    }

    /// The paths of the lists of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Path> {
        self.all.iter().filter(move |source| source.kind == kind).map(|source| source.path.as_path())
    }

    /// The paths of the lists whose entries can be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &Path> {
        self.all.iter().filter(|source| source.kind != Kind::Sealed).map(|source| source.path.as_path())
    }

    /// Opens a list whose entries can be read.
    pub(crate) fn open(&self, path: &Path) -> Result<OpenList, ListError> {
        if Kind::of(path) == Kind::Replica {
            return Ok(ReplicaReader::open(path, &self.replica_key)?.into_list()?);
        }
        hashward_list::open(path, &self.options)
    }

    /// How many lists know their past.
    pub(crate) fn with_history(&self) -> usize {
        self.all.iter().filter(|source| source.kind.has_history()).count()
    }

    /// The lists that know their past, each as it is now.
    pub(crate) fn histories(&self) -> Result<Vec<NamedHistory>, ListError> {
        let mut histories: Vec<NamedHistory> = Vec::new();
        for Source { path, kind, .. } in self.all.iter().filter(|source| source.kind.has_history()) {
            let history: Box<dyn ListHistory> = match kind {
                Kind::Replica => Box::new(ReplicaReader::open(path, &self.replica_key)?),
                _ => Box::new(Store::open_read_only(path)?),
            };
            histories.push((history.info()?.id, history));
        }
        Ok(histories)
    }

    /// How all lists look now.
    pub(crate) fn looks(&self) -> Vec<Looks> {
        self.all.iter().map(|source| Looks::of(&source.path, source.kind)).collect()
    }

    /// Whether some list of a kind does not look as when it was read.
    pub(crate) fn changed(&self, kind: Kind, now: &[Looks]) -> bool {
        let mut of_kind = self.all.iter().zip(now).filter(|(source, _)| source.kind == kind);
        of_kind.any(|(source, now)| source.looks.as_ref() != Some(now))
    }

    /// Whether a list changed, and none is being written: text files, which may be written slowly, look the same in
    /// `before`, the looks of a while ago.
    pub(crate) fn changed_and_settled(&self, before: &[Looks], now: &[Looks]) -> bool {
        let changed = |number: &usize| self.all[*number].looks.as_ref() != Some(&now[*number]);
        let changed: Vec<usize> = (0..self.all.len()).filter(changed).collect();
        let settled = |number: &usize| {
            self.all[*number].kind != Kind::Text || before.get(*number) == Some(&now[*number])
        };
        !changed.is_empty() && changed.iter().all(settled)
    }

    /// Whether what was read since `before` is of one moment. What knows its past always is: it is read in one state.
    pub(crate) fn held_still(&self, before: &[Looks], now: &[Looks]) -> bool {
        let mut pairs = self.all.iter().zip(before.iter().zip(now));
        pairs.all(|(source, (before, now))| source.kind.has_history() || before == now)
    }

    /// All lists were read, looking like this.
    pub(crate) fn remember(&mut self, looks: Vec<Looks>) {
        self.all.iter_mut().zip(looks).for_each(|(source, looks)| source.looks = Some(looks));
    }

    /// All lists are to be read again.
    pub(crate) fn forget(&mut self) {
        self.all.iter_mut().for_each(|source| source.looks = None);
    }

    /// The sealed files, each with whether it looks as when it was opened.
    pub(crate) fn sealed<'a>(&'a self, now: &'a [Looks]) -> impl Iterator<Item = (&'a Path, bool)> {
        let sealed = self.all.iter().zip(now).filter(|(source, _)| source.kind == Kind::Sealed);
        sealed.map(|(source, now)| (source.path.as_path(), source.looks.as_ref() == Some(now)))
    }
}

#[cfg(test)]
mod tests {
    use hashward_index::SealKey;

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

    #[test]
    fn a_text_file_that_is_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("known.txt");
        fs::write(&text, "a").unwrap();
        let key = ReplicaKey::new(SealKey::generate().unwrap().derive("test"));
        let mut sources =
            Sources::new(std::slice::from_ref(&text), None, LoadOptions::default(), key).unwrap();
        let first = sources.looks();
        assert!(sources.changed(Kind::Text, &first), "it was never read");
        sources.remember(first.clone());
        assert!(!sources.changed_and_settled(&first, &sources.looks()));
        fs::write(&text, "ab").unwrap();
        let second = sources.looks();
        assert!(!sources.changed_and_settled(&first, &second), "it may be written still");
        assert!(sources.changed_and_settled(&second, &second));
        assert!(!sources.held_still(&first, &second));
        sources.remember(second.clone());
        sources.forget();
        assert!(sources.changed_and_settled(&second, &second), "it is to be read again");
    }
}
