//! Subscriptions on disk.
//!
//! ```text
//! NAME/subscription.toml   where the releases come from, and which lists of them are taken
//! NAME/trusted/            the publisher's metadata as it was last verified; begins with the root that was given
//! NAME/fetched/            files of a release that are under way
//! NAME/lists/LIST/         a list's replica, sealed
//! NAME/held-LIST.json      there while an operator holds a list at a release
//! NAME/lock                locked by whoever pulls
//! ```

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hashward_core::ListId;
use serde::{Deserialize, Serialize};

const MANIFEST: &str = "subscription.toml";
const TRUSTED: &str = "trusted";
const FETCHED: &str = "fetched";
const LISTS: &str = "lists";
const LOCK: &str = "lock";
/// What a subscription is called while it is made, and while it is removed.
const UNFINISHED: &str = ".unfinished-";
/// How long somebody else who changes a subscription is waited for, and how often it is looked.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_LOOK: Duration = Duration::from_millis(20);
/// The longest manifest, in bytes.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// So many subscriptions one folder holds at the most.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 1000;

/// Where releases come from, and which lists of them are taken.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// `https://…`, `http://` on this machine, or a folder.
    pub(crate) from: String,
    /// The lists that are taken; empty: all.
    #[serde(default)]
    pub(crate) lists: Vec<ListId>,
    /// Since when it is there, RFC 3339.
    pub(crate) since: String,
}

impl Manifest {
    /// Whether a list is taken.
    pub(crate) fn takes(&self, list: &ListId) -> bool {
        self.lists.is_empty() || self.lists.contains(list)
    }
}

/// One subscription: a publisher's repository, and what was taken of it.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    /// Its name: that of its folder.
    pub(crate) name: String,
    folder: PathBuf,
    /// Where its releases come from.
    pub(crate) manifest: Manifest,
}

/// Held while a subscription is pulled.
#[derive(Debug)]
pub(crate) struct Locked(#[expect(dead_code, reason = "held, not used")] File);

impl Subscription {
    /// Makes a subscription in `directory`, all of it or nothing. `trust` puts the publisher's root into the folder it
    /// is given.
    pub(crate) fn add(
        directory: &Path,
        name: &str,
        manifest: Manifest,
        trust: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        check_name(name)?;
        let folder = directory.join(name);
        if folder.exists() {
            bail!(
                "{}: there is a subscription of that name: remove it first, or choose another",
                folder.display()
            );
        }
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        if Self::all(directory)?.len() >= SUBSCRIPTIONS_MAX {
            bail!("{}: {SUBSCRIPTIONS_MAX} subscriptions are there, as many as can be", directory.display());
        }
        let unfinished = directory.join(format!("{UNFINISHED}{name}"));
        remove_if_there(&unfinished)?;
        let make = || -> Result<()> {
            // What is fetched is nobody else's.
            DirBuilder::new().mode(0o700).create(&unfinished)?;
            for inner in [TRUSTED, FETCHED, LISTS] {
                DirBuilder::new().mode(0o700).create(unfinished.join(inner))?;
            }
            trust(&unfinished.join(TRUSTED))?;
            let mut file = File::create_new(unfinished.join(MANIFEST))?;
            file.write_all(toml::to_string(&manifest).context("writing the manifest")?.as_bytes())?;
            file.sync_all()?;
            sync(&unfinished)?;
            fs::rename(&unfinished, &folder)?;
            sync(directory)?;
            Ok(())
        };
        if let Err(error) = make() {
            remove_if_there(&unfinished)?;
            return Err(error.context(format!("making {}", folder.display())));
        }
        Ok(Self { name: name.to_owned(), folder, manifest })
    }

    /// The subscriptions in `directory`, by their names. None if it is not there.
    pub(crate) fn all(directory: &Path) -> Result<Vec<Self>> {
        let items = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            items => items.with_context(|| directory.display().to_string())?,
        };
        let mut names = Vec::new();
        for item in items {
            let item = item.with_context(|| directory.display().to_string())?;
            if let Some(name) = item.file_name().to_str().filter(|name| check_name(name).is_ok())
                && item.path().join(MANIFEST).exists()
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.iter().map(|name| Self::open(directory, name)).collect()
    }

    /// The subscription of that name.
    pub(crate) fn open(directory: &Path, name: &str) -> Result<Self> {
        check_name(name)?;
        let folder = directory.join(name);
        let path = folder.join(MANIFEST);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!(
                    "{}: there is no subscription {name:?}: see `hashward subscribe status`",
                    directory.display()
                )
            }
            file => file.with_context(|| path.display().to_string())?,
        };
        let mut text = String::new();
        let read = file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text);
        read.with_context(|| path.display().to_string())?;
        let manifest = toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self { name: name.to_owned(), folder, manifest })
    }

    /// Removes it with all it has fetched. A worker that runs matches against it no more.
    pub(crate) fn remove(self, directory: &Path) -> Result<()> {
        let _lock = self.lock()?;
        let unfinished = directory.join(format!("{UNFINISHED}{}", self.name));
        remove_if_there(&unfinished)?;
        fs::rename(&self.folder, &unfinished).with_context(|| self.folder.display().to_string())?;
        sync(directory)?;
        remove_if_there(&unfinished)
    }

    /// For whoever changes it: only one at a time. Others are waited for, a little.
    pub(crate) fn lock(&self) -> Result<Locked> {
        let path = self.folder.join(LOCK);
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Locked(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_LOOK),
                Err(TryLockError::WouldBlock) => {
                    bail!("{}: it is being pulled right now: try again later", self.name)
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| path.display().to_string());
                }
            }
        }
    }

    /// The folder of verified metadata.
    pub(crate) fn trusted(&self) -> PathBuf {
        self.folder.join(TRUSTED)
    }

    /// The folder of files that are under way.
    pub(crate) fn fetched(&self) -> PathBuf {
        self.folder.join(FETCHED)
    }

    /// The folder of a list's replica, whether it is there or not.
    pub(crate) fn replica(&self, list: &ListId) -> PathBuf {
        self.folder.join(LISTS).join(list.as_str())
    }

    /// The file with the wish to stay at a release of a list.
    pub(crate) fn wish(&self, list: &ListId) -> PathBuf {
        self.folder.join(format!("held-{list}.json"))
    }

    /// The lists that were taken, by their ids.
    pub(crate) fn taken(&self) -> Result<Vec<ListId>> {
        let lists = self.folder.join(LISTS);
        let mut ids: Vec<ListId> = Vec::new();
        for item in fs::read_dir(&lists).with_context(|| lists.display().to_string())? {
            let name = item.with_context(|| lists.display().to_string())?.file_name();
            ids.extend(name.to_str().and_then(|name| name.parse().ok()));
        }
        ids.sort();
        Ok(ids)
    }
}

