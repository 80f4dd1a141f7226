use std::sync::Arc;

use hashward_core::Digest;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::prop_assert_eq;
use proptest::sample::Index as Any;

use super::{Held, LAYOUTS, any_digest, any_entries, build, entries, key, naive, record, scattered};
use crate::{
    EntryNumber, Index, IndexError, IndexWriter, Layered, Layout, Overlay, OverlayBuilder, SealKey,
    SignalIndex,
};

fn overlay(added: &[Held], withdrawn: &[EntryNumber], base_entries: usize) -> Overlay {
    let mut overlay = OverlayBuilder::new(&key()).unwrap();
    for (number, digests) in added.iter().enumerate() {
        overlay.add(&record(base_entries + number), digests).unwrap();
    }
    for entry in withdrawn {
        overlay.withdraw(*entry);
    }
    overlay.build().unwrap()
}

proptest! {
    #[test]
    fn layers_and_what_they_fold_into_equal_the_naive_twin(
        base in any_entries(),
        added in any_entries(),
        withdrawn in vec(any::<Any>(), 0..20),
        misses in vec(any_digest(), 0..50),
    ) {
        let count = u32::try_from(base.len()).unwrap();
        let withdrawn = withdrawn.iter().filter(|_| count > 0);
        let withdrawn: Vec<EntryNumber> =
            withdrawn.map(|any| EntryNumber(u32::try_from(any.index(base.len())).unwrap())).collect();
        let all = [&base[..], &added[..]].concat();
        let mut naive = naive(&all);
        for entry in &withdrawn {
            naive.withdraw(*entry);
        }
        let asked: Vec<Digest> = all.iter().flatten().chain(&misses).copied().collect();
        for layout in LAYOUTS {
            let index = Arc::new(build(&base, layout));
            let layered = Layered::new(index, overlay(&added, &withdrawn, base.len())).unwrap();
            prop_assert_eq!(layered.entries(), naive.entries());
            assert!(layered.signals() >= naive.signals());
            prop_assert_eq!(layered.algorithms().intersection(naive.algorithms()), naive.algorithms());
            prop_assert_eq!(entries(&layered, &asked), entries(&naive, &asked));
            for number in (0..=u32::try_from(all.len()).unwrap()).map(EntryNumber) {
                prop_assert_eq!(layered.record(number).ok(), naive.record(number).ok());
            }

            // What is left, numbered anew: a record's id says its old number.
            let mut writer = IndexWriter::in_memory(&key()).unwrap().with_layout(layout);
            layered.fold_into(&mut writer).unwrap();
            let folded = Index::from_bytes(writer.finish_to_bytes(&[]).unwrap(), &key()).unwrap();
            prop_assert_eq!((folded.signals(), folded.entries()), (naive.signals(), naive.entries()));
            let old = |number: u32| u32::try_from(folded.record(EntryNumber(number)).unwrap().id.0).unwrap();
            let found = entries(&folded, &asked);
            let renamed: Vec<Vec<u32>> = found.iter().map(|all| all.iter().map(|n| old(*n)).collect()).collect();
            prop_assert_eq!(renamed, entries(&naive, &asked));
        }
    }
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let base = Arc::new(build(&[vec![scattered(1)]], Layout::LineTable));
    let stranger = OverlayBuilder::new(&SealKey::generate().unwrap()).unwrap().build().unwrap();
    assert!(matches!(Layered::new(Arc::clone(&base), stranger), Err(IndexError::KeysDiffer)));
    let beyond = overlay(&[vec![scattered(2)]], &[EntryNumber(1)], 1);
    let refused = Layered::new(Arc::clone(&base), beyond);
    assert!(matches!(refused, Err(IndexError::NoSuchEntry(EntryNumber(1)))));

    let layered = Layered::new(base, overlay(&[], &[], 1)).unwrap();
    let mut writer = IndexWriter::in_memory(&SealKey::generate().unwrap()).unwrap();
    assert!(matches!(layered.fold_into(&mut writer), Err(IndexError::KeysDiffer)));
}
