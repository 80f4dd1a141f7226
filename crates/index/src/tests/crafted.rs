//! Seals that nobody without the key could bring about: all in one bucket, equal tags, the lowest and highest.

use std::collections::BTreeMap;

use hashward_core::{AlgorithmSet, EntryId};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{prop_assert_eq, prop_oneof};

use super::{LAYOUTS, key, mixed};
use crate::pairs::Pairs;
use crate::seal::{Asked, BATCH, Seal};
use crate::spool::Spool;
use crate::{EntryNumber, EntryRecord, Index, IndexWriter, Layout};

fn build(pairs: &[(Seal, u32)], layout: Layout) -> Index {
    let mut writer = IndexWriter::in_memory(&key()).unwrap().with_layout(layout);
    let mut by_entry: BTreeMap<u32, Vec<Seal>> = BTreeMap::new();
    for (seal, entry) in pairs {
        by_entry.entry(*entry).or_default().push(*seal);
    }
    for number in 0..by_entry.keys().next_back().map_or(0, |last| last + 1) {
        let record = EntryRecord { algorithms: AlgorithmSet::ALL, ..EntryRecord::new(0, EntryId(0)) };
        writer.add_sealed(&record, by_entry.get_mut(&number).unwrap_or(&mut Vec::new())).unwrap();
    }
    Index::from_bytes(writer.finish_to_bytes(&[]).unwrap(), &key()).unwrap()
}

fn assert_equal(pairs: &[(Seal, u32)], misses: &[Seal]) {
    let mut oracle: BTreeMap<Seal, Vec<u32>> = BTreeMap::new();
    for (seal, entry) in pairs {
        oracle.entry(*seal).or_default().push(*entry);
    }
    for entries in oracle.values_mut() {
        entries.sort_unstable();
        entries.dedup();
    }
    let asked: Vec<Seal> = oracle.keys().chain(misses).copied().collect();
    for layout in LAYOUTS {
        let index = build(pairs, layout);
        for chunk in asked.chunks(BATCH) {
            let chunk_asked: Vec<Asked> =
                chunk.iter().enumerate().map(|(place, seal)| Asked { seal: *seal, place }).collect();
            let mut found = vec![Vec::new(); chunk.len()];
            index.lookup_seals(&chunk_asked, &mut |place, entry| found[place].push(entry.0)).unwrap();
            for (seal, found) in chunk.iter().zip(found) {
                assert_eq!(found, oracle.get(seal).cloned().unwrap_or_default(), "{layout:?}");
            }
        }
    }
}

fn any_seal() -> impl Strategy<Value = Seal> {
    let high = prop_oneof![Just(0), Just(u64::MAX), 0..3_u64, any::<u64>(), Just(1 << 63)];
    let low = prop_oneof![Just(0), Just(u64::MAX), 0..3_u64, any::<u64>(), (0..9_u64).prop_map(|n| n << 16)];
    (high, low).prop_map(|(high, low)| Seal { high, low })
}

proptest! {
    #[test]
    fn crafted_seals_are_found(
        pairs in vec((any_seal(), 0..40_u32), 0..400),
        misses in vec(any_seal(), 0..200),
    ) {
        assert_equal(&pairs, &misses);
    }

    #[test]
    fn pairs_come_back_sorted_whatever_was_on_the_disk(
        mut pairs in vec((any_seal(), 0..9_u32), 0..300),
        in_memory_max in 1..100_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut collected = Pairs::new(Some(folder.path()), in_memory_max);
        for (seal, entry) in &pairs {
            collected.push(*seal, EntryNumber(*entry)).unwrap();
        }
        prop_assert_eq!(collected.count(), pairs.len() as u64);
        let mut sorted = Vec::new();
        collected.drain_sorted(|seal, entry| { sorted.push((seal, entry.0)); Ok(()) }).unwrap();
        pairs.sort_unstable();
        prop_assert_eq!(sorted, pairs);
    }

    #[test]
    fn a_spool_gives_back_what_it_took(pieces in vec(vec(any::<u8>(), 0..50), 0..50), in_memory_max in 1..100_usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(Some(folder.path()), in_memory_max);
        for piece in &pieces {
            spool.push(piece).unwrap();
        }
        prop_assert_eq!(spool.bytes(), pieces.concat().len() as u64);
        let mut back = Vec::new();
        spool.drain(|bytes| { back.extend_from_slice(bytes); Ok(()) }).unwrap();
        prop_assert_eq!(back, pieces.concat());
    }
}

/// Buckets far beyond their tags: hundreds of seals in one, with one tag and with different ones, and one seal that
/// a thousand entries hold.
#[test]
fn overfull_buckets() {
    for step in [1, 1 << 16] {
        let crowd: Vec<(Seal, u32)> = (0..500).map(|n| (Seal { high: 7, low: n * step }, 3)).collect();
        let near: Vec<Seal> = (500..1000).map(|n| Seal { high: 7, low: n * step }).collect();
        assert_equal(&crowd, &near);
    }
    let popular = Seal { high: 1 << 62, low: 5 };
    let others = (0..2000).map(|n| (Seal { high: mixed(n), low: mixed(!n) }, 0));
    let pairs: Vec<(Seal, u32)> = (0..1000).map(|entry| (popular, entry)).chain(others).collect();
    let beside = [Seal { high: 1 << 62, low: 4 }, Seal { high: 1 << 62, low: 6 }];
    assert_equal(&pairs, &beside);
}

/// What a filter and a tag let pass wrongly, against what they promise.
#[test]
fn few_strangers_pass() {
    const SIGNALS: u64 = 50_000;
    let mut writer = crate::filter::FilterWriter::new(crate::filter::blocks_for(SIGNALS));
    let mut spool = Spool::new(None, 0);
    let mut seals: Vec<Seal> = (0..SIGNALS).map(|n| Seal { high: mixed(n), low: mixed(!n) }).collect();
    seals.sort_unstable();
    for seal in &seals {
        writer.push(*seal, &mut spool).unwrap();
    }
    writer.finish(&mut spool).unwrap();
    let mut bytes = Vec::new();
    spool.drain(|piece| std::io::Write::write_all(&mut bytes, piece)).unwrap();
    let blocks = bytes.as_chunks::<64>().0;
    let passes = |seal: &Seal| {
        let block = crate::filter::block_of(*seal, blocks.len() as u64);
        crate::filter::may_hold(&blocks[usize::try_from(block).unwrap()], *seal)
    };
    assert!(seals.iter().all(passes));
    let strangers = (SIGNALS..21 * SIGNALS).map(|n| Seal { high: mixed(n), low: mixed(!n) });
    let wrongly = strangers.filter(|seal| passes(seal)).count();
    // 700 to 1000 are expected of a million.
    assert!(wrongly < 1500, "{wrongly} of a million strangers passed");
}
