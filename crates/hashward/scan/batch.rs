//! Reads and judges what one digesting thread took: small files side by side, the others one by one.

use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;

use hashward_core::{Unreadable, UnreadableKind};
use hashward_digest::{digest_many, read_full};
use hashward_engine::{Conditions, Content, Policy, Snapshot, check, check_all, read_content};

use super::work::{Item, Outcome, Told, open, outcome};

/// A file up to this length is read whole, to be digested beside others.
const SMALL_FILE_BYTES: usize = 1024 * 1024;
/// So many items a thread takes at once: enough to fill every lane that a processor has.
const BATCH_ITEMS: usize = 64;
/// Once so many bytes are to be read, a thread takes no more items.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The memory of the small files of one thread: what it takes at once, and one file more.
const ARENA_BYTES: usize = BATCH_BYTES + SMALL_FILE_BYTES + 1;

/// An item on its way: its number, itself, and its length when it was seen.
pub(crate) type Numbered = (u64, Item, u64);

/// Takes as many items as go together, of those that `next` has at once, after `first`.
pub(crate) fn take(first: Numbered, mut next: impl FnMut() -> Option<Numbered>) -> Vec<Numbered> {
    let mut bytes = first.2;
    // Standard input may keep its reader waiting, so nothing waits behind it.
    let mut is_full = first.1 == Item::Stdin;
    let mut taken = vec![first];
    while !is_full && taken.len() < BATCH_ITEMS && bytes < BATCH_BYTES as u64 {
        let Some(item) = next() else { break };
        bytes = bytes.saturating_add(item.2);
        is_full = item.1 == Item::Stdin;
        taken.push(item);
    }
    taken
}

/// What verdicts are made by: the same for the whole of a scan.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    /// The lists.
    pub(crate) snapshot: &'a Snapshot,
    /// What the provider decided.
    pub(crate) policy: &'a Policy,
    /// The moment of the scan.
    pub(crate) conditions: &'a Conditions,
}

/// One thread's memory, and what it judges by.
pub(crate) struct Batcher<'a> {
    basis: Basis<'a>,
    content_bytes_max: u64,
    read: &'a dyn Fn(u64),
    buffer: Vec<u8>,
    arena: Vec<u8>,
    small: Vec<Small>,
}

/// A small file in the arena.
struct Small {
    number: u64,
    path: PathBuf,
    range: Range<usize>,
}

impl<'a> Batcher<'a> {
    /// `read` is told each piece of bytes that was read; large files are read by `buffer_bytes`.
    pub(crate) fn new(
        basis: Basis<'a>,
        content_bytes_max: u64,
        buffer_bytes: usize,
        read: &'a dyn Fn(u64),
    ) -> Self {
        let (buffer, arena) = (vec![0; buffer_bytes], vec![0; ARENA_BYTES]);
        Self { basis, content_bytes_max, read, buffer, arena, small: Vec::new() }
    }

    /// Reads and judges each item. `tell` gets the outcomes with their numbers, in any order.
    pub(crate) fn judge(&mut self, items: Vec<Numbered>, tell: &mut dyn FnMut(u64, Outcome)) {
        let small_bytes_max = self.content_bytes_max.min(SMALL_FILE_BYTES as u64);
        let mut large = Vec::new();
        for (number, item, bytes) in items {
            if bytes > small_bytes_max || item == Item::Stdin {
                large.push((number, item));
                continue;
            }
            match open(item) {
                Ok((path, reader)) => self.read_small(number, path, reader, small_bytes_max, tell),
                Err(outcome) => tell(number, outcome),
            }
        }
        self.judge_small(tell);
        for (number, item) in large {
            match open(item) {
                Ok((path, reader)) => {
                    let mut reader = Told { reader, read: self.read };
                    tell(number, self.stream(path, &mut reader));
                }
                Err(outcome) => tell(number, outcome),
            }
        }
    }

    /// Reads one file into the arena. If it has grown, what was read is only its beginning.
    fn read_small(
        &mut self,
        number: u64,
        path: PathBuf,
        reader: Box<dyn Read>,
        small_bytes_max: u64,
        tell: &mut dyn FnMut(u64, Outcome),
    ) {
        let window_bytes = usize::try_from(small_bytes_max).expect("a small file fits into memory") + 1;
        let used = |small: &[Small]| small.last().map_or(0, |last| last.range.end);
        // Files that grew since they were seen can fill the arena early.
        if ARENA_BYTES - used(&self.small) < window_bytes {
            self.judge_small(tell);
        }
        let start = used(&self.small);
        let mut reader = Told { reader, read: self.read };
        match read_full(&mut reader, &mut self.arena[start..start + window_bytes]) {
            Ok(bytes) if bytes == window_bytes => {
                let beginning = self.arena[start..start + bytes].to_vec();
                tell(number, self.stream(path, &mut beginning.chain(reader)));
            }
            Ok(bytes) => self.small.push(Small { number, path, range: start..start + bytes }),
            Err(error) => {
                let reason = Unreadable::new(UnreadableKind::ReadFailed, error);
                tell(number, Outcome::Unreadable(Box::new((path, reason))));
            }
        }
    }

