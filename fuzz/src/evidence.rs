//! The parts of an evidence log, its proofs and keys, from hostile hands: they are read without a crash, and what was read has
//! one way to be written, so that no byte of a file goes unread.
//!
//! The tests of `hashward-evidence` take in this file, too, and replay the corpus.

use hashward_evidence::{Proof, Record, SignedCheckpoint, VerifierKey, bundle_entries, tile_hashes};

/// A key that signed none of the inputs.
const STRANGER: &str = "example.org/stranger+36ac1498+AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";

/// The first byte says what the rest is to be read as.
pub fn check(input: &[u8]) {
    let Some((kind, file)) = input.split_first() else { return };
    match kind % 6 {
        0 => checkpoint(file),
        1 => proof(file),
        2 => key(file),
        3 => bundle(file),
        4 => tile(file),
        _ => record(file),
    }
}

fn checkpoint(file: &[u8]) {
    let Ok(text) = std::str::from_utf8(file) else { return };
    let Ok(checkpoint) = text.parse::<SignedCheckpoint>() else { return };
    assert_eq!(checkpoint.as_str(), text);
    let stranger: VerifierKey = STRANGER.parse().expect("the key is one");
    assert!(checkpoint.signed_by(&stranger, "fuzz").is_err());
}

fn proof(file: &[u8]) {
    let Ok(proof) = Proof::parse(file) else { return };
    assert_eq!(proof.to_text().as_bytes(), file);
}

fn key(file: &[u8]) {
    let Ok(text) = std::str::from_utf8(file) else { return };
    let Ok(key) = text.parse::<VerifierKey>() else { return };
    assert_eq!(key.to_string(), text.trim_end());
}

fn bundle(file: &[u8]) {
    let Some((width, file)) = file.split_first() else { return };
    let Ok(entries) = bundle_entries(file, u64::from(*width)) else { return };
    assert_eq!(entries.len(), usize::from(*width));
    let mut written = Vec::new();
    for entry in entries {
        written.extend(u16::try_from(entry.len()).expect("an entry is small").to_be_bytes());
        written.extend(entry);
    }
    assert_eq!(written, file);
}

fn tile(file: &[u8]) {
    let Some((width, file)) = file.split_first() else { return };
    let Ok(hashes) = tile_hashes(file, u64::from(*width)) else { return };
    assert_eq!(hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>(), file);
}

fn record(file: &[u8]) {
    let Some(record) = Record::from_entry(file) else { return };
    let written = serde_json::to_vec(&record).expect("a record is JSON");
    assert_eq!(Record::from_entry(&written).map(|read| read.what), Some(record.what));
}
