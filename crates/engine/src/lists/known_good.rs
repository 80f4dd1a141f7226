use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hashward_core::{Digest, Digests, EntryId, Strength};
use hashward_index::{EntryRecord, Index, IndexError, IndexWriter, SealKey, SignalIndex as _};
use hashward_list::Problem;
use hashward_list::format::{self, FormatError, Item, ReadOptions};

/// Digests of content that is known to be harmless: of an operating system's files, of placeholders. A list that has one
/// of them is wrong there, and its entry must not accuse anybody.
pub struct KnownGood(Index);

/// Why known-good digests cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KnownGoodError {
    /// A file cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<FormatError>,
    },
    /// An item of a file cannot be taken. All or nothing: what is missing here would accuse somebody.
    #[error("{}: {place}: {problem}", .path.display())]
    Item {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The digests cannot be held.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl KnownGood {
    /// Reads digests from `files`, in any format that can be told from how they begin, NSRL's among them, and takes in
    /// `digests` besides. They are sealed under `key`, so that they can be held against sealed lists. Memory: about 28
    /// bytes for each digest.
    pub fn load(files: &[PathBuf], digests: &[Digest], key: &SealKey) -> Result<Self, KnownGoodError> {
        let mut writer = IndexWriter::in_memory(key)?;
        let mut add = |digests: &Digests| -> Result<(), IndexError> {
            let proving: Vec<Digest> =
                digests.iter().filter(|digest| digest.algorithm().strength() != Strength::Hint).collect();
            if proving.is_empty() {
                return Ok(());
            }
            writer.add(&EntryRecord::new(0, EntryId(0)), &proving).map(|_| ())
        };
        for digest in digests {
            add(&Digests::from_iter([*digest]))?;
        }
        for path in files {
            read(path, &mut add)?;
        }
        Ok(Self(Index::from_bytes(writer.finish_to_bytes(&[])?, key)?))
    }

    /// How many digests are known.
    pub fn digests(&self) -> u64 {
        self.0.signals()
    }

    /// What tells these digests, under this key, from all others.
    pub fn fingerprint(&self) -> String {
        blake3::Hash::from_bytes(self.0.whole_hash()).to_hex().to_string()
    }

    /// What holds the digests.
    pub(super) fn index(&self) -> &Index {
        &self.0
    }

    /// Whether each of `entries` has a digest that is known to be of harmless content, place by place.
    pub(super) fn hold(&self, entries: &[&Digests]) -> Result<Vec<bool>, IndexError> {
        let mut asked = Vec::new();
        let mut askers = Vec::new();
        for (asker, digests) in entries.iter().enumerate() {
            asked.extend(digests.iter());
            askers.resize(asked.len(), asker);
        }
        let mut held = vec![false; entries.len()];
        self.0.lookup_batch(&asked, &mut |place, _| held[askers[place]] = true)?;
        Ok(held)
    }
}

fn read(path: &Path, add: &mut dyn FnMut(&Digests) -> Result<(), IndexError>) -> Result<(), KnownGoodError> {
    let failed = |source| KnownGoodError::Read { path: path.to_owned(), source: Box::new(source) };
    let mut stopped: Option<KnownGoodError> = None;
    let mut take = |Item { place, said, .. }: Item| {
        let taken = match said {
            Ok(statement) => add(&statement.digests).map_err(KnownGoodError::from),
            // NSRL has both: the empty file, which no list may hold anyway, and malicious files, which are not good.
            Err(Problem::EmptyContent(_) | Problem::NotListed(_)) => Ok(()),
            Err(problem) => Err(KnownGoodError::Item {
                path: path.to_owned(),
                place: place.to_string(),
                problem: format!("{problem}: expected {}", problem.expected()),
            }),
        };
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let read =
        format::open(path, None).map_err(failed)?.read(&ReadOptions::default(), &mut take).map_err(failed);
    stopped.map_or(read, Err)
}
