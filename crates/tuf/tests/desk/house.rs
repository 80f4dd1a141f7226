//! Keys, a repository's folder, and its readers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashward_tuf::desk::{Changes, Draft, NewTarget, Published, Repository, Terms};
use hashward_tuf::{Client, Disk, FolderTransport, Key, Limits, PrivateKey, Refreshed, Store, TufError};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use tempfile::TempDir;

pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn after(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) keys: BTreeMap<String, PrivateKey>,
    pub(crate) online: Vec<PrivateKey>,
}

pub(crate) fn public(name: &str, key: &PrivateKey) -> (String, Key) {
    (name.to_owned(), key.key().clone())
}

impl House {
    pub(crate) fn new() -> Self {
        let keys =
            ["anna", "ben", "cleo", "dora"].map(|name| (name.to_owned(), PrivateKey::generate().unwrap()));
        Self {
            folder: tempfile::tempdir().unwrap(),
            keys: keys.into(),
            online: vec![PrivateKey::generate().unwrap()],
        }
    }

    /// Anna, Ben and Cleo, two of whom sign.
    pub(crate) fn terms(&self) -> Terms {
        self.terms_of(&["anna", "ben", "cleo"])
    }

    pub(crate) fn terms_of(&self, names: &[&str]) -> Terms {
        let offline = names.iter().map(|name| public(name, &self.keys[*name])).collect();
        Terms::usual(&offline, 2, &[public("online", &self.online[self.online.len() - 1])].into())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::at(self.path())
    }

    pub(crate) fn on(&self, disk: Arc<dyn Disk>) -> Repository {
        Repository::with_disk(self.path(), disk)
    }

    /// As it travels: each signer reads the file, and writes it with a signature more.
    pub(crate) fn sign(&self, draft: Draft, names: &[&str]) -> Draft {
        let travels = |draft: Draft, name: &&str| {
            let mut draft = Draft::parse(&draft.to_bytes()).unwrap();
            draft.sign(&self.keys[*name]).unwrap();
            draft
        };
        names.iter().fold(draft, travels)
    }

    /// A repository with root 1 and targets 1.
    pub(crate) fn founded() -> Self {
        let house = Self::new();
        let draft = house.repository().create(&house.terms(), now()).unwrap();
        let draft = house.sign(draft, &["anna", "ben"]);
        house.repository().finish(&draft, &house.online, now()).unwrap();
        house
    }

    pub(crate) fn target(&self, path: &str, content: &[u8]) -> NewTarget {
        let file = self.folder.path().join("made");
        fs::write(&file, content).unwrap();
        let sha256 = digest(&SHA256, content).as_ref().try_into().unwrap();
        let custom = Some(serde_json::json!({ "release": 7 }));
        NewTarget { path: path.parse().unwrap(), file, length: content.len() as u64, sha256, custom }
    }

    pub(crate) fn publish(&self, path: &str, content: &[u8]) -> Published {
        let changes = Changes { put: vec![self.target(path, content)], remove: Vec::new() };
        let repository = self.repository();
        repository.place(&changes).unwrap();
        let draft = self.sign(repository.plan(&changes, now()).unwrap(), &["ben", "cleo"]);
        repository.finish(&draft, &self.online, now()).unwrap()
    }

    /// A reader who began with root 1.
    pub(crate) fn reader(&self, name: &str) -> Client {
        let store = Store::open(self.folder.path().join(name));
        if store.read("root").unwrap().is_none() {
            store.begin(&fs::read(self.path().join("metadata/1.root.json")).unwrap()).unwrap();
        }
        Client::new(FolderTransport::new(self.path()), store, Limits::default())
    }

    pub(crate) fn read(&self, name: &str) -> Result<Refreshed, TufError> {
        self.reader(name).refresh(now())
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
