use std::collections::BTreeMap;

use super::Refusal;
use crate::Statement;

/// What became of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It made a new entry.
    New,
    /// It changed an entry.
    Changed,
    /// It put an entry in force again that was withdrawn.
    Revived,
    /// It withdrew an entry, or several.
    Withdrawn,
    /// The list says so already.
    Unchanged,
    /// What it withdraws is not in the list.
    Absent,
    /// It is not taken in.
    Refused(Refusal),
}

/// A statement that was refused: which one, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedStatement {
    /// The number of the statement in its step, from 1.
    pub statement: u64,
    /// Why.
    pub refusal: Refusal,
}

/// What a step did: how many statements had which outcome.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// The state that the step made. None if it changed nothing, or was a dry run.
    pub state: Option<u64>,
    /// Whether the step changes anything.
    pub changes: bool,
    /// Whether the step records other information about the whole list.
    pub info_changed: bool,
    /// Statements that made an entry.
    pub new: u64,
    /// Statements that changed an entry.
    pub changed: u64,
    /// Statements that put a withdrawn entry in force again.
    pub revived: u64,
    /// Statements that withdrew an entry, and entries withdrawn by name.
    pub withdrawn: u64,
    /// Statements that say what the list says already.
    pub unchanged: u64,
    /// Statements that withdraw what is not there.
    pub absent: u64,
    /// Statements that were not taken in.
    pub refused: u64,
    /// The first of them, at most [`Summary::REFUSALS_MAX`].
    pub first_refusals: Vec<RefusedStatement>,
    /// Statements that were taken in, and whose only digest is one of XXH3: never a ground for an alert.
    pub only_hints: u64,
    /// How many signals that Hashward does not match were taken in, by kind.
    pub unmatched_signals: BTreeMap<String, u64>,
}

/// Stands for the kinds that are no longer counted one by one.
const OTHER_KINDS: &str = "other kinds";

impl Summary {
    /// How many refusals are told one by one.
    pub const REFUSALS_MAX: usize = 10;
    /// How many kinds of unmatched signals are counted one by one.
    pub const KINDS_MAX: usize = 64;

    pub(super) fn count(&mut self, number: u64, outcome: &Outcome) {
        let count = match outcome {
            Outcome::New => &mut self.new,
            Outcome::Changed => &mut self.changed,
            Outcome::Revived => &mut self.revived,
            Outcome::Withdrawn => &mut self.withdrawn,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Absent => &mut self.absent,
            Outcome::Refused(refusal) => {
                if self.first_refusals.len() < Self::REFUSALS_MAX {
                    let refused = RefusedStatement { statement: number, refusal: refusal.clone() };
                    self.first_refusals.push(refused);
                }
                &mut self.refused
            }
        };
        *count += 1;
    }

    pub(super) fn count_unmatched(&mut self, statement: &Statement) {
        for kind in statement.unmatched_signals.keys() {
            let room = self.unmatched_signals.len() < Self::KINDS_MAX;
            let kind = if room || self.unmatched_signals.contains_key(kind) { kind } else { OTHER_KINDS };
            *self.unmatched_signals.entry(kind.to_owned()).or_default() += 1;
        }
    }
}
