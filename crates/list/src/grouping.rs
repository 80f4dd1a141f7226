//! Lines become entries.

use std::collections::{HashMap, HashSet};

use hashward_core::{Digest, EntryId, ListId};

use crate::ListEntry;

/// Parts what is hashed here from what anybody else hashes with BLAKE3 (its `derive_key` mode).
pub(crate) const CONTEXT: &str = "hashward 2026 entry id v1";

/// What a hash is made of, so that no two kinds can be taken for one another.
#[derive(Clone, Copy)]
enum Kind {
    /// A name.
    Name = 0,
    /// An algorithm and a digest without a name.
    Nameless = 1,
    /// A name's hash, and how many entries of that name came before.
    Ordinal = 2,
    /// A name's hash, an algorithm and a digest.
    Pair = 3,
}

/// 128 bits of a hash: nobody can make two names or digests meet, and no name is kept.
type Key = [u8; 16];

/// The newest entry of a name.
#[derive(Clone, Copy)]
struct Newest {
    /// Its place among all entries.
    entry: u32,
    /// How many entries of that name came before.
    ordinal: u32,
}

/// More entries than numbers for them.
#[derive(Debug)]
pub(crate) struct Full;

/// The entries of a file so far, and what further lines need to find theirs.
pub(crate) struct Grouping {
    list_key: [u8; 32],
    entries: Vec<ListEntry>,
    entries_max: u32,
    newest: HashMap<Key, Newest>,
    /// For names of several entries: which digests they hold, so that a repeated line makes no further entry.
    pairs: HashSet<Key>,
    buffer: Vec<u8>,
}

impl Grouping {
    pub(crate) fn new(list: &ListId, entries_max: u32) -> Self {
        Self {
            list_key: blake3::derive_key(CONTEXT, list.as_str().as_bytes()),
            entries: Vec::new(),
            entries_max,
            newest: HashMap::new(),
            pairs: HashSet::new(),
            buffer: Vec::new(),
        }
    }

    /// The entries, in the order of the lines on which they begin.
    pub(crate) fn into_entries(mut self) -> Vec<ListEntry> {
        self.entries.shrink_to_fit();
        self.entries
    }

    /// Takes a line's digest and name; an empty name is none.
    pub(crate) fn add(&mut self, line: u64, digest: &Digest, name: &[u8]) -> Result<(), Full> {
        if name.is_empty() {
            let hash = self.hash(Kind::Nameless, &[digest.algorithm().word().as_bytes(), digest.as_bytes()]);
            if !self.newest.contains_key(&key(&hash)) {
                self.begin(line, digest, &hash, 0)?;
            }
            return Ok(());
        }
        let hash = self.hash(Kind::Name, &[name]);
        let Some(newest) = self.newest.get(&key(&hash)).copied() else {
            return self.begin(line, digest, &hash, 0);
        };
        let place = newest.entry as usize;
        let held = self.entries[place].digest(digest.algorithm());
        if held.as_ref() == Some(digest) {
            return Ok(());
        }
        if held.is_none() && newest.ordinal == 0 {
            self.entries[place].insert(digest);
            return Ok(());
        }
        // From here on the name stands for several items, and no line says to which of them it belongs. A digest put
        // with the wrong one would contradict it, and soften the verdict on real matches: so each stands alone.
        if newest.ordinal == 0 {
            for held in self.entries[place].clone().digests() {
                self.note_pair(&hash, &held);
            }
        }
        if !self.note_pair(&hash, digest) {
            return Ok(());
        }
        self.begin(line, digest, &hash, newest.ordinal + 1)
    }

    /// Begins an entry of the name, or of the digest without a name, that `hash` stands for.
    fn begin(&mut self, line: u64, digest: &Digest, hash: &[u8; 32], ordinal: u32) -> Result<(), Full> {
        let entry = u32::try_from(self.entries.len()).ok().filter(|entry| *entry < self.entries_max);
        let entry = entry.ok_or(Full)?;
        let id_hash = match ordinal {
            0 => *hash,
            _ => self.hash(Kind::Ordinal, &[hash, &ordinal.to_le_bytes()]),
        };
        let id = EntryId(u64::from_be_bytes(first(&id_hash)));
        self.entries.push(ListEntry::new(id, line, digest));
        self.newest.insert(key(hash), Newest { entry, ordinal });
        Ok(())
    }

    /// Notes that an entry of the name holds the digest, and says whether that is new.
    fn note_pair(&mut self, name_hash: &[u8; 32], digest: &Digest) -> bool {
        let word = digest.algorithm().word().as_bytes();
        let hash = self.hash(Kind::Pair, &[name_hash, word, digest.as_bytes()]);
        self.pairs.insert(key(&hash))
    }

    /// BLAKE3 keyed for the list. At most one of the parts has no fixed length or is told apart by its
    /// length, so that they need nothing between them.
    fn hash(&mut self, kind: Kind, parts: &[&[u8]]) -> [u8; 32] {
        self.buffer.clear();
        self.buffer.push(kind as u8);
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        *blake3::keyed_hash(&self.list_key, &self.buffer).as_bytes()
    }
}

fn key(hash: &[u8; 32]) -> Key {
    first(hash)
}

/// The first `N` bytes of a hash; `N` is at most 32.
fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    *hash.first_chunk().expect("a hash is longer than what is taken of it")
}
