use hashward_core::{Algorithm, AlgorithmSet, Digest};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use crate::naive::NaiveIndex;
use crate::{EntryNumber, FALSE_POSITIVE_SHARE, MemoryIndex, MemoryIndexBuilder, SignalIndex};

type Pair = (Digest, EntryNumber);

fn build(pairs: &[Pair]) -> MemoryIndex {
    let mut builder = MemoryIndexBuilder::new();
    for (digest, entry) in pairs {
        builder.add(digest, *entry);
    }
    builder.build()
}

fn entries(index: &dyn SignalIndex, digest: &Digest) -> Vec<u32> {
    let mut entries = Vec::new();
    index.lookup(digest, &mut |entry| entries.push(entry.0));
    entries
}

/// A digest whose bytes are `bytes`, repeated or cut to its length.
fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let bytes: Vec<u8> = bytes.iter().copied().cycle().take(algorithm.digest_bytes()).collect();
    Digest::new(algorithm, &bytes).unwrap()
}

/// A digest that looks random, the same for the same number.
fn scattered(algorithm: Algorithm, number: u64) -> Digest {
    let mut state = number;
    let mut bytes = Vec::new();
    while bytes.len() < algorithm.digest_bytes() {
        // SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ mixed >> 31).to_be_bytes());
    }
    digest(algorithm, &bytes)
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    (0..Algorithm::ALL.len()).prop_map(|number| Algorithm::ALL[number])
}

/// Digests as honest lists hold them, and as nobody would by chance: a long common prefix, a common tail, the
/// lowest and the highest, and the same bytes under every algorithm.
fn any_digest() -> impl Strategy<Value = Digest> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 64),
        (0..4_u8, any::<u8>()).prop_map(|(place, last)| {
            let mut bytes = vec![0xab; 64];
            for length in [8, 16, 20, 32, 64] {
                bytes[length - 1 - usize::from(place)] = last;
            }
            bytes
        }),
        (0..4_u8).prop_map(|first| [[first].as_slice(), &[7; 63]].concat()),
        Just(vec![0; 64]),
        Just(vec![0xff; 64]),
    ];
    (algorithm(), bytes).prop_map(|(algorithm, bytes)| digest(algorithm, &bytes))
}

/// Few entries beside the lowest and the highest, so that entries meet.
fn any_entry() -> impl Strategy<Value = EntryNumber> {
    prop_oneof![0..6_u32, Just(u32::MAX), Just(u32::MAX - 1)].prop_map(EntryNumber)
}

proptest! {
    #[test]
    fn memory_equals_its_naive_twin(
        pairs in vec((any_digest(), any_entry()), 0..120),
        misses in vec(any_digest(), 0..60),
    ) {
        let naive = NaiveIndex::new(pairs.iter().copied());
        let memory = build(&pairs);
        prop_assert_eq!(memory.algorithms(), naive.algorithms());
        prop_assert_eq!(memory.signals(), naive.signals());
        for digest in pairs.iter().map(|(digest, _)| digest).chain(&misses) {
            prop_assert_eq!(entries(&memory, digest), entries(&naive, digest));
            // The same bytes under the algorithm whose digests are as long.
            let twin = match digest.algorithm() {
                Algorithm::Sha256 => Algorithm::Blake3,
                Algorithm::Blake3 => Algorithm::Sha256,
                _ => continue,
            };
            let twin = Digest::new(twin, digest.as_bytes()).unwrap();
            prop_assert_eq!(entries(&memory, &twin), entries(&naive, &twin));
        }
        for (digest, _) in &pairs {
            prop_assert!(memory.may_hold(digest));
        }
    }

    #[test]
    fn the_order_of_adding_changes_nothing(
        pairs in vec((any_digest(), any_entry()), 1..40).prop_shuffle(),
    ) {
        let forth = build(&pairs);
        let back: Vec<Pair> = pairs.iter().rev().chain(&pairs).copied().collect();
        let back = build(&back);
        prop_assert_eq!(forth.signals(), back.signals());
        for (digest, _) in &pairs {
            prop_assert_eq!(entries(&forth, digest), entries(&back, digest));
        }
    }
}

