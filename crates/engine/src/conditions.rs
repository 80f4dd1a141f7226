use std::collections::HashMap;
use std::sync::Arc;

use hashward_core::{EntryId, ListId};
use jiff::Timestamp;

/// An entry, by the two names that every generation knows it under.
pub type EntryKey = (ListId, EntryId);

/// What a verdict depends on beside the lists, the policy and the content: what changes from one moment to the next.
///
/// They are handed to [`check()`](crate::check()) rather than read by it, so that a verdict can be made again. One batch is
/// judged under one set of conditions.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The moment at which the verdict is made.
    pub now: Timestamp,
    /// The entries that matched a flood of content.
    pub tripped: Arc<Tripped>,
}

impl Conditions {
    /// The conditions at `now` where no breaker has tripped.
    pub fn at(now: Timestamp) -> Self {
        Self { now, tripped: Arc::default() }
    }
}

/// The entries whose breakers have tripped, each with the moment at which it is released.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tripped(pub(crate) HashMap<EntryKey, Timestamp>);

impl Tripped {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the breaker of the entry has tripped, and is not released at `now`.
    pub fn holds(&self, list: &ListId, entry: EntryId, now: Timestamp) -> bool {
        // Almost always there is none; then no key is made.
        !self.is_empty() && self.0.get(&(list.clone(), entry)).is_some_and(|released| now < *released)
    }
}

impl FromIterator<(EntryKey, Timestamp)> for Tripped {
    fn from_iter<T: IntoIterator<Item = (EntryKey, Timestamp)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}
