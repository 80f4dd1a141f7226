//! What is read, and what came of it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hashward_core::{Decision, Unreadable, UnreadableKind, Verdict};
use hashward_engine::{Content, Policy, Snapshot, check, read_content};
use hashward_local::{open_file, walk};

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

/// Everything at and below the named paths with its length, in the order of the names.
pub(crate) fn items(paths: &[PathBuf]) -> impl Iterator<Item = (Item, u64)> + '_ {
    paths.iter().flat_map(|path| below(path))
}

fn below(path: &Path) -> Box<dyn Iterator<Item = (Item, u64)> + '_> {
    if path == Path::new(STDIN) {
        return Box::new(std::iter::once((Item::Stdin, 0)));
    }
    if let Ok(metadata) = fs::metadata(path)
        && metadata.is_file()
    {
        return Box::new(std::iter::once((Item::Named(path.to_owned()), metadata.len())));
    }
    Box::new(walk(path).map(move |step| match step {
        Ok(found) => (Item::File(found.path), found.bytes),
        Err(skipped) if skipped.reason.kind == UnreadableKind::NotAFile && skipped.path != path => {
            (Item::NoContent, 0)
        }
        Err(skipped) => (Item::Unreadable(skipped.path, skipped.reason), 0),
    }))
}

/// Reads and judges one item, with the memory of `buffer`. `read` is told each piece of bytes that was read.
pub(crate) fn judge(
    item: Item,
    (snapshot, policy): (&Snapshot, &Policy),
    content_bytes_max: u64,
    buffer: &mut [u8],
    read: &dyn Fn(u64),
) -> Outcome {
    let (path, opened): (PathBuf, Result<Box<dyn Read>, Unreadable>) = match item {
        Item::File(path) => {
            let opened = open_file(&path).map(|file| Box::new(file) as Box<dyn Read>);
            (path, opened)
        }
        Item::Named(path) => {
            let opened = open_named(&path);
            (path, opened)
        }
        Item::Stdin => (PathBuf::from(STDIN), Ok(Box::new(io::stdin().lock()))),
        Item::Unreadable(path, reason) => (path, Err(reason)),
        Item::NoContent => return Outcome::NoContent,
    };
    let digests = opened
        .and_then(|reader| read_content(&mut Told { reader, read }, snapshot, buffer, content_bytes_max));
    let (content, bytes) = match digests {
        Ok((digests, bytes)) => (Content::Digests(digests), bytes),
        Err(reason) => (Content::Unreadable(reason), 0),
    };
    let verdict = check(snapshot, policy, &content);
    match &verdict.decision {
        Decision::Allow => Outcome::Clean { bytes },
        Decision::Act(_) => Outcome::Matched(Box::new(Matched { path, bytes, verdict })),
        Decision::Unreadable(reason) => Outcome::Unreadable(Box::new((path, reason.clone()))),
    }
}

/// Opens a file that the user named, through links.
fn open_named(path: &Path) -> Result<Box<dyn Read>, Unreadable> {
    let real = fs::canonicalize(path).map_err(|error| {
        let gone = error.kind() == io::ErrorKind::NotFound;
        Unreadable::new(if gone { UnreadableKind::NotFound } else { UnreadableKind::ReadFailed }, error)
    })?;
    open_file(&real).map(|file| Box::new(file) as Box<dyn Read>)
}

/// A reader that tells how much was read.
struct Told<'a> {
    reader: Box<dyn Read>,
    read: &'a dyn Fn(u64),
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        (self.read)(bytes as u64);
        Ok(bytes)
    }
}