/// One table of cases for every kind of index.
#[test]
fn cases_by_every_index() {
    let same_bytes = |algorithm| digest(algorithm, &[0x5a; 32]);
    let pairs = [
        (same_bytes(Algorithm::Sha256), EntryNumber(7)),
        (same_bytes(Algorithm::Sha256), EntryNumber(3)),
        (same_bytes(Algorithm::Sha256), EntryNumber(7)),
        (same_bytes(Algorithm::Md5), EntryNumber(7)),
        (digest(Algorithm::Sha512, &[1, 2, 3]), EntryNumber(u32::MAX)),
        (digest(Algorithm::Xxh3, &[0]), EntryNumber(0)),
    ];
    let cases: [(Digest, &[u32]); 7] = [
        (same_bytes(Algorithm::Sha256), &[3, 7]),
        (same_bytes(Algorithm::Md5), &[7]),
        (same_bytes(Algorithm::Blake3), &[]),
        (same_bytes(Algorithm::Sha1), &[]),
        (digest(Algorithm::Sha512, &[1, 2, 3]), &[u32::MAX]),
        (digest(Algorithm::Xxh3, &[0]), &[0]),
        (digest(Algorithm::Xxh3, &[1]), &[]),
    ];
    let indexes: [Box<dyn SignalIndex>; 2] = [Box::new(build(&pairs)), Box::new(NaiveIndex::new(pairs))];
    for index in indexes {
        for (digest, expected) in &cases {
            assert_eq!(entries(&*index, digest), *expected, "{digest:?}");
        }
        assert_eq!(index.signals(), 4);
        assert_eq!(
            index.algorithms(),
            AlgorithmSet::ALL.difference([Algorithm::Sha1, Algorithm::Blake3].into_iter().collect(),)
        );
    }
}

#[test]
fn an_empty_index_finds_nothing() {
    let index = build(&[]);
    assert!(index.algorithms().is_empty() && index.signals() == 0);
    for algorithm in Algorithm::ALL {
        let digest = Digest::of_empty_content(*algorithm);
        assert!(entries(&index, &digest).is_empty() && !index.may_hold(&digest));
    }
}

#[test]
fn a_hundred_thousand_entries() {
    const ENTRIES: u32 = 100_000;
    let algorithm_of = |number: u32| Algorithm::ALL[number as usize % Algorithm::ALL.len()];
    let held = |number: u32| scattered(algorithm_of(number), u64::from(number));
    let pairs: Vec<Pair> = (0..ENTRIES).map(|number| (held(number), EntryNumber(number))).collect();
    let index = build(&pairs);
    assert_eq!(index.signals(), ENTRIES as usize);
    for (digest, entry) in &pairs {
        assert_eq!(entries(&index, digest), [entry.0], "no false negative");
    }

    let missing = |number: u32| scattered(algorithm_of(number), u64::MAX / 2 + u64::from(number));
    let mut passed = 0;
    for digest in (0..ENTRIES).map(missing) {
        assert!(entries(&index, &digest).is_empty(), "the filter never makes a hit");
        passed += u32::from(index.may_hold(&digest));
    }
    let share = f64::from(passed) / f64::from(ENTRIES);
    // With 100,000 tries, chance alone moves the share by less than a tenth of it.
    assert!((0.5..1.5).contains(&(share / FALSE_POSITIVE_SHARE)), "{share} of the misses passed the filter");
}

#[test]
fn debug_shows_no_digest() {
    let index = build(&[(Digest::of_empty_content(Algorithm::Md5), EntryNumber(1))]);
    assert_eq!(format!("{index:?}"), "MemoryIndex(1 digests of md5)");
}
