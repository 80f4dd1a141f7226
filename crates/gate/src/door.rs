//! What all doors have in common: their names, what they do without a verdict, and what is counted of them.

use std::fmt;
use std::time::Duration;

use hashward_engine::Metrics;
use hashward_engine::core::{Action, Decision};
use hashward_engine::desk::BatchAnswer;
use schemars::JsonSchema;
use serde::Serialize;

/// A way in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DoorKind {
    /// HTTP.
    Http,
    /// The protocol of clamd, the daemon of `ClamAV`.
    Clamd,
    /// ICAP (RFC 3507).
    Icap,
}

impl DoorKind {
    /// Every door.
    pub const ALL: [Self; 3] = [Self::Http, Self::Clamd, Self::Icap];

    /// Its name in the configuration and in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Clamd => "clamd",
            Self::Icap => "icap",
        }
    }
}

/// What a door does with content about which there is no verdict: because it cannot be read, or because Hashward is not
/// well. The provider chooses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fail {
    /// Content passes: uploads go on while Hashward is not well, and what it cannot read is published.
    Open,
    /// Content does not pass.
    Closed,
}

impl Fail {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What whoever asked is to do with the content.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// Let it through.
    Pass,
    /// Keep it back until people have looked at it.
    Hold,
    /// Refuse it.
    Refuse,
}

impl Passage {
    /// What a decision means at a door that fails like this.
    pub const fn of(decision: &Decision, fail: Fail) -> Self {
        match (decision, fail) {
            (Decision::Allow | Decision::Act(Action::Observe), _) | (Decision::Unreadable(_), Fail::Open) => {
                Self::Pass
            }
            (Decision::Act(Action::Review), _) => Self::Hold,
            (Decision::Act(Action::Block | Action::Takedown), _)
            | (Decision::Unreadable(_), Fail::Closed) => Self::Refuse,
        }
    }
}

/// An open door. Clones are the same.
#[derive(Clone, Debug)]
pub struct Door {
    kind: DoorKind,
    fail: Fail,
    metrics: Metrics,
}

/// Counts as an open connection until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Door);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.metrics.gate_connections(self.0.kind.word(), -1);
    }
}

impl Door {
    /// A door that fails like this.
    pub fn new(kind: DoorKind, fail: Fail, metrics: Metrics) -> Self {
        metrics.gate_door(kind.word(), fail == Fail::Open);
        Self { kind, fail, metrics }
    }

    /// Which one it is.
    pub fn kind(&self) -> DoorKind {
        self.kind
    }

    /// What it does without a verdict.
    pub fn fail(&self) -> Fail {
        self.fail
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// For these reasons requests may be refused: they are counted from the start.
    pub fn may_refuse(&self, reasons: &[&'static str]) {
        for reason in reasons {
            self.metrics.gate_refused(self.kind.word(), reason, 0);
        }
    }

    /// A connection was opened, and is until this is dropped.
    pub fn connection(&self) -> OpenConnection {
        self.metrics.gate_connections(self.kind.word(), 1);
        OpenConnection(self.clone())
    }

    /// A content was answered about, so long after its last byte had come.
    pub fn answered(&self, decision: &Decision, took: Duration) {
        self.metrics.gate_answered(self.kind.word(), decision.word(), 1);
        self.metrics.gate_took(self.kind.word(), took);
    }

    /// A batch was answered about, so long after its last byte had come.
    pub fn answered_batch(&self, answer: &BatchAnswer, took: Duration) {
        let door = self.kind.word();
        let allowed = answer.contents - answer.notable.len();
        self.metrics.gate_answered(door, Decision::Allow.word(), allowed as u64);
        for (_, answer) in &answer.notable {
            self.metrics.gate_answered(door, answer.verdict.decision.word(), 1);
        }
        self.metrics.gate_took(door, took);
    }

    /// Somebody was refused, for this reason: a word from a list of few.
    pub fn refused(&self, reason: &'static str) {
        self.metrics.gate_refused(self.kind.word(), reason, 1);
    }
}
