//! What is read, and what came of it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hashward_core::{Decision, Unreadable, UnreadableKind, Verdict};
use hashward_local::{ReadAhead, walk};

/// Standard input's name on the command line and in results.
pub(crate) const STDIN: &str = "-";

/// Something to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Item {
    /// A file that was found on the way down a tree.
    File(PathBuf),
    /// A file that was named: if it is a link, it is followed.
    Named(PathBuf),
    /// Standard input.
    Stdin,
    /// Something on the way that cannot be read.
    Unreadable(PathBuf, Unreadable),
    /// A link, pipe, socket or device inside a tree: no content of its own.
    NoContent,
}

/// What came of an item.
pub(crate) enum Outcome {
    /// Nothing matched.
    Clean {
        /// Its length.
        bytes: u64,
    },
    /// Something matched.
    Matched(Box<Matched>),
    /// It could not be judged.
    Unreadable(Box<(PathBuf, Unreadable)>),
    /// There was nothing to judge.
    NoContent,
}

/// A content that matched.
pub(crate) struct Matched {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its length.
    pub(crate) bytes: u64,
    /// The verdict about it.
    pub(crate) verdict: Verdict,
}

/// Everything at and below the named paths, in the order of the names; with its length, or with 0 for files that are found
/// if nobody wants to know.
pub(crate) fn items(paths: &[PathBuf], with_lengths: bool) -> impl Iterator<Item = (Item, u64)> + '_ {
    paths.iter().flat_map(move |path| below(path, with_lengths))
}

fn below(path: &Path, with_lengths: bool) -> Box<dyn Iterator<Item = (Item, u64)> + '_> {
    if path == Path::new(STDIN) {
        return Box::new(std::iter::once((Item::Stdin, 0)));
    }
    if let Ok(metadata) = fs::metadata(path)
        && metadata.is_file()
    {
        return Box::new(std::iter::once((Item::Named(path.to_owned()), metadata.len())));
    }
    let walk = if with_lengths { walk(path) } else { walk(path).without_sizes() };
    Box::new(walk.map(move |step| match step {
        Ok(found) => (Item::File(found.path), found.bytes.unwrap_or(0)),
        Err(skipped) if skipped.reason.kind == UnreadableKind::NotAFile && skipped.path != path => {
            (Item::NoContent, 0)
        }
        Err(skipped) => (Item::Unreadable(skipped.path, skipped.reason), 0),
    }))
}

/// Something that is open for reading.
pub(crate) enum Source {
    /// A regular file.
    File(ReadAhead),
    /// Standard input.
    Stdin,
}

/// Opens an item for reading, or says what came of it without a look inside.
pub(crate) fn open(item: Item) -> Result<(PathBuf, Source), Outcome> {
    let (path, opened) = match item {
        Item::File(path) => {
            let opened = ReadAhead::open_found(&path);
            (path, opened)
        }
        Item::Named(path) => {
            let opened = open_named(&path);
            (path, opened)
        }
        Item::Stdin => return Ok((PathBuf::from(STDIN), Source::Stdin)),
        Item::Unreadable(path, reason) => (path, Err(reason)),
        Item::NoContent => return Err(Outcome::NoContent),
    };
    match opened {
        Ok(file) => Ok((path, Source::File(file))),
        Err(reason) => Err(Outcome::Unreadable(Box::new((path, reason)))),
    }
}

/// What the verdict about a content of so many bytes means for the scan.
pub(crate) fn outcome(path: PathBuf, bytes: u64, verdict: Verdict) -> Outcome {
    match &verdict.decision {
        Decision::Allow => Outcome::Clean { bytes },
        Decision::Act(_) => Outcome::Matched(Box::new(Matched { path, bytes, verdict })),
        Decision::Unreadable(reason) => Outcome::Unreadable(Box::new((path, reason.clone()))),
    }
}

/// Opens a file that the user named, through links.
fn open_named(path: &Path) -> Result<ReadAhead, Unreadable> {
    let real = fs::canonicalize(path).map_err(|error| {
        let gone = error.kind() == io::ErrorKind::NotFound;
        Unreadable::new(if gone { UnreadableKind::NotFound } else { UnreadableKind::ReadFailed }, error)
    })?;
    ReadAhead::open(&real)
}

/// Standard input, which tells how much was read.
pub(crate) struct ToldStdin<'a>(pub(crate) &'a dyn Fn(u64));

impl Read for ToldStdin<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = io::stdin().lock().read(buffer)?;
        (self.0)(bytes as u64);
        Ok(bytes)
    }
}
