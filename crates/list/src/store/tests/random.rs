//! The store against its naive twin, by random steps.

use std::collections::BTreeMap;

use hashward_core::Algorithm::{Md5, Sha256, Xxh3};
use hashward_core::{Algorithm, Digests};
use proptest::prelude::*;

use super::twin::{Item, Named, Twin, text};
use super::{Fixture, by, digest};
use crate::store::{Outcome, Refusal, Selector, Step, StoredEntry};
use crate::{Change, Statement};

const KINDS: [&str; 4] = ["md5", "sha256", "xxh3", "pdq"];

#[derive(Clone, Debug)]
enum Act {
    State { withdraw: bool, source: u8, key: Option<u8>, item: Item },
    Withdraw(Named),
    Dispute(Named),
    Undispute(Named),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    DryRun,
    Drop,
}

fn algorithm(kind: &str) -> Option<Algorithm> {
    kind.parse().ok()
}

fn statement(item: &Item, key: Option<u8>, withdraw: bool) -> Statement {
    let digests: Digests = item
        .signals
        .iter()
        .filter_map(|(kind, byte)| algorithm(kind).map(|algorithm| digest(algorithm, *byte)))
        .collect();
    let unmatched = item.signals.iter().filter(|(kind, _)| algorithm(kind).is_none());
    Statement {
        change: if withdraw { Change::Withdraw } else { Change::Put },
        key: key.map(text),
        digests,
        unmatched_signals: unmatched.map(|(kind, byte)| ((*kind).to_owned(), byte.to_string())).collect(),
        size_bytes: item.size,
        note: item.note.clone(),
        ..Statement::default()
    }
}

fn item(entry: &StoredEntry) -> Item {
    let mut signals: BTreeMap<&'static str, u8> =
        entry.digests.iter().map(|digest| (digest.algorithm().word(), digest.as_bytes()[0])).collect();
    signals.extend(entry.unmatched_signals.get("pdq").map(|value| ("pdq", value.parse::<u8>().unwrap())));
    Item {
        key: entry.key.clone().map(|key| (entry.source.clone(), key)),
        signals,
        size: entry.size_bytes,
        note: entry.note.clone(),
        disputed: entry.disputed.is_some(),
        withdrawn: entry.withdrawn.is_some(),
    }
}

fn selector(name: Named) -> Selector {
    match name {
        Named::Signal(kind, byte) => Selector::Digest(digest(algorithm(kind).unwrap(), byte)),
        Named::Key(key) => Selector::Key(text(key)),
    }
}

fn items() -> impl Strategy<Value = Item> {
    let signal = (0..KINDS.len(), 1..4_u8).prop_map(|(kind, byte)| (KINDS[kind], byte));
    let note = prop::option::weighted(0.2, (0..3_u8).prop_map(|note| format!("note {note}")));
    (prop::collection::btree_map(0..KINDS.len(), 1..4_u8, 0..3), prop::option::of(0..2_u64), note, signal)
        .prop_map(|(signals, size, note, one)| {
            let mut signals: BTreeMap<&str, u8> =
                signals.into_iter().map(|(kind, byte)| (KINDS[kind], byte)).collect();
            // Few statements say nothing.
            if note.is_none() {
                signals.insert(one.0, one.1);
            }
            Item { signals, size, note, ..Item::default() }
        })
}

fn acts() -> impl Strategy<Value = Act> {
    let named = || {
        prop_oneof![
            (0..3_usize, 1..4_u8).prop_map(|(kind, byte)| Named::Signal(KINDS[kind], byte)),
            (0..4_u8).prop_map(Named::Key),
        ]
    };
    let stated = (prop::bool::weighted(0.15), 0..3_u8, prop::option::of(0..4_u8), items());
    prop_oneof![
        10 => stated.prop_map(|(withdraw, source, key, item)| Act::State { withdraw, source, key, item }),
        1 => named().prop_map(Act::Withdraw),
        1 => named().prop_map(Act::Dispute),
        1 => named().prop_map(Act::Undispute),
    ]
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![6 => Just(End::Commit), 1 => Just(End::DryRun), 1 => Just(End::Drop)]
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::New => "new",
        Outcome::Changed => "changed",
        Outcome::Revived => "revived",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Unchanged => "unchanged",
        Outcome::Absent => "absent",
        Outcome::Refused(Refusal::NoSignal | Refusal::Contradicts(_)) => "refused",
        Outcome::Refused(other) => panic!("nothing asks for {other}"),
    }
}