/// A name is that of a folder, and stands in metrics.
fn check_name(name: &str) -> Result<()> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('.') {
        return Ok(());
    }
    bail!("{name:?} is no name: expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', and no dot before it")
}

fn remove_if_there(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let lists = vec!["national".parse().unwrap()];
        Manifest {
            from: "https://lists.example.net/".to_owned(),
            lists,
            since: "2026-11-28T00:00:00Z".to_owned(),
        }
    }

    fn add(directory: &Path, name: &str) -> Result<Subscription> {
        Subscription::add(directory, name, manifest(), |_| Ok(()))
    }

    #[test]
    fn what_is_added_is_there_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("subscriptions");
        assert!(Subscription::all(&directory).unwrap().is_empty());
        add(&directory, "b").unwrap();
        add(&directory, "a").unwrap();
        let all = Subscription::all(&directory).unwrap();
        assert_eq!(all.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(all[0].manifest, manifest());
        assert!(add(&directory, "a").unwrap_err().to_string().contains("remove it first"));
        let a = Subscription::open(&directory, "a").unwrap();
        let lock = a.lock().unwrap();
        assert!(a.clone().remove(&directory).unwrap_err().to_string().contains("being pulled"));
        drop(lock);
        a.remove(&directory).unwrap();
        assert!(Subscription::open(&directory, "a").unwrap_err().to_string().contains("no subscription"));
    }

    #[test]
    fn nothing_is_left_of_one_that_cannot_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let failed = Subscription::add(folder.path(), "a", manifest(), |_| bail!("no root"));
        assert!(format!("{:#}", failed.unwrap_err()).contains("no root"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for name in ["", "..", ".a", "a/b", "é"] {
            assert!(add(folder.path(), name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn lists_are_taken_by_name_or_all() {
        let [national, other] = ["national", "other"].map(|id| id.parse::<ListId>().unwrap());
        assert!(manifest().takes(&national) && !manifest().takes(&other));
        assert!(Manifest { lists: Vec::new(), ..manifest() }.takes(&other));
    }
}
