use hashward_core::Decision;

use crate::{Notable, Outgoing};

/// The decision about one record, and the bytes that were read for it.
pub(crate) struct Outcome {
    pub(crate) decision: Decision,
    pub(crate) outgoing: Option<Outgoing>,
    pub(crate) bytes: u64,
}

/// What some records of a batch came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) notable: Vec<Notable>,
    pub(crate) decisions: [u64; Decision::WORDS.len()],
    pub(crate) bytes: u64,
}

/// Counts a decision, in the order of [`Decision::WORDS`].
pub(crate) fn count(decisions: &mut [u64; Decision::WORDS.len()], decision: &Decision) {
    let word = Decision::WORDS.iter().position(|word| *word == decision.word());
    decisions[word.expect("every decision has a word")] += 1;
}

impl Tally {
    pub(crate) fn and(mut self, record: usize, outcome: Outcome) -> Self {
        count(&mut self.decisions, &outcome.decision);
        self.bytes += outcome.bytes;
        if let Some(outgoing) = outcome.outgoing {
            self.notable.push(Notable { record, decision: outcome.decision, outgoing });
        }
        self
    }

    pub(crate) fn merge(mut self, mut other: Self) -> Self {
        self.notable.append(&mut other.notable);
        for (sum, more) in self.decisions.iter_mut().zip(other.decisions) {
            *sum += more;
        }
        self.bytes += other.bytes;
        self
    }
}
