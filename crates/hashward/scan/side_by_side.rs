//! Reads, digests and judges the files of one digesting thread, some dozens side by side.
//!
//! A file's bytes go from the page cache into the buffer of its stream and from there into a lane. A file that ends makes
//! room for the next, so lanes stay full to the last files. What is not in memory is asked for when a file is opened, and
//! read when the lanes have done what was there before.

use std::collections::HashMap;
use std::path::PathBuf;

use hashward_core::{Digests, Unreadable, UnreadableKind};
use hashward_digest::{Path as DigestPath, ReadError, StreamId, StreamPool};
use hashward_engine::{Conditions, Content, Policy, Snapshot, check, check_all, read_content};
use hashward_local::{Piece, ReadAhead};

use super::group::Numbered;
use super::work::{Outcome, Source, ToldStdin, open, outcome};

/// The buffer of each file: 64 KiB. All those of a thread stay in its core's cache for the most part.
const BUFFER_BYTES: usize = 64 * 1024;

/// What verdicts are made by, as long as the lists do not change.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    /// The lists.
    pub(crate) snapshot: &'a Snapshot,
    /// What the provider decided.
    pub(crate) policy: &'a Policy,
    /// The moment of the scan.
    pub(crate) conditions: &'a Conditions,
}

/// One thread's files, and what it judges by.
pub(crate) struct SideBySide<'a> {
    basis: Basis<'a>,
    content_bytes_max: u64,
    read: &'a dyn Fn(u64),
    files_max: usize,
    lanes: usize,
    pool: StreamPool,
    /// Files that are not read to their end.
    reading: Vec<Reading>,
    /// Files whose end was read.
    ended: HashMap<StreamId, Seen>,
    /// The memory for what is read by itself.
    buffer: Vec<u8>,
    told: Vec<(u64, Outcome)>,
}

/// An item and how much of it was read.
struct Seen {
    number: u64,
    path: PathBuf,
    bytes: u64,
}

struct Reading {
    id: StreamId,
    file: ReadAhead,
    seen: Seen,
}

/// How far a file was read.
#[derive(Eq, PartialEq)]
enum Filled {
    ForNow,
    ToItsEnd,
}

impl<'a> SideBySide<'a> {
    /// Has at most `files_max` files open. `read` is told the length of each piece of bytes that was read.
    pub(crate) fn new(
        basis: Basis<'a>,
        content_bytes_max: u64,
        files_max: usize,
        buffer_bytes: usize,
        read: &'a dyn Fn(u64),
    ) -> Self {
        Self {
            basis,
            content_bytes_max,
            read,
            files_max,
            lanes: DigestPath::chosen().lanes(),
            pool: StreamPool::new(basis.snapshot.algorithms(), files_max, BUFFER_BYTES),
            reading: Vec::new(),
            ended: HashMap::new(),
            buffer: vec![0; buffer_bytes],
            told: Vec::new(),
        }
    }

