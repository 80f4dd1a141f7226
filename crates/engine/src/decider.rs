//! What every verdict of one process shares: the current lists, the policy, and the breakers that count its matches.

use std::sync::Arc;

use hashward_core::Verdict;
use jiff::Timestamp;

use crate::breaker::Breakers;
use crate::{BreakerLimits, Conditions, Content, Live, Metrics, Policy, Snapshot, check, check_all};

/// Decides for a whole process, whoever asks: the line and the doors of the gate count their matches together, so that a
/// flood trips a breaker wherever it comes from. Clones are the same.
#[derive(Clone)]
pub struct Decider(Arc<Parts>);

struct Parts {
    live: Live,
    policy: Policy,
    breakers: Breakers,
    metrics: Metrics,
}

impl Decider {
    /// Decides by the lists that are `live`.
    pub fn new(live: Live, policy: Policy, breaker: BreakerLimits, metrics: Metrics) -> Self {
        let breakers = Breakers::new(breaker, metrics.clone());
        Self(Arc::new(Parts { live, policy, breakers, metrics }))
    }

    /// The lists.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The conditions at `now`. Breakers whose time has come are released.
    pub fn conditions(&self, now: Timestamp) -> Conditions {
        self.0.breakers.conditions(now)
    }

    /// Releases the breakers whose time has come by `now`. Who has no work asks for it now and then, so that what is told
    /// of them stays true.
    pub fn rest(&self, now: Timestamp) {
        // The conditions themselves are for a batch, and there is none.
        drop(self.conditions(now));
    }

    /// The verdict about each of `contents`, in their order. Their matches are counted; a verdict is made anew if one of
    /// them may not act any more.
    pub fn verdicts(
        &self,
        snapshot: &Snapshot,
        conditions: &Conditions,
        contents: &[Content],
    ) -> Vec<Verdict> {
        let Parts { policy, breakers, .. } = &*self.0;
        let mut verdicts = check_all(snapshot, policy, conditions, contents);
        for (verdict, content) in verdicts.iter_mut().zip(contents) {
            if let Some(anew) = breakers.count(&verdict.matches, conditions) {
                *verdict = check(snapshot, policy, &anew, content);
            }
        }
        verdicts
    }

    /// The verdict about one content; see [`Decider::verdicts`].
    pub fn verdict(&self, snapshot: &Snapshot, conditions: &Conditions, content: &Content) -> Verdict {
        let verdict = self.verdicts(snapshot, conditions, std::slice::from_ref(content)).pop();
        verdict.expect("one content, one verdict")
    }
}
