use hashward_core::{AlgorithmSet, Category, EntryId};
use proptest::option;
use proptest::prelude::{Strategy, any, proptest};
use proptest::prop_assert_eq;

use super::{key, scattered};
use crate::record::RawRecord;
use crate::{
    CATALOGUE_BYTES_MAX, CATEGORIES_MAX, EntryNumber, EntryRecord, Index, IndexError, IndexWriter,
    REFERENCE_BYTES_MAX, SignalIndex as _,
};

fn any_raw() -> impl Strategy<Value = RawRecord> {
    let times = (option::of(any::<i64>()), option::of(any::<i64>()), option::of(any::<i64>()));
    let numbers = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<u64>()));
    let rest = (any::<u32>(), any::<u64>(), 0..64_u8, any::<bool>(), option::of(any::<u16>()));
    (times, numbers, rest).prop_map(|(times, numbers, (list, id, algorithms, disputed, category))| {
        RawRecord {
            list,
            id,
            algorithms: crate::record::algorithms_of(algorithms),
            disputed,
            category,
            size_bytes: numbers.0,
            line: numbers.1,
            reference_at: numbers.2,
            valid_from: times.0,
            valid_until: times.1,
            listed_since: times.2,
        }
    })
}

proptest! {
    #[test]
    fn records_come_back(raw in any_raw()) {
        prop_assert_eq!(RawRecord::from_bytes(&raw.to_bytes()), raw);
    }
}

#[test]
fn all_that_an_entry_says_comes_back() {
    let categories: Vec<Category> =
        ["csam-baseline", "own:test", "unspecified"].map(|word| word.parse().unwrap()).to_vec();
    let references: Vec<String> = (0..9000).map(|number| format!("FALL № {}", number % 5000)).collect();
    let long = "x".repeat(REFERENCE_BYTES_MAX);
    let record = |number: usize| EntryRecord {
        list: u32::MAX,
        algorithms: AlgorithmSet::EMPTY.with(scattered(number as u64).algorithm()),
        disputed: number % 2 == 1,
        category: categories.get(number % 4),
        size_bytes: (!number.is_multiple_of(5)).then_some(number as u64),
        valid_from: (!number.is_multiple_of(3)).then_some(-1),
        valid_until: (number % 3 > 1).then_some(i64::MAX),
        listed_since: Some(i64::MIN),
        line: Some(number as u64 + 1),
        reference: if number == 0 { Some(&long) } else { references.get(number).map(String::as_str) },
        ..EntryRecord::new(0, EntryId(u64::MAX - number as u64))
    };
    let mut writer = IndexWriter::in_memory(&key()).unwrap();
    for number in 0..references.len() + 10 {
        writer.add(&record(number), &[scattered(number as u64)]).unwrap();
    }
    let index = Index::from_bytes(writer.finish_to_bytes(b"\0\xff").unwrap(), &key()).unwrap();
    for number in 0..references.len() + 10 {
        let held = index.record(EntryNumber(u32::try_from(number).unwrap())).unwrap();
        assert_eq!(held, record(number));
    }
    assert_eq!(index.catalogue().unwrap(), b"\0\xff");
}

#[test]
fn what_has_no_room_is_refused() {
    let mut writer = IndexWriter::in_memory(&key()).unwrap();
    let long = "x".repeat(REFERENCE_BYTES_MAX + 1);
    let record = EntryRecord { reference: Some(&long), ..super::record(0) };
    let error = writer.add(&record, &[]).unwrap_err().to_string();
    assert_eq!(error, "a reference of 4097 bytes: expected at most 4096");
    for number in 0..=CATEGORIES_MAX {
        let category: Category = format!("own:{number}").parse().unwrap();
        let added = writer.add(&EntryRecord { category: Some(&category), ..super::record(0) }, &[]);
        let refused = matches!(added, Err(IndexError::TooMany { what: "categories", .. }));
        assert_eq!(refused, number == CATEGORIES_MAX);
    }
    let error = writer.finish_to_bytes(&vec![0; CATALOGUE_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(error, IndexError::TooLong { what: "a catalogue", .. }), "{error}");
}