/// Does the same to both, and sees to it that both say the same of it.
fn act(step: &mut Step, twin: &mut Twin, act: &Act) {
    match act {
        Act::State { withdraw, source, key, item } => {
            step.set_source(&format!("source {source}")).unwrap();
            let outcome = step.apply(&statement(item, *key, *withdraw)).unwrap();
            let mut stated = item.clone();
            stated.key = key.map(|key| (Some(format!("source {source}")), text(key)));
            let expected = if *withdraw { twin.withdraw(&stated) } else { twin.put(&stated) };
            assert_eq!(word(&outcome), expected, "{act:?}");
        }
        Act::Withdraw(name) => {
            let done = step.withdraw(&selector(*name), "for a reason").ok().map(|ids| ids.len());
            assert_eq!(done, twin.mark(*name, |item| item.withdrawn = true));
        }
        Act::Dispute(name) => {
            let done = step.dispute(&selector(*name), "for a reason").ok().map(|ids| ids.len());
            assert_eq!(done, twin.mark(*name, |item| item.disputed = true));
        }
        Act::Undispute(name) => {
            let done = step.undispute(&selector(*name)).ok().map(|ids| ids.len());
            assert_eq!(done, twin.mark(*name, |item| item.disputed = false));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_store_is_the_naive_list(
        steps in prop::collection::vec((prop::collection::vec(acts(), 1..12), ends()), 1..8),
    ) {
        let mut fixture = Fixture::new();
        let mut twin = Twin::default();
        // What the list was in each state, with the times that the twin does not know.
        let mut states: Vec<Vec<StoredEntry>> = vec![Vec::new()];
        for (second, (acts, end)) in steps.iter().enumerate() {
            let before = twin.clone();
            let mut step = fixture.store.begin(by(i64::try_from(second).unwrap() + 1)).unwrap();
            twin.stated.clear();
            twin.ambiguous.clear();
            for one in acts {
                act(&mut step, &mut twin, one);
            }
            let (summary, kept) = match end {
                End::Commit => (Some(step.commit().unwrap()), true),
                End::DryRun => (Some(step.dry_run().unwrap()), false),
                End::Drop => { drop(step); (None, false) }
            };
            let changes = summary.as_ref().map(|summary| summary.changes);
            let made = summary.and_then(|summary| summary.state);
            if twin.items != before.items {
                prop_assert!(changes != Some(false));
            }
            if !kept {
                twin = before;
            }
            let all = fixture.all();
            prop_assert_eq!(all.iter().map(item).collect::<Vec<_>>(), twin.items.clone());
            prop_assert_eq!(made.is_some(), all != *states.last().unwrap(), "a state for each change");
            if made.is_some() {
                states.push(all);
            }
            prop_assert_eq!(fixture.store.state_number().unwrap(), states.len() as u64 - 1);
        }
        let report = fixture.store.check().unwrap();
        prop_assert_eq!(report.problems, Vec::<String>::new());
        for (from, to) in (0..states.len()).flat_map(|from| (0..states.len()).map(move |to| (from, to))) {
            let entry = |state: usize, at: usize| states[state].get(at).cloned();
            let longest = states[from].len().max(states[to].len());
            let expected: Vec<_> = (0..longest)
                .map(|at| (entry(from, at), entry(to, at)))
                .filter(|(before, after)| before != after)
                .collect();
            let diff = fixture.diff(from as u64, to as u64);
            let found: Vec<_> = diff.into_iter().map(|change| (change.before, change.after)).collect();
            prop_assert_eq!(found, expected, "from {} to {}", from, to);
        }
        for state in fixture.store.states(None, 100).unwrap() {
            let entries = &states[usize::try_from(state.number).unwrap()];
            let count = |is: fn(&StoredEntry) -> bool| entries.iter().filter(|entry| is(entry)).count() as u64;
            prop_assert_eq!(state.totals.entries, entries.len() as u64);
            prop_assert_eq!(state.totals.withdrawn, count(|entry| !entry.is_in_force()));
            prop_assert_eq!(state.totals.disputed, count(|entry| entry.is_in_force() && entry.disputed.is_some()));
        }
    }

    /// What a file says does not depend on how often it is imported, even if it contradicts itself.
    #[test]
    fn an_import_again_changes_nothing(
        statements in prop::collection::vec((prop::option::of(0..4_u8), items()), 1..20),
    ) {
        let mut fixture = Fixture::new();
        // A note or a size that is said otherwise twice goes there and back; signals are what must be held.
        let plain = |(key, item): &(Option<u8>, Item)| {
            statement(&Item { note: None, size: None, ..item.clone() }, *key, false)
        };
        let statements: Vec<Statement> = statements.iter().map(plain).collect();
        fixture.import(&statements);
        let (state, all) = (fixture.store.state_number().unwrap(), fixture.all());
        let again = fixture.import(&statements);
        prop_assert_eq!((again.new, again.changed, again.state), (0, 0, None));
        prop_assert_eq!(fixture.store.state_number().unwrap(), state);
        prop_assert_eq!(fixture.all(), all);
    }
}

#[test]
fn the_kinds_are_what_they_are_taken_for() {
    assert_eq!(KINDS.map(algorithm), [Some(Md5), Some(Sha256), Some(Xxh3), None]);
}