    /// Digests and judges what is in the arena, side by side.
    fn judge_small(&mut self, tell: &mut dyn FnMut(u64, Outcome)) {
        let Basis { snapshot, policy, conditions } = self.basis;
        let contents: Vec<&[u8]> = self.small.iter().map(|small| &self.arena[small.range.clone()]).collect();
        let digests = digest_many(snapshot.algorithms(), &contents);
        let contents: Vec<Content> = digests.into_iter().map(Content::Digests).collect();
        let verdicts = check_all(snapshot, policy, conditions, &contents);
        for (small, verdict) in self.small.drain(..).zip(verdicts) {
            tell(small.number, outcome(small.path, small.range.len() as u64, verdict));
        }
    }

    /// Reads, digests and judges one content by itself.
    fn stream(&mut self, path: PathBuf, reader: &mut dyn Read) -> Outcome {
        let Basis { snapshot, policy, conditions } = self.basis;
        let read = read_content(reader, snapshot, &mut self.buffer, self.content_bytes_max);
        let (content, bytes) = match read {
            Ok((digests, bytes)) => (Content::Digests(digests), bytes),
            Err(reason) => (Content::Unreadable(reason), 0),
        };
        let verdict = check(snapshot, policy, conditions, &content);
        outcome(path, bytes, verdict)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hashward_core::{Algorithm, AlgorithmSet, Generation};
    use hashward_list::LoadOptions;
    use jiff::Timestamp;

    use super::*;

    /// What comes of files whose lengths were seen as the first number of each pair, and are the second. The list holds
    /// the digest of `LISTED_BYTES` zeros.
    fn outcomes(lengths: &[(u64, usize)], content_bytes_max: u64) -> Vec<&'static str> {
        const LISTED_BYTES: usize = SMALL_FILE_BYTES + 1;
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("list.txt");
        let listed = digest_many(AlgorithmSet::EMPTY.with(Algorithm::Sha256), &[&vec![0; LISTED_BYTES]]);
        let listed = listed[0].iter().next().unwrap();
        fs::write(&list, listed.to_hex()).unwrap();
        let list = hashward_list::load(&list, &LoadOptions { skip_bad_lines: false }).unwrap();
        let snapshot = Snapshot::build(Generation(1), vec![list]).unwrap();
        let items = lengths.iter().zip(0..).map(|((seen, is), number)| {
            let path = dir.path().join(number.to_string());
            fs::write(&path, vec![0; *is]).unwrap();
            (number, Item::File(path), *seen)
        });
        let items = items.collect();
        let (policy, conditions) = (Policy::default(), Conditions::at(Timestamp::UNIX_EPOCH));
        let basis = Basis { snapshot: &snapshot, policy: &policy, conditions: &conditions };
        let mut batcher = Batcher::new(basis, content_bytes_max, 4096, &|_| {});
        let mut told = vec![""; lengths.len()];
        batcher.judge(items, &mut |number, outcome| {
            let word = match outcome {
                Outcome::Clean { .. } => "clean",
                Outcome::Matched(_) => "matched",
                Outcome::Unreadable(_) => "unreadable",
                Outcome::NoContent => "no content",
            };
            let place = usize::try_from(number).unwrap();
            assert_eq!(std::mem::replace(&mut told[place], word), "", "{place} is told once");
        });
        told
    }

    #[test]
    fn a_file_that_changed_since_it_was_seen_is_judged_as_it_is() {
        let listed = SMALL_FILE_BYTES + 1;
        let lengths = [(7, listed), (7, listed + 1), (7, 0), (u64::MAX, listed), (u64::MAX, 1)];
        assert_eq!(outcomes(&lengths, u64::MAX), ["matched", "clean", "clean", "matched", "clean"]);
    }

    #[test]
    fn files_that_grew_do_not_overfill_the_memory() {
        let lengths = [(1, SMALL_FILE_BYTES); BATCH_ITEMS / 4];
        assert_eq!(outcomes(&lengths, u64::MAX), ["clean"; BATCH_ITEMS / 4]);
    }

    #[test]
    fn the_largest_content_is_exact() {
        let lengths = [(10, 10), (11, 11), (10, 11), (11, 10)];
        assert_eq!(outcomes(&lengths, 10), ["clean", "unreadable", "unreadable", "clean"]);
    }

    #[test]
    fn what_is_taken_at_once_is_bounded() {
        let item = |bytes| (0, Item::File(PathBuf::new()), bytes);
        let taken = |bytes| take(item(bytes), || Some(item(bytes))).len();
        assert_eq!(taken(1), BATCH_ITEMS);
        assert_eq!(taken(BATCH_BYTES as u64 / 2), 2);
        assert_eq!(taken(u64::MAX), 1);
        assert_eq!(take(item(1), || None).len(), 1);
        assert_eq!(take((0, Item::Stdin, 0), || Some(item(1))).len(), 1);
    }
}
