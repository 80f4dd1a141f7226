//! An index over a replica: built, changed by releases, and folded.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use hashward_core::Digest;
use hashward_engine::lists::{
    BuildOptions, Changes, ChangesError, ListIndex, ListIndexBuilder, Rails, StepCaps,
};
use hashward_index::SealKey;
use hashward_list::NamedHistory;
use hashward_release::{Replica, ReplicaReader, SnapshotWish};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use support::{Maintainer, digests, key, list};

const NOW: i64 = 1_795_000_000;
const NUMBERS: u64 = 120;

fn built(replica: &Path, seal: &SealKey) -> ListIndex {
    let mut builder = ListIndexBuilder::new(seal, BuildOptions::default()).unwrap();
    let list = ReplicaReader::open(replica, &key(1)).unwrap().into_list().unwrap();
    builder.add(list, &mut |_| {}).unwrap();
    builder.finish(&mut |_| {}).unwrap()
}

fn laid(
    base: &ListIndex,
    replica: &Path,
    rails: Rails<'_>,
    seal: &SealKey,
) -> Result<ListIndex, ChangesError> {
    let reader = ReplicaReader::open(replica, &key(1)).unwrap();
    let lists: [NamedHistory; 1] = [(list(), Box::new(reader))];
    base.with_changes(&Changes { lists: &lists, rails, now: NOW }, seal)
}

/// What each digest leads to.
fn found(index: &ListIndex) -> BTreeMap<(u64, usize), Vec<String>> {
    let mut all: BTreeMap<(u64, usize), Vec<String>> = BTreeMap::new();
    for number in 0..NUMBERS {
        let asked: Vec<Digest> = digests(number).collect();
        let mut hits = Vec::new();
        index.index().lookup_batch(&asked, &mut |place, entry| hits.push((place, entry))).unwrap();
        for (place, entry) in hits {
            all.entry((number, place))
                .or_default()
                .push(format!("{:?}", index.index().record(entry).unwrap()));
        }
    }
    for records in all.values_mut() {
        records.sort();
    }
    all
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(5))]
    /// Whatever releases a replica is led through, an index with its changes over it, and what that folds into, answer like
    /// one that is built anew.
    #[test]
    fn changes_over_an_index_equal_one_built_anew(
        steps in vec((0_u8..3, vec(1_u64..NUMBERS, 0..30), any::<bool>()), 1..5),
        base_after in 0_usize..3,
    ) {
        let seal = SealKey::generate().unwrap();
        let mut maintainer = Maintainer::new();
        maintainer.put(0..60);
        maintainer.publish(SnapshotWish::WhenDue);
        let mut replica = maintainer.fresh("replica");
        let folder = maintainer.at("replica");
        let mut base = built(&folder, &seal);
        for (number, (what, numbers, goes_back)) in steps.into_iter().enumerate() {
            match what {
                0 => maintainer.put(numbers),
                1 => maintainer.withdraw(numbers),
                _ => maintainer.change(numbers, number as u64),
            }
            maintainer.publish(SnapshotWish::WhenDue);
            maintainer.lead(&mut replica).unwrap();
            if number == base_after {
                base = built(&folder, &seal);
            } else if goes_back && number > base_after {
                replica.roll_back(maintainer.newest().unwrap().release - 1).unwrap();
            }
            let anew = built(&folder, &seal);
            match laid(&base, &folder, Rails::default(), &seal) {
                Ok(laid) => {
                    prop_assert_eq!(&laid.lists()[0].state, &anew.lists()[0].state);
                    prop_assert_eq!(laid.lists()[0].entries, anew.lists()[0].entries);
                    let expected = found(&anew);
                    prop_assert!(found(&laid) == expected);
                    let folded = laid.folded(None, &seal, &mut |_| {}).unwrap();
                    prop_assert!(found(&folded) == expected);
                }
                // A snapshot was shorter than the way by deltas, so that what was before is not known.
                Err(error) => prop_assert!(matches!(error, ChangesError::BuildAnew(_)), "{error}"),
            }
        }
    }
}

#[test]
fn a_release_that_changes_too_much_is_refused_and_an_unknown_past_is_built_anew() {
    let seal = SealKey::generate().unwrap();
    let mut maintainer = Maintainer::new();
    maintainer.put(0..60);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica: Replica = maintainer.fresh("replica");
    let folder = maintainer.at("replica");
    let base = built(&folder, &seal);
    let caps = Some(StepCaps { growth_percent_max: 50, removals_percent_max: 10, free_entries: 5 });
    let rails = Rails { caps, ..Rails::default() };
    maintainer.put(60..70);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.lead(&mut replica).unwrap();
    let ten_more = laid(&base, &folder, rails, &seal).unwrap();
    assert_eq!((ten_more.lists()[0].entries, ten_more.changes()), (70, 10));
    maintainer.withdraw(0..30);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.lead(&mut replica).unwrap();
    let refused = laid(&ten_more, &folder, rails, &seal).unwrap_err();
    let ChangesError::Failed(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.refusal().unwrap().word(), "removals");
    // One release back, it is what it was.
    replica.roll_back(2).unwrap();
    let back = laid(&ten_more, &folder, rails, &seal).unwrap();
    assert!(back.is_same(&ten_more));
    replica.roll_back(1).unwrap();
    let unknown = laid(&ten_more, &folder, rails, &seal).unwrap_err();
    assert!(matches!(unknown, ChangesError::BuildAnew(_)), "{unknown}");
}