    /// Whether nothing is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.reading.is_empty() && self.ended.is_empty()
    }

    /// Whether another item may come before the next step.
    pub(crate) fn has_room(&self) -> bool {
        self.pool.open_streams() < self.files_max
    }

    /// Whether there is a file for every lane, so that all of them get on.
    pub(crate) fn fills_lanes(&self) -> bool {
        self.pool.open_streams() >= self.lanes
    }

    /// Opens an item. If nothing else is open, standard input is read to its end at once.
    pub(crate) fn admit(&mut self, (number, item, _): Numbered) {
        match open(item) {
            Err(outcome) => self.told.push((number, outcome)),
            Ok((path, Source::Stdin)) => {
                let outcome = self.stdin(path);
                self.told.push((number, outcome));
            }
            Ok((path, Source::File(file))) => {
                let id = self.pool.open().expect("there is room");
                self.reading.push(Reading { id, file, seen: Seen { number, path, bytes: 0 } });
            }
        }
    }

    /// Reads what there is and takes it through the lanes.
    pub(crate) fn step(&mut self) {
        let fills_lanes = self.fills_lanes();
        self.fill();
        // The last few can wait: company comes.
        let digested = if fills_lanes { self.pool.advance_full() } else { self.pool.advance_all() };
        self.judge(digested);
    }

    /// What came of items since this was asked last, with their numbers, in any order.
    pub(crate) fn take_told(&mut self) -> Vec<(u64, Outcome)> {
        std::mem::take(&mut self.told)
    }

    fn fill(&mut self) {
        for mut reading in std::mem::take(&mut self.reading) {
            match self.fill_one(&mut reading) {
                Ok(Filled::ForNow) => self.reading.push(reading),
                Ok(Filled::ToItsEnd) => {
                    self.pool.end(reading.id).expect("it is open");
                    self.ended.insert(reading.id, reading.seen);
                }
                Err(reason) => {
                    self.pool.close(reading.id).expect("it is open");
                    let Seen { number, path, .. } = reading.seen;
                    self.told.push((number, Outcome::Unreadable(Box::new((path, reason)))));
                }
            }
        }
    }

    /// Reads a file's next bytes, if it wants some: as much as its buffer takes, or as there is in memory.
    fn fill_one(&mut self, reading: &mut Reading) -> Result<Filled, Unreadable> {
        let Reading { id, file, seen } = reading;
        if !self.pool.wants_bytes(*id).expect("it is open") {
            return Ok(Filled::ForNow);
        }
        loop {
            let space = self.pool.space(*id).expect("it is open");
            // One byte more than allowed tells that there is more.
            let left = (self.content_bytes_max - seen.bytes).saturating_add(1);
            let window_bytes = usize::try_from(left).map_or(space.len(), |left| left.min(space.len()));
            let is_whole = window_bytes == space.len();
            let (bytes, is_at_end) = match file.read(&mut space[..window_bytes]) {
                Ok(Piece::Bytes(bytes)) => (bytes, false),
                Ok(Piece::Last(bytes)) => (bytes, true),
                Ok(Piece::NotYet) => return Ok(Filled::ForNow),
                Err(error) => return Err(Unreadable::new(UnreadableKind::ReadFailed, error)),
            };
            self.pool.filled(*id, bytes).expect("it is open");
            seen.bytes += bytes as u64;
            (self.read)(bytes as u64);
            if seen.bytes > self.content_bytes_max {
                let error = ReadError::TooLarge { content_bytes_max: self.content_bytes_max };
                return Err(Unreadable::new(UnreadableKind::TooLarge, error));
            }
            if is_at_end {
                return Ok(Filled::ToItsEnd);
            }
            if is_whole && bytes == window_bytes {
                return Ok(Filled::ForNow);
            }
        }
    }

    /// Judges files that are digested, with one batch of lookups.
    fn judge(&mut self, digested: Vec<(StreamId, Digests)>) {
        let Basis { snapshot, policy, conditions } = self.basis;
        let (ids, contents): (Vec<_>, Vec<_>) =
            digested.into_iter().map(|(id, digests)| (id, Content::Digests(digests))).unzip();
        let verdicts = check_all(snapshot, policy, conditions, &contents);
        for (id, verdict) in ids.into_iter().zip(verdicts) {
            let Seen { number, path, bytes } =
                self.ended.remove(&id).expect("only what has ended is digested");
            self.told.push((number, outcome(path, bytes, verdict)));
        }
    }

    fn stdin(&mut self, path: PathBuf) -> Outcome {
        let Basis { snapshot, policy, conditions } = self.basis;
        let mut reader = ToldStdin(self.read);
        let read = read_content(&mut reader, snapshot, &mut self.buffer, self.content_bytes_max);
        let (content, bytes) = match read {
            Ok((digests, bytes)) => (Content::Digests(digests), bytes),
            Err(reason) => (Content::Unreadable(reason), 0),
        };
        outcome(path, bytes, check(snapshot, policy, conditions, &content))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hashward_core::{Algorithm, AlgorithmSet, Generation};
    use hashward_digest::digest_many;
    use hashward_list::LoadOptions;
    use jiff::Timestamp;

    use super::super::work::Item;
    use super::*;

    /// What comes of files whose lengths were seen as the first number of each pair, and are the second. The list holds
    /// the digest of `LISTED_BYTES` zeros.
    fn outcomes(lengths: &[(u64, usize)], content_bytes_max: u64, files_max: usize) -> Vec<&'static str> {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("list.txt");
        let listed = digest_many(AlgorithmSet::EMPTY.with(Algorithm::Sha256), &[&vec![0; LISTED_BYTES]]);
        let listed = listed[0].iter().next().unwrap();
        fs::write(&list, listed.to_hex()).unwrap();
        let list = hashward_list::load(&list, &LoadOptions { skip_bad_lines: false }).unwrap();
        let snapshot = Snapshot::build(Generation(1), vec![list]).unwrap();
        let (policy, conditions) = (Policy::default(), Conditions::at(Timestamp::UNIX_EPOCH));
        let basis = Basis { snapshot: &snapshot, policy: &policy, conditions: &conditions };
        let bytes_read = std::cell::Cell::new(0);
        let read = |bytes| bytes_read.set(bytes_read.get() + bytes);
        let mut files = SideBySide::new(basis, content_bytes_max, files_max, 4096, &read);
        let mut items = lengths.iter().zip(0..).map(|((seen, is), number)| {
            let path = dir.path().join(number.to_string());
            fs::write(&path, vec![0; *is]).unwrap();
            (number, Item::File(path), *seen)
        });
        let mut words = vec![""; lengths.len()];
        loop {
            while files.has_room()
                && let Some(item) = items.next()
            {
                files.admit(item);
            }
            if files.is_empty() {
                break;
            }
            files.step();
            for (number, outcome) in files.take_told() {
                let word = match outcome {
                    Outcome::Clean { .. } => "clean",
                    Outcome::Matched(_) => "matched",
                    Outcome::Unreadable(_) => "unreadable",
                    Outcome::NoContent => "no content",
                };
                let place = usize::try_from(number).unwrap();
                assert_eq!(std::mem::replace(&mut words[place], word), "", "{place} is told once");
            }
        }
        let expected: u64 = lengths.iter().map(|(_, is)| (*is as u64).min(content_bytes_max + 1)).sum();
        assert_eq!(bytes_read.get(), expected, "each byte is read and told once");
        words
    }

    const LISTED_BYTES: usize = 1024 * 1024 + 1;
    const ANY: u64 = 1 << 40;

    #[test]
    fn a_file_that_changed_since_it_was_seen_is_judged_as_it_is() {
        let listed = LISTED_BYTES;
        let lengths = [(7, listed), (7, listed + 1), (7, 0), (u64::MAX, listed), (u64::MAX, 1)];
        for files_max in [1, 2, 48] {
            assert_eq!(outcomes(&lengths, ANY, files_max), ["matched", "clean", "clean", "matched", "clean"]);
        }
    }

    #[test]
    fn long_and_short_files_side_by_side() {
        let length = |n: usize| if n.is_multiple_of(9) { LISTED_BYTES } else { n * 1_000 };
        let lengths: Vec<_> = (0..150).map(|n| (length(n) as u64, length(n))).collect();
        let words = outcomes(&lengths, ANY, 20);
        for (n, word) in words.into_iter().enumerate() {
            assert_eq!(word, if n % 9 == 0 { "matched" } else { "clean" }, "{n}");
        }
    }

    /// No company comes, and it is judged nevertheless.
    #[test]
    fn a_lone_file_does_not_wait() {
        assert_eq!(outcomes(&[(1, LISTED_BYTES)], ANY, 48), ["matched"]);
    }

    #[test]
    fn the_largest_content_is_exact() {
        let lengths = [(10, 10), (11, 11), (10, 11), (11, 10)];
        assert_eq!(outcomes(&lengths, 10, 48), ["clean", "unreadable", "unreadable", "clean"]);
        let full = BUFFER_BYTES;
        let lengths = [full - 1, full, full + 1, full + 2].map(|bytes| (bytes as u64, bytes));
        assert_eq!(outcomes(&lengths, full as u64, 48), ["clean", "clean", "unreadable", "unreadable"]);
    }
}
