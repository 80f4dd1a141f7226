//! A list in memory that looks at everything, remembers everything, and knows no SQL.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    Signal(&'static str, u8),
    Key(u8),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) key: Option<(Option<String>, String)>,
    /// By algorithm or kind; digests as their byte.
    pub(super) signals: BTreeMap<&'static str, u8>,
    pub(super) size: Option<u64>,
    pub(super) note: Option<String>,
    pub(super) disputed: bool,
    pub(super) withdrawn: bool,
}

impl Item {
    pub(super) fn agrees(&self, stated: &Self) -> bool {
        stated.signals.iter().all(|(kind, value)| self.signals.get(kind).is_none_or(|held| held == value))
    }

    pub(super) fn held(&self, stated: &Self) -> usize {
        stated.signals.iter().filter(|(kind, value)| self.signals.get(*kind) == Some(value)).count()
    }

    pub(super) fn with(&self, stated: &Self) -> Self {
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

    pub(super) fn named(&self, name: Named) -> bool {
        match name {
            Named::Signal(kind, value) => self.signals.get(kind) == Some(&value),
            Named::Key(key) => self.key.as_ref().is_some_and(|(_, held)| *held == text(key)),
        }
    }
}

#[derive(Clone, Default)]
pub(super) struct Twin {
    pub(super) items: Vec<Item>,
    pub(super) stated: BTreeSet<usize>,
    pub(super) ambiguous: BTreeSet<usize>,
}

impl Twin {
    /// Says what became of it, in a word.
    pub(super) fn put(&mut self, stated: &Item) -> &'static str {
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

    pub(super) fn merge(&mut self, found: usize, stated: &Item) -> &'static str {
        let after = self.items[found].with(stated);
        let before = std::mem::replace(&mut self.items[found], after);
        match before {
            before if before == self.items[found] => "unchanged",
            before if before.withdrawn => "revived",
            _ => "changed",
        }
    }

    pub(super) fn withdraw(&mut self, stated: &Item) -> &'static str {
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
    pub(super) fn mark(&mut self, name: Named, mark: fn(&mut Item)) -> Option<usize> {
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

pub(super) fn text(key: u8) -> String {
    format!("key {key}")
}
