//! Target files, rows and headers of releases: whatever they hold, they are read or refused, and what is read has one form.
//!
//! The tests of `hashward-release` take in this file, too, and replay the corpus.

use hashward_release::{Header, Records, decode, encode};
use serde_json::{Value, json};

/// The first byte of an input says what the rest is.
pub fn check(input: &[u8]) {
    let Some((what, rest)) = input.split_first() else { return };
    let kind = if what & 4 == 0 { "snapshot" } else { "delta" };
    match what & 3 {
        0 => row(rest),
        1 => header(rest),
        2 => file(rest, kind, 64 * 1024),
        // What is in a file: few bytes that are found by chance can be decompressed.
        _ => {
            let compressed = zstd::encode_all(rest, 1).expect("memory");
            file(&compressed, kind, rest.len() as u64);
        }
    }
}

fn row(bytes: &[u8]) {
    let Ok(entry) = decode(bytes) else { return };
    let mut again = Vec::new();
    encode(&entry, &mut again);
    assert!(again == bytes, "a row has one form");
}

fn header(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return };
    let Ok(header) = Header::parse(&json) else { return };
    assert_eq!(Header::parse(&header.to_json()).expect("what was written is read"), header);
}

fn file(bytes: &[u8], kind: &str, content_bytes: u64) {
    let Ok(records) = Records::of_bytes(bytes, &signed(kind, content_bytes)) else { return };
    // Each has two bytes of its length, and a key at least.
    if let Ok(count) = records.count_all() {
        assert!(count <= content_bytes / 10, "{count} rows in {content_bytes} bytes");
    }
}

/// What was signed of the file.
fn signed(kind: &str, content_bytes: u64) -> Header {
    let checksum = "00".repeat(32);
    let list = json!({
        "id": "fuzz", "owner": null, "category": "unspecified", "legal_basis": null, "reference": null,
        "territories": [], "action": "review", "priority": "normal", "contact": null, "deadline_minutes": null,
    });
    let header = json!({
        "format": 1, "kind": kind, "list": list, "release": 2, "previous": checksum,
        "created": "2026-11-28T00:00:00Z", "expires": "2026-11-29T00:00:00Z", "state": 1, "entries": 1,
        "digests": { "md5": 1 }, "bucket_bits": 0, "checksum": checksum, "content_bytes": content_bytes,
        "encrypted": false, "chain": { "snapshot": 1, "snapshot_bytes": 1, "deltas_bytes": 1 },
    });
    Header::parse(&header).expect("a good header")
}
