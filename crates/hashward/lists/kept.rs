//! The generations that are kept on disk: sealed files, their numbers, and the wish to stay at one.
//!
//! ```text
//! 00000000000000000042.index   a generation's index over all lists that are not sealed files themselves
//! next.index                   one that is being built or verified
//! number                       the last number that a generation was given
//! lock                         locked by the worker that makes them
//! held.json                    there while an operator holds the lists at a kept generation
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hashward_core::Generation;
use serde::{Deserialize, Serialize};

const SUFFIX: &str = ".index";
const DIGITS: usize = 20;
const NEXT: &str = "next.index";
const NUMBER: &str = "number";
const HELD: &str = "held.json";
const LOCK: &str = "lock";
/// The longest file that says a number or a wish.
const SMALL_BYTES_MAX: u64 = 64 * 1024;

/// The folder of kept generations.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    max: usize,
    /// Held by the one who makes generations.
    _lock: Option<File>,
}

/// The wish to stay at a kept generation.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub(crate) struct Held {
    /// The generation.
    pub(crate) generation: u64,
    /// Who wished it.
    pub(crate) who: String,
    /// Why.
    pub(crate) why: String,
    /// When, RFC 3339.
    pub(crate) since: String,
}

impl Kept {
    /// The generations in `folder`, which is made if it is not there; at most `max` are kept.
    pub(crate) fn open(folder: &Path, max: usize) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(Self { folder: folder.to_owned(), max, _lock: None })
    }

    /// The same for the one process that makes generations in the folder.
    pub(crate) fn lock(folder: &Path, max: usize) -> Result<Self> {
        let kept = Self::open(folder, max)?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).with_context(|| path.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: Some(lock), ..kept }),
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another worker keeps its generations there: name another folder", kept.shown())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// The kept generations, the oldest first.
    pub(crate) fn all(&self) -> Result<Vec<Generation>> {
        let mut all = Vec::new();
        for item in fs::read_dir(&self.folder).with_context(|| self.shown())? {
            let name = item.with_context(|| self.shown())?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(number) = number.filter(|number| number.len() == DIGITS)
                && let Ok(number) = number.parse()
            {
                all.push(Generation(number));
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// The file of a generation.
    pub(crate) fn file(&self, generation: Generation) -> PathBuf {
        self.folder.join(format!("{:0DIGITS$}{SUFFIX}", generation.0))
    }

    /// The file in which the next generation is built.
    pub(crate) fn next_file(&self) -> PathBuf {
        self.folder.join(NEXT)
    }

    /// A number that no generation was given before, above `above`. It is given for good: what an alert names by it is
    /// never anything else.
    pub(crate) fn give_number(&self, above: Generation) -> Result<Generation> {
        let last = self.last_number()?.max(above.0);
        let number = last.checked_add(1).context("no number is left for a generation")?;
        self.write(NUMBER, number.to_string().as_bytes()).with_context(|| self.shown())?;
        Ok(Generation(number))
    }

    fn last_number(&self) -> Result<u64> {
        let kept = self.all()?.last().map_or(0, |generation| generation.0);
        let Some(text) = self.read(NUMBER)? else { return Ok(kept) };
        let number: u64 = text.trim().parse().with_context(|| {
            format!("{}: expected the number of a generation", self.folder.join(NUMBER).display())
        })?;
        Ok(number.max(kept))
    }

    /// Takes the built and verified file in as that of `generation`.
    pub(crate) fn take_in(&self, generation: Generation) -> Result<PathBuf> {
        let file = self.file(generation);
        fs::rename(self.next_file(), &file)
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .with_context(|| file.display().to_string())?;
        Ok(file)
    }

    /// Removes what was built and is not taken in.
    pub(crate) fn discard_next(&self) -> Result<()> {
        match fs::remove_file(self.next_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).with_context(|| self.shown()),
            _ => Ok(()),
        }
    }

    /// Lets the oldest go that are too many, and never the one that is held.
    pub(crate) fn prune(&self) -> Result<()> {
        let held = self.held()?.map(|held| Generation(held.generation));
        let all = self.all()?;
        for old in all.iter().take(all.len().saturating_sub(self.max)).filter(|old| Some(**old) != held) {
            fs::remove_file(self.file(*old)).with_context(|| self.file(*old).display().to_string())?;
        }
        Ok(())
    }

    /// The wish to stay at a generation, if there is one.
    pub(crate) fn held(&self) -> Result<Option<Held>> {
        let Some(text) = self.read(HELD)? else { return Ok(None) };
        let path = self.folder.join(HELD);
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }

    /// Fails if a generation is not kept.
    pub(crate) fn check_holdable(&self, generation: Generation) -> Result<()> {
        let all = self.all()?;
        if all.contains(&generation) {
            return Ok(());
        }
        let numbers: Vec<String> = all.iter().map(ToString::to_string).collect();
        let known = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
        bail!("generation {generation} is not kept in {}: kept are {known}", self.shown())
    }

    /// Wishes to stay at a generation, which must be kept.
    pub(crate) fn hold(&self, held: &Held) -> Result<()> {
        self.check_holdable(Generation(held.generation))?;
        let text = serde_json::to_vec(held).expect("plain data is JSON");
        self.write(HELD, &text).with_context(|| self.shown())
    }

    /// Wishes to follow the lists again. Says whether it was otherwise.
    pub(crate) fn resume(&self) -> Result<bool> {
        match fs::remove_file(self.folder.join(HELD)) {
            Ok(()) => File::open(&self.folder)
                .and_then(|folder| folder.sync_all())
                .map(|()| true)
                .with_context(|| self.shown()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| self.shown()),
        }
    }

    fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    fn read(&self, name: &str) -> Result<Option<String>> {
        let path = self.folder.join(name);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Ok(metadata) if metadata.len() > SMALL_BYTES_MAX => {
                bail!("{}: larger than {SMALL_BYTES_MAX} bytes: expected what Hashward wrote", path.display())
            }
            _ => Ok(Some(fs::read_to_string(&path).with_context(|| path.display().to_string())?)),
        }
    }

    /// All of it, durably, or nothing.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(self.folder.join(name)).map_err(|failed| failed.error)?;
        File::open(&self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, numbers: &[u64]) -> Kept {
        let kept = Kept::open(folder, 2).unwrap();
        for number in numbers {
            fs::write(kept.file(Generation(*number)), "x").unwrap();
        }
        kept
    }

    fn held(generation: u64) -> Held {
        let (who, why, since) = ("op".to_owned(), "too much".to_owned(), "2026-11-27T00:00:00Z".to_owned());
        Held { generation, who, why, since }
    }

    #[test]
    fn one_worker_makes_generations() {
        let folder = tempfile::tempdir().unwrap();
        let first = Kept::lock(folder.path(), 2).unwrap();
        let second = Kept::lock(folder.path(), 2).unwrap_err().to_string();
        assert!(second.contains("another worker"), "{second}");
        assert!(Kept::open(folder.path(), 2).is_ok(), "an operator may look");
        drop(first);
        assert!(Kept::lock(folder.path(), 2).is_ok());
    }

    #[test]
    fn numbers_are_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path(), &[7]);
        assert_eq!(kept.give_number(Generation(0)).unwrap(), Generation(8));
        assert_eq!(kept.give_number(Generation(0)).unwrap(), Generation(9));
        assert_eq!(kept.give_number(Generation(20)).unwrap(), Generation(21));
        fs::write(folder.path().join("number"), "seven").unwrap();
        assert!(
            format!("{:#}", kept.give_number(Generation(0)).unwrap_err()).contains("expected the number")
        );
    }

    #[test]
    fn the_oldest_go_and_the_held_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path(), &[1, 2, 3]);
        fs::write(folder.path().join("notes.index"), "not ours").unwrap();
        kept.hold(&held(2)).unwrap();
        fs::write(kept.next_file(), "x").unwrap();
        kept.take_in(Generation(4)).unwrap();
        kept.prune().unwrap();
        assert_eq!(kept.all().unwrap(), [2, 3, 4].map(Generation));
        assert_eq!(kept.held().unwrap(), Some(held(2)));
        assert!(kept.hold(&held(1)).unwrap_err().to_string().contains("kept are 2, 3, 4"));
        assert!(kept.resume().unwrap());
        assert!(!kept.resume().unwrap());
        assert_eq!(kept.held().unwrap(), None);
    }
}
