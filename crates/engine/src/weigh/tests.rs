//! One entry under every ceiling, case by case, and every combination of them.

use std::time::Duration;

use hashward_core::{Algorithm, EntryId};
use proptest::prelude::*;

use super::*;
use crate::{EntryKey, Rollout, Tripped};

const ENTRY: EntryId = EntryId(7);
/// 2026-11-22, in seconds.
const NOW: i64 = 1_795_305_600;
const DAY: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn list(action: Action) -> Arc<ListInfo> {
    Arc::new(ListInfo { action, ..ListInfo::bare("sample".parse().unwrap()) })
}

/// An entry with a SHA-256 and nothing that holds it back.
fn entry() -> EntryRecord<'static> {
    let algorithms = AlgorithmSet::EMPTY.with(Algorithm::Sha256);
    EntryRecord { algorithms, ..EntryRecord::new(0, ENTRY) }
}

fn key() -> EntryKey {
    ("sample".parse().unwrap(), ENTRY)
}

/// What `entry` of a list that asks to block calls for, if the content has its SHA-256.
fn weighed(entry: &EntryRecord<'_>, policy: &Policy, conditions: &Conditions) -> Option<(Action, Ground)> {
    let matched = vec![Digest::of_empty_content(Algorithm::Sha256)];
    let computed = AlgorithmSet::EMPTY.with(Algorithm::Sha256);
    let of = weigh(&list(Action::Block), entry, policy, conditions, computed, matched)?;
    Some((of.action, of.ground))
}

#[test]
fn an_entry_counts_from_its_first_moment_to_before_its_last() {
    let counts = Some((Action::Block, Ground::AsListed));
    for (from, until, expected) in [
        (None, None, counts),
        (Some(NOW), None, counts),
        (Some(NOW + 1), None, None),
        (None, Some(NOW + 1), counts),
        (None, Some(NOW), None),
        (Some(NOW - DAY), Some(NOW + DAY), counts),
        (Some(NOW - DAY), Some(NOW - 1), None),
        (Some(i64::MIN), Some(i64::MAX), counts),
        (Some(i64::MAX), None, None),
        (None, Some(i64::MIN), None),
    ] {
        let entry = EntryRecord { valid_from: from, valid_until: until, ..entry() };
        let found = weighed(&entry, &Policy::default(), &Conditions::at(at(NOW)));
        assert_eq!(found, expected, "{from:?} to {until:?}");
    }
    // The last moment is exact to the nanosecond.
    let entry = EntryRecord { valid_until: Some(NOW), ..entry() };
    let before = at(NOW) - Duration::from_nanos(1);
    assert_eq!(weighed(&entry, &Policy::default(), &Conditions::at(before)), counts);
}

#[test]
fn a_new_entry_is_observed_until_it_is_old() {
    let (block, observe) = ((Action::Block, Ground::AsListed), (Action::Observe, Ground::NewEntry));
    for (since, observe_new, expected) in [
        (Some(NOW), 0, block),
        (Some(NOW + DAY), 0, block),
        (Some(NOW), DAY, observe),
        (Some(NOW - DAY + 1), DAY, observe),
        (Some(NOW - DAY), DAY, block),
        (Some(NOW + DAY), DAY, observe),
        (Some(i64::MIN), DAY, block),
        (Some(i64::MAX), DAY, observe),
        (None, DAY, block),
    ] {
        let entry = EntryRecord { listed_since: since, ..entry() };
        let observe_new = Duration::from_secs(observe_new.unsigned_abs());
        let policy = Policy { observe_new, ..Policy::default() };
        let found = weighed(&entry, &policy, &Conditions::at(at(NOW)));
        assert_eq!(found, Some(expected), "since {since:?}, observed {observe_new:?}");
    }
}

#[test]
fn an_entry_outside_the_share_is_observed() {
    let conditions = Conditions::at(at(NOW));
    for (percent, expected) in
        [(0, (Action::Observe, Ground::OutsideRollout)), (100, (Action::Block, Ground::AsListed))]
    {
        let rollout = Rollout::from_iter([("sample".parse().unwrap(), percent)]);
        let policy = Policy { rollout, ..Policy::default() };
        assert_eq!(weighed(&entry(), &policy, &conditions), Some(expected), "{percent} %");
    }
}

#[test]
fn a_tripped_entry_is_reviewed_until_it_is_released() {
    let tripped = Arc::new(Tripped::from_iter([(key(), at(NOW))]));
    let stranger = Arc::new(Tripped::from_iter([(("other".parse().unwrap(), ENTRY), at(NOW))]));
    let (review, block) = ((Action::Review, Ground::Breaker), (Action::Block, Ground::AsListed));
    for (now, tripped, expected) in
        [(NOW - 1, &tripped, review), (NOW, &tripped, block), (NOW - 1, &stranger, block)]
    {
        let conditions = Conditions { now: at(now), tripped: Arc::clone(tripped) };
        assert_eq!(weighed(&entry(), &Policy::default(), &conditions), Some(expected));
    }
}

