//! The store against a list in memory that looks at everything, remembers everything, and knows no SQL.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use hashward_core::Algorithm::{Md5, Sha256, Xxh3};
use hashward_core::{Algorithm, Digests};
use proptest::prelude::*;

use super::super::{Outcome, Refusal, Selector};
use super::{Fixture, StoredEntry, by, digest};
use crate::{Change, Statement};

#[derive(Clone, Debug, Default, PartialEq)]
struct Item {
    key: Option<(Option<String>, String)>,
    /// By algorithm or kind; digests as their byte.
    signals: BTreeMap<&'static str, u8>,
    size: Option<u64>,
    note: Option<String>,
    disputed: bool,
    withdrawn: bool,
}

#[derive(Clone, Debug)]
enum Act {
    State { withdraw: bool, source: u8, key: Option<u8>, item: Item },
    Withdraw(Named),
    Dispute(Named),
    Undispute(Named),
}

#[derive(Clone, Copy, Debug)]
enum Named {
    Signal(&'static str, u8),
    Key(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    DryRun,
    Drop,
}

const KINDS: [&str; 4] = ["md5", "sha256", "xxh3", "pdq"];

impl Item {
    fn agrees(&self, stated: &Self) -> bool {
        stated.signals.iter().all(|(kind, value)| self.signals.get(kind).is_none_or(|held| held == value))
    }

    fn held(&self, stated: &Self) -> usize {
        stated.signals.iter().filter(|(kind, value)| self.signals.get(*kind) == Some(value)).count()
    }

    fn with(&self, stated: &Self) -> Self {
        let mut item = self.clone();
        item.withdrawn = false;
        if item.key.is_none() {
            item.key.clone_from(&stated.key);
        }
        if !self.agrees(stated) {
            item.signals.clear();
            item.size = None;
        }
        item.signals.extend(stated.signals.clone());
        item.size = stated.size.or(item.size);
        item.note = stated.note.clone().or(item.note);
        item
    }

    fn named(&self, name: Named) -> bool {
        match name {
            Named::Signal(kind, value) => self.signals.get(kind) == Some(&value),
            Named::Key(key) => self.key.as_ref().is_some_and(|(_, held)| *held == text(key)),
        }
    }
}

#[derive(Clone, Default)]
struct Twin {
    items: Vec<Item>,
    stated: BTreeSet<usize>,
    ambiguous: BTreeSet<usize>,
}

impl Twin {
    /// Says what became of it, in a word.
    fn put(&mut self, stated: &Item) -> &'static str {
        let mut stated = stated.clone();
        if stated.signals.is_empty() {
            return "refused";
        }
        let keyed = |item: &Item| stated.key.is_some() && item.key == stated.key;
        if let Some(found) = self.items.iter().position(keyed) {
            let item = &self.items[found];
            let contradicted = self.stated.contains(&found) && !item.agrees(&stated);
            if contradicted {
                self.ambiguous.insert(found);
            }
            if !self.ambiguous.contains(&found) || item.held(&stated) == stated.signals.len() {
                self.stated.insert(found);
                return self.merge(found, &stated);
            }
            stated.key = None;
        }
        let fits = |item: &Item| item.held(&stated) > 0 && (stated.key.is_none() || item.key.is_none());
        let candidates: Vec<usize> = (0..self.items.len()).filter(|at| fits(&self.items[*at])).collect();
        let best = candidates.iter().filter(|at| self.items[**at].agrees(&stated)).max_by_key(|at| {
            let item = &self.items[**at];
            (!item.withdrawn, item.with(&stated) == *item, item.held(&stated), Reverse(**at))
        });
        let in_force = || candidates.iter().map(|at| &self.items[*at]).filter(|item| !item.withdrawn);
        let whole = in_force().any(|item| item.held(&stated) == stated.signals.len());
        if stated.key.is_none() && !whole && in_force().any(|item| !item.agrees(&stated)) {
            return "refused";
        }
        let found = best.map_or(self.items.len(), |best| *best);
        if stated.key.is_some() {
            self.stated.insert(found);
        }
        if found == self.items.len() {
            self.items.push(stated);
            return "new";
        }
        self.merge(found, &stated)
    }

    fn merge(&mut self, found: usize, stated: &Item) -> &'static str {
        let after = self.items[found].with(stated);
        let before = std::mem::replace(&mut self.items[found], after);
        match before {
            before if before == self.items[found] => "unchanged",
            before if before.withdrawn => "revived",
            _ => "changed",
        }
    }

    fn withdraw(&mut self, stated: &Item) -> &'static str {
        if stated.key.is_none() && stated.signals.is_empty() {
            return "refused";
        }
        let meant = |item: &Item| match stated.key {
            Some(_) => item.key == stated.key,
            None => item.held(stated) == stated.signals.len(),
        };
        let mut became = "absent";
        for item in self.items.iter_mut().filter(|item| meant(item)) {
            if !item.withdrawn {
                became = "withdrawn";
            } else if became == "absent" {
                became = "unchanged";
            }
            item.withdrawn = true;
        }
        became
    }

    /// Marks what is named; how many that changed, or none if nothing is named so.
    fn mark(&mut self, name: Named, mark: fn(&mut Item)) -> Option<usize> {
        let mut changed = 0;
        let mut found = false;
        for item in self.items.iter_mut().filter(|item| item.named(name)) {
            found = true;
            let before = item.clone();
            mark(item);
            changed += usize::from(before != *item);
        }
        found.then_some(changed)
    }
}

fn text(key: u8) -> String {
    format!("key {key}")
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
fn act(step: &mut super::super::Step, twin: &mut Twin, act: &Act) {
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
    #![proptest_config(ProptestConfig::with_cases(96))]

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
            acts.iter().for_each(|one| act(&mut step, &mut twin, one));
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
