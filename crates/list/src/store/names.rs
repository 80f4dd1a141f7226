//! What an entry is found by: 64-bit hashes of its id, its key and its signals.

use std::collections::BTreeMap;

use hashward_core::{Digest, Digests, EntryId, ListId};

use super::StoredEntry;
use super::intake::Stated;
use crate::grouping::CONTEXT;

/// What a hash is made of, so that no two kinds can be taken for one another. The first three are those of text lists,
/// so that an entry keeps its id when a text list becomes a folder; 3 is not used here.
#[derive(Clone, Copy)]
enum Kind {
    /// A key.
    Key = 0,
    /// An algorithm and a digest.
    Digest = 1,
    /// Another name's hash, and how many entries were born by that name before.
    Ordinal = 2,
    /// A kind of unmatched signal and its value.
    Unmatched = 4,
}

/// Names entries, and what leads to them, for one list.
///
/// A name only says where to look: what an entry is, its row says. So two names that meet by chance do no harm.
pub(super) struct Names {
    list_key: [u8; 32],
}

impl Names {
    pub(super) fn new(list: &ListId) -> Self {
        Self { list_key: blake3::derive_key(CONTEXT, list.as_str().as_bytes()) }
    }

    pub(super) fn of_key(&self, key: &str) -> u64 {
        short(&self.hash(Kind::Key, &[key.as_bytes()]))
    }

    pub(super) fn of_digest(&self, digest: &Digest) -> u64 {
        short(&self.digest_hash(digest))
    }

    pub(super) fn of_unmatched(&self, kind: &str, value: &str) -> u64 {
        short(&self.unmatched_hash(kind, value))
    }

    /// The names of signals.
    pub(super) fn of_signals(&self, digests: &Digests, unmatched: &BTreeMap<String, String>) -> Vec<u64> {
        let of_digests = digests.iter().map(|digest| self.of_digest(&digest));
        let of_unmatched = unmatched.iter().map(|(kind, value)| self.of_unmatched(kind, value));
        of_digests.chain(of_unmatched).collect()
    }

    /// All names of an entry, each once: its id, its key, its signals.
    pub(super) fn of_entry(&self, entry: &StoredEntry) -> Vec<u64> {
        let mut names = self.of_signals(&entry.digests, &entry.unmatched_signals);
        names.push(entry.id.0);
        names.extend(entry.key.as_deref().map(|key| self.of_key(key)));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The id of an entry that is born of what is stated, after `ordinal` others of the same name: by its key, without one
    /// by its first digest, without any by its first unmatched signal.
    pub(super) fn id(&self, stated: &Stated, ordinal: u32) -> EntryId {
        let hash = if let Some(key) = stated.key {
            self.hash(Kind::Key, &[key.as_bytes()])
        } else if let Some(digest) = stated.statement.digests.iter().next() {
            self.digest_hash(&digest)
        } else {
            let first = stated.statement.unmatched_signals.first_key_value();
            let (kind, value) = first.expect("what is taken in has a signal");
            self.unmatched_hash(kind, value)
        };
        match ordinal {
            0 => EntryId(short(&hash)),
            _ => EntryId(short(&self.hash(Kind::Ordinal, &[&hash, &ordinal.to_le_bytes()]))),
        }
    }

    fn digest_hash(&self, digest: &Digest) -> [u8; 32] {
        self.hash(Kind::Digest, &[digest.algorithm().word().as_bytes(), digest.as_bytes()])
    }

    fn unmatched_hash(&self, kind: &str, value: &str) -> [u8; 32] {
        self.hash(Kind::Unmatched, &[&(kind.len() as u64).to_le_bytes(), kind.as_bytes(), value.as_bytes()])
    }

    /// BLAKE3 keyed for the list. At most one of the parts has no fixed length, or what stands before it tells its
    /// length, so that they need nothing between them.
    fn hash(&self, kind: Kind, parts: &[&[u8]]) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
        bytes.push(kind as u8);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        *blake3::keyed_hash(&self.list_key, &bytes).as_bytes()
    }
}

fn short(hash: &[u8; 32]) -> u64 {
    u64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}
