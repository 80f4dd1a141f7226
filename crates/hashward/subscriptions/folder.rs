//! Subscriptions on disk.
//!
//! ```text
//! NAME/subscription.toml   where the releases come from, and which lists of them are taken
//! NAME/trusted/            the publisher's metadata as it was last verified; begins with the root that was given
//! NAME/fetched/            files of a release that are under way
//! NAME/lists/LIST/         a list's replica, sealed
//! NAME/held-LIST.json      there while an operator holds a list at a release
//! NAME/complete            there once everything that is taken was there
//! NAME/lock                locked by whoever pulls
//! .removed-NAME            there if a subscription was removed, and is not lost
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
const COMPLETE: &str = "complete";
const REMOVED: &str = ".removed-";
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
        let text = toml::to_string(&manifest).context("writing the manifest")?;
        if text.len() as u64 > MANIFEST_BYTES_MAX {
            bail!("the manifest would be longer than {MANIFEST_BYTES_MAX} bytes: take fewer lists by name");
        }
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        if Self::names(directory)?.len() >= SUBSCRIPTIONS_MAX {
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
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync(&unfinished)?;
            // From here on it cannot go again unnoticed.
            remove_file_if_there(&removal(directory, name))?;
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

    /// The names of the subscriptions in `directory`, which must be there.
    pub(crate) fn names(directory: &Path) -> Result<Vec<String>> {
        let shown = || directory.display().to_string();
        let missing =
            || format!("{}: no folder of subscriptions: `hashward subscribe add` makes it", shown());
        let mut names = Vec::new();
        for item in fs::read_dir(directory).with_context(missing)? {
            let item = item.with_context(shown)?;
            if let Some(name) = item.file_name().to_str().filter(|name| check_name(name).is_ok())
                && item.path().join(MANIFEST).try_exists().with_context(shown)?
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The subscriptions in `directory`, which must be there, by their names.
    pub(crate) fn all(directory: &Path) -> Result<Vec<Self>> {
        let opened = Self::names(directory)?.into_iter().map(|name| Self::open(directory, &name));
        opened.collect()
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

    /// Removes the subscription of that name with all it has fetched, whatever is wrong with it. A worker that runs matches
    /// against it no more.
    pub(crate) fn remove(directory: &Path, name: &str) -> Result<()> {
        check_name(name)?;
        let folder = directory.join(name);
        if !folder.try_exists().with_context(|| folder.display().to_string())? {
            bail!("{}: there is no subscription {name:?}", directory.display());
        }
        let _lock = lock(&folder)?
            .with_context(|| format!("{name}: it is being pulled right now: try again later"))?;
        let unfinished = directory.join(format!("{UNFINISHED}{name}"));
        remove_if_there(&unfinished)?;
        let go = || -> io::Result<()> {
            // First that it is meant: a worker takes what goes without this for lost.
            File::create(removal(directory, name))?.sync_all()?;
            sync(directory)?;
            fs::rename(&folder, &unfinished)?;
            sync(directory)
        };
        go().with_context(|| folder.display().to_string())?;
        remove_if_there(&unfinished)
    }

    /// Whether the subscription of that name was removed, and not subscribed to again.
    pub(crate) fn is_removed(directory: &Path, name: &str) -> bool {
        removal(directory, name).exists()
    }

    /// Whether everything that it takes was there once.
    pub(crate) fn is_complete(&self) -> Result<bool> {
        let path = self.folder.join(COMPLETE);
        path.try_exists().with_context(|| path.display().to_string())
    }

    /// Everything that it takes is there.
    pub(crate) fn complete(&self) -> Result<()> {
        if self.is_complete()? {
            return Ok(());
        }
        let path = self.folder.join(COMPLETE);
        let write = || File::create(&path)?.sync_all().and_then(|()| sync(&self.folder));
        write().with_context(|| path.display().to_string())
    }

    /// For whoever changes it: only one at a time. Others are waited for, a little; `None`: they are not done.
    pub(crate) fn lock(&self) -> Result<Option<Locked>> {
        lock(&self.folder)
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

fn lock(folder: &Path) -> Result<Option<Locked>> {
    let path = folder.join(LOCK);
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Locked(file))),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
}

/// What says that a subscription was removed.
fn removal(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{REMOVED}{name}"))
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

fn remove_file_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
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
        assert!(Subscription::all(&directory).is_err());
        add(&directory, "b").unwrap();
        add(&directory, "a").unwrap();
        let all = Subscription::all(&directory).unwrap();
        assert_eq!(all.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(all[0].manifest, manifest());
        assert!(add(&directory, "a").unwrap_err().to_string().contains("remove it first"));
        let a = Subscription::open(&directory, "a").unwrap();
        let lock = a.lock().unwrap().unwrap();
        assert!(Subscription::remove(&directory, "a").unwrap_err().to_string().contains("being pulled"));
        drop(lock);
        assert!(!a.is_complete().unwrap());
        a.complete().unwrap();
        assert!(a.is_complete().unwrap());
        Subscription::remove(&directory, "a").unwrap();
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
