use std::fs::{self, File};

use hashward_core::{Algorithm, Category, Digest, EntryId};

use super::{LAYOUTS, entries, key, scattered};
use crate::{EntryNumber, EntryRecord, Index, IndexError, IndexWriter, Layout, SignalIndex};

const ENTRIES: u64 = 140;

/// A small file of two blocks in which every part has some bytes, and some of its digests.
fn small(layout: Layout) -> (Vec<u8>, Vec<Digest>) {
    let mut writer = IndexWriter::in_memory(&key()).unwrap().with_layout(layout);
    let mut held = Vec::new();
    let category: Category = "own:test".parse().unwrap();
    for number in 0..ENTRIES {
        let digests = [scattered(2 * number), scattered(2 * number + 1)];
        let reference = format!("case {number}");
        let record = EntryRecord {
            category: Some(&category),
            reference: Some(&reference),
            size_bytes: Some(number),
            ..EntryRecord::new(1, EntryId(number))
        };
        writer.add(&record, &digests).unwrap();
        held.extend(digests);
    }
    // Enough to touch every bucket.
    let some = held.into_iter().step_by(4).collect();
    (writer.finish_to_bytes(&[b'c'; 2000]).unwrap(), some)
}

/// Asks for digests of all parts, for strangers and for records: each answer is right, or is damage. Returns whether
/// some was damage.
fn ask(index: &Index, whole: &Index, held: &[Digest]) -> bool {
    let mut damaged = false;
    let mut note = |error: IndexError| {
        assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
        damaged = true;
    };
    let strangers: Vec<Digest> = (0..10).map(|number| scattered(1 << 40 | number)).collect();
    for digests in held.chunks(64).chain([&strangers[..]]) {
        let mut found = vec![Vec::new(); digests.len()];
        match index.lookup_batch(digests, &mut |place, entry| found[place].push(entry.0)) {
            Ok(()) => assert_eq!(found, entries(whole, digests)),
            Err(error) => note(error),
        }
    }
    for number in (0..u32::try_from(ENTRIES).unwrap()).step_by(9).map(EntryNumber) {
        match index.record(number) {
            Ok(record) => assert_eq!(record, whole.record(number).unwrap()),
            Err(error) => note(error),
        }
    }
    match index.catalogue() {
        Ok(catalogue) => assert_eq!(catalogue, [b'c'; 2000]),
        Err(error) => note(error),
    }
    damaged
}

#[test]
fn every_flipped_byte_is_seen() {
    for layout in LAYOUTS {
        let (bytes, held) = small(layout);
        let whole = Index::from_bytes(bytes.clone(), &key()).unwrap();
        assert!(!ask(&whole, &whole, &held));
        whole.verify().unwrap();
        let (mut refused, mut touched) = (0, 0);
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            match Index::from_bytes(bytes, &key()) {
                Err(_) => refused += 1,
                Ok(index) => {
                    touched += usize::from(ask(&index, &whole, &held));
                    let error = index.verify().unwrap_err();
                    assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
                }
            }
        }
        assert!(refused >= 4096, "{layout:?}: a flip in the header was accepted");
        // All but the trailer and padding is in a block that some question touches.
        assert_eq!(refused + touched, bytes.len() - 32, "{layout:?}: a flip went unseen");
    }
}

#[test]
fn files_of_every_other_length_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for layout in LAYOUTS {
        let (bytes, _) = small(layout);
        let path = folder.path().join("cut");
        fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for length in (0..=bytes.len() + 1).rev().filter(|length| *length != bytes.len()) {
            file.set_len(length as u64).unwrap();
            let error = Index::open(&path, &key()).unwrap_err();
            let IndexError::Length { found, expected, .. } = error else { panic!("{length}: {error}") };
            assert!(found == length as u64 && expected != found);
            assert!(Index::from_bytes(bytes[..length.min(bytes.len() - 1)].to_vec(), &key()).is_err());
        }
    }
}

/// A block that stands where another belongs has a right checksum of its own, and a wrong place.
#[test]
fn blocks_in_each_others_place_are_seen() {
    let digests: Vec<Vec<Digest>> = (0..2000).map(|number| vec![scattered(number)]).collect();
    let mut bytes = super::bytes_of(&digests, Layout::LineTable);
    let (first, second) = bytes[4096..4096 + 2 * 16384].split_at_mut(16384);
    first.swap_with_slice(second);
    let index = Index::from_bytes(bytes, &key()).unwrap();
    let error = index.record(EntryNumber(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "index (in memory): damaged in its records near byte 4096: build it anew or restore it"
    );
    assert!(index.record(EntryNumber(300)).is_err() && index.verify().is_err());
}

/// A header that was made to mislead, with a checksum that is right.
#[test]
fn a_lying_header_is_refused() {
    use xxhash_rust::xxh3::xxh3_64_with_seed;
    let (bytes, _) = small(Layout::FilterAndSet);
    for at in (40..224).step_by(8) {
        for value in [0, 1, u64::MAX, u64::MAX / 2, u64::from(u32::MAX), 4096] {
            let mut lying = bytes.clone();
            lying[at..at + 8].copy_from_slice(&value.to_le_bytes());
            let sum = xxh3_64_with_seed(&lying[..4088], u64::MAX);
            lying[4088..4096].copy_from_slice(&sum.to_le_bytes());
            if let Ok(index) = Index::from_bytes(lying, &key()) {
                // Counts of distinct digests and algorithms can be told from nothing else before all is read.
                assert!(index.verify().is_err() || index.signals() == 2 * ENTRIES, "byte {at} as {value}");
                let _ = index.lookup(&Digest::of_empty_content(Algorithm::Md5), &mut |_| {});
            }
        }
    }
}