/// What can hold an entry back.
const HOLDS: [Ground; 7] = [
    Ground::OutsideJurisdiction,
    Ground::Contradicted,
    Ground::WeakDigestAlone,
    Ground::Disputed,
    Ground::OutsideRollout,
    Ground::NewEntry,
    Ground::Breaker,
];
/// What a list may ask for at upload.
const ASKED: [Action; 3] = [Action::Observe, Action::Review, Action::Block];

/// One of the combinations of [`HOLDS`], a bit for each.
fn combination(bits: usize) -> Vec<Ground> {
    let mut held: Vec<Ground> =
        (0..HOLDS.len()).filter(|place| bits >> place & 1 == 1).map(|place| HOLDS[place]).collect();
    if held.contains(&Ground::Contradicted) {
        // A digest that another one contradicts does not stand alone.
        held.retain(|ground| *ground != Ground::WeakDigestAlone);
    }
    held
}

/// What an entry that is held back by all of these calls for, if its list asks for `asked`.
fn held_back(held: &[Ground], asked: Action) -> (Action, Ground) {
    let is = |ground: Ground| held.contains(&ground);
    let is_weak = is(Ground::WeakDigestAlone) || is(Ground::Contradicted);
    let matched = if is_weak { Algorithm::Md5 } else { Algorithm::Sha256 };
    let entry = EntryRecord {
        algorithms: AlgorithmSet::EMPTY.with(Algorithm::Md5).with(Algorithm::Sha256),
        disputed: is(Ground::Disputed),
        listed_since: Some(if is(Ground::NewEntry) { NOW } else { NOW - DAY }),
        ..entry()
    };
    let computed = AlgorithmSet::EMPTY.with(matched);
    let computed = if is(Ground::Contradicted) { computed.with(Algorithm::Sha256) } else { computed };
    let territory = if is(Ground::OutsideJurisdiction) { "US" } else { "DE" };
    let list = ListInfo { territories: vec![territory.parse().unwrap()], ..(*list(asked)).clone() };
    let share = if is(Ground::OutsideRollout) { 0 } else { 100 };
    let policy = Policy {
        jurisdictions: vec!["DE".parse().unwrap()],
        observe_new: Duration::from_secs(DAY.unsigned_abs()),
        rollout: Rollout::from_iter([("sample".parse().unwrap(), share)]),
        ..Policy::default()
    };
    let released = at(if is(Ground::Breaker) { NOW + 1 } else { NOW });
    let conditions = Conditions { now: at(NOW), tripped: Arc::new(Tripped::from_iter([(key(), released)])) };
    let matched = vec![Digest::of_empty_content(matched)];
    let of = weigh(&Arc::new(list), &entry, &policy, &conditions, computed, matched).unwrap();
    (of.action, of.ground)
}

#[test]
fn the_mildest_applies_and_the_first_named_is_told() {
    for (bits, asked) in (0..1 << HOLDS.len()).flat_map(|bits| ASKED.map(|asked| (bits, asked))) {
        let held = combination(bits);
        let ceilings = [
            (Ground::OutsideJurisdiction, Action::Observe),
            (Ground::Contradicted, min(asked, Action::Review)),
            (Ground::AsListed, asked),
            (Ground::WeakDigestAlone, Action::Review),
            (Ground::Disputed, Action::Review),
            (Ground::OutsideRollout, Action::Observe),
            (Ground::NewEntry, Action::Observe),
            (Ground::Breaker, Action::Review),
        ];
        let applies = |ground: Ground| ground == Ground::AsListed || held.contains(&ground);
        let mut ceilings: Vec<_> = ceilings.into_iter().filter(|(ground, _)| applies(*ground)).collect();
        // A stable sort: of equal ones the first stays first.
        ceilings.sort_by_key(|(_, action)| *action);
        let (ground, action) = ceilings[0];
        assert_eq!(held_back(&held, asked), (action, ground), "{held:?}, asked for {asked}");
    }
}

proptest! {
    /// Whatever else is true: one more thing that holds an entry back never makes the verdict stricter.
    #[test]
    fn no_guard_rail_makes_anything_stricter(bits in 0_usize..128, more in 0_usize..7, asked in 0_usize..3) {
        let before = held_back(&combination(bits), ASKED[asked]).0;
        let after = held_back(&combination(bits | 1 << more), ASKED[asked]).0;
        prop_assert!(after <= before, "{} after {}", after, before);
    }
}
