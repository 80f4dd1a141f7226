use std::collections::HashMap;

use hashward_core::{Algorithm, AlgorithmSet, Digest};
use proptest::collection::vec;
use proptest::prelude::proptest;
use proptest::prop_assert_eq;

use super::{LAYOUTS, any_digest, any_entries, build, digest, entries, naive, record, scattered};
use crate::{EntryNumber, IndexError, SignalIndex};

proptest! {
    #[test]
    fn both_layouts_equal_the_naive_twin(held in any_entries(), misses in vec(any_digest(), 0..200)) {
        let naive = naive(&held);
        let asked: Vec<Digest> = held.iter().flatten().chain(&misses).copied().collect();
        for layout in LAYOUTS {
            let index = build(&held, layout);
            prop_assert_eq!(index.algorithms(), naive.algorithms());
            prop_assert_eq!((index.signals(), index.entries()), (naive.signals(), naive.entries()));
            prop_assert_eq!(entries(&index, &asked), entries(&naive, &asked));
            for number in (0..=u32::try_from(held.len()).unwrap()).map(EntryNumber) {
                prop_assert_eq!(index.record(number).ok(), naive.record(number).ok());
            }
        }
    }
}

/// One table of cases for every kind of index.
#[test]
fn cases_by_every_index() {
    let same_bytes = |algorithm| digest(algorithm, &[0x5a; 32]);
    let held = [
        vec![digest(Algorithm::Xxh3, &[0])],
        vec![same_bytes(Algorithm::Sha256)],
        vec![],
        vec![same_bytes(Algorithm::Md5), same_bytes(Algorithm::Sha256), same_bytes(Algorithm::Sha256)],
        vec![digest(Algorithm::Sha512, &[1, 2, 3])],
    ];
    let cases: [(Digest, &[u32]); 7] = [
        (same_bytes(Algorithm::Sha256), &[1, 3]),
        (same_bytes(Algorithm::Md5), &[3]),
        (same_bytes(Algorithm::Blake3), &[]),
        (same_bytes(Algorithm::Sha1), &[]),
        (digest(Algorithm::Sha512, &[1, 2, 3]), &[4]),
        (digest(Algorithm::Xxh3, &[0]), &[0]),
        (digest(Algorithm::Xxh3, &[1]), &[]),
    ];
    let [filter, lines] = LAYOUTS.map(|layout| build(&held, layout));
    let indexes: [Box<dyn SignalIndex>; 3] = [Box::new(filter), Box::new(lines), Box::new(naive(&held))];
    for index in indexes {
        for (digest, expected) in &cases {
            let mut found = Vec::new();
            index.lookup(digest, &mut |entry| found.push(entry.0)).unwrap();
            assert_eq!(found, *expected, "{digest:?}");
        }
        assert_eq!((index.signals(), index.entries()), (4, 5));
        let absent = [Algorithm::Sha1, Algorithm::Blake3].into_iter().collect();
        assert_eq!(index.algorithms(), AlgorithmSet::ALL.difference(absent));
        let algorithms = [Algorithm::Md5, Algorithm::Sha256].into_iter().collect();
        assert_eq!(index.record(EntryNumber(3)).unwrap(), crate::EntryRecord { algorithms, ..record(3) });
        let error = index.record(EntryNumber(5)).unwrap_err();
        assert!(matches!(error, IndexError::NoSuchEntry(EntryNumber(5))), "{error}");
    }
}

#[test]
fn an_empty_index_finds_nothing() {
    for layout in LAYOUTS {
        let index = build(&[], layout);
        assert!(index.algorithms().is_empty() && index.signals() == 0 && index.entries() == 0);
        let empty = Algorithm::ALL.iter().map(|algorithm| Digest::of_empty_content(*algorithm));
        assert!(entries(&index, &empty.collect::<Vec<_>>()).iter().all(Vec::is_empty));
        index.verify().unwrap();
        assert_eq!(index.catalogue().unwrap(), b"a catalogue");
    }
}

/// 100,000 entries with up to three digests each, and a million strangers.
#[test]
fn no_digest_is_missed_and_no_stranger_found() {
    const ENTRIES: u64 = 100_000;
    // A sixth of all entries shares its first digest with the entry 6 before it.
    let first = |number: u64| if number % 36 == 6 { number - 6 } else { number };
    let held = |number: u64| {
        let more = (1..=number % 3).map(move |place| scattered(number + place * ENTRIES));
        std::iter::once(scattered(first(number))).chain(more).collect::<Vec<_>>()
    };
    let all: Vec<Vec<Digest>> = (0..ENTRIES).map(held).collect();
    let mut oracle: HashMap<Digest, Vec<u32>> = HashMap::new();
    for (number, digests) in (0..).zip(&all) {
        for digest in digests {
            oracle.entry(*digest).or_default().push(number);
        }
    }
    let strangers: Vec<Digest> = (0..1_000_000).map(|number| scattered(1 << 40 | number)).collect();
    for layout in LAYOUTS {
        let index = build(&all, layout);
        assert_eq!(index.signals(), oracle.len() as u64);
        let (asked, expected): (Vec<Digest>, Vec<Vec<u32>>) =
            oracle.iter().map(|(digest, numbers)| (*digest, numbers.clone())).unzip();
        assert_eq!(entries(&index, &asked), expected);
        index.lookup_batch(&strangers, &mut |place, _| panic!("stranger {place} was found")).unwrap();
        index.verify().unwrap();
    }
}

#[test]
fn debug_shows_no_digest() {
    let index = build(&[vec![Digest::of_empty_content(Algorithm::Md5)]], LAYOUTS[1]);
    assert_eq!(format!("{index:?}"), "Index(1 digests of md5, 1 entries, LineTable)");
    assert_eq!(format!("{:?}", super::key()), "SealKey(…)");
}
