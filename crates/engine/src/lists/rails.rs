use std::fmt;

use hashward_core::ListId;

use super::KnownGood;
use crate::Snapshot;

/// What a new state of the lists must pass before it goes live.
#[derive(Clone, Copy, Default)]
pub struct Rails<'a> {
    /// What is known to be harmless.
    pub known_good: Option<&'a KnownGood>,
    /// How much may change from one generation to the next.
    pub caps: Option<StepCaps>,
    /// Lists that an operator has moved to another state: what a person decided is not held against the caps.
    pub moved: &'a [ListId],
    /// The generation before.
    pub previous: Option<&'a Snapshot>,
}

impl Rails<'_> {
    /// The caps that hold for a list, if any do.
    pub(super) fn caps_for(&self, list: &ListId) -> Option<StepCaps> {
        self.caps.filter(|_| !self.moved.contains(list))
    }
}

/// How much of a list may change in one step. A mistake, or a thief of the maintainer's key, changes much at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StepCaps {
    /// By how many percent of its entries a list may grow.
    pub growth_percent_max: u64,
    /// How many percent of its entries may go.
    pub removals_percent_max: u64,
    /// So many entries may always come or go: a small list changes much with each entry.
    pub free_entries: u64,
}

/// What one step does to one list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StepSize {
    /// Entries before.
    pub before: u64,
    /// Entries that were not there before.
    pub added: u64,
    /// Entries that are no more.
    pub removed: u64,
}

/// Why a rail refuses a new state of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The list grows too much.
    Growth {
        /// Entries before.
        before: u64,
        /// Entries that would come.
        added: u64,
        /// The cap in percent.
        percent_max: u64,
    },
    /// Too much of the list goes.
    Removals {
        /// Entries before.
        before: u64,
        /// Entries that would go.
        removed: u64,
        /// The cap in percent.
        percent_max: u64,
    },
}

impl Refusal {
    /// The words by which metrics name the rails.
    pub const WORDS: [&str; 2] = ["growth", "removals"];

    /// The rail's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Growth { .. } => Self::WORDS[0],
            Self::Removals { .. } => Self::WORDS[1],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Growth { before, added, percent_max } => write!(
                f,
                "{added} entries would come to {before}: expected at most {percent_max} % more in one step; raise \
                 guard.growth_percent_max if that is meant"
            ),
            Self::Removals { before, removed, percent_max } => write!(
                f,
                "{removed} of {before} entries would go: expected at most {percent_max} % in one step; raise \
                 guard.removals_percent_max if that is meant"
            ),
        }
    }
}

impl StepCaps {
    /// Holds a step against the caps.
    pub fn check(&self, step: StepSize) -> Result<(), Refusal> {
        let StepSize { before, added, removed } = step;
        let beyond = |count: u64, percent_max: u64| {
            count > self.free_entries
                && u128::from(count) * 100 > u128::from(before) * u128::from(percent_max)
        };
        if beyond(removed, self.removals_percent_max) {
            return Err(Refusal::Removals { before, removed, percent_max: self.removals_percent_max });
        }
        if beyond(added, self.growth_percent_max) {
            return Err(Refusal::Growth { before, added, percent_max: self.growth_percent_max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_held_against_the_caps() {
        let caps = StepCaps { growth_percent_max: 50, removals_percent_max: 10, free_entries: 5 };
        let step =
            |before, added, removed| caps.check(StepSize { before, added, removed }).map_err(Refusal::word);
        for (before, added, removed, expected) in [
            (100, 50, 10, Ok(())),
            (100, 51, 0, Err("growth")),
            (100, 0, 11, Err("removals")),
            (100, 0, 90, Err("removals")),
            // What is free is free, even for a list that was empty.
            (10, 5, 5, Ok(())),
            (0, 5, 0, Ok(())),
            (0, 6, 0, Err("growth")),
            (u64::MAX, u64::MAX / 2, u64::MAX / 10, Ok(())),
        ] {
            assert_eq!(step(before, added, removed), expected, "{before} +{added} -{removed}");
        }
    }
}
