use std::cmp::min;
use std::sync::Arc;

use hashward_core::{Action, AlgorithmSet, Digest, Ground, ListInfo, Match, Strength, accepts};
use hashward_index::EntryRecord;
use jiff::Timestamp;

use crate::{Conditions, Policy, Stage};

/// What `entry` of `list`, of which the content has the `matched` digests among those of the `computed` algorithms, calls
/// for. `None` if no digest is a ground, or the entry is not valid at this moment.
pub(crate) fn weigh(
    list: &Arc<ListInfo>,
    entry: &EntryRecord<'_>,
    policy: &Policy,
    conditions: &Conditions,
    computed: AlgorithmSet,
    matched: Vec<Digest>,
) -> Option<Match> {
    let now = conditions.now;
    if !is_valid(entry, now) {
        return None;
    }
    let agreement = Agreement::of(entry, computed, &matched);
    if !agreement.is_ground() {
        return None;
    }
    // The lowest ceiling wins. Of two that are equal the one named first is told: what is foreign or false, then what
    // the list says, then what holds it back.
    let ceilings = [
        (!accepts(&policy.jurisdictions, &list.territories))
            .then_some((Action::Observe, Ground::OutsideJurisdiction)),
        agreement.is_contradicted().then(|| {
            (min(list.action, min(Action::Review, policy.weak_digest_action)), Ground::Contradicted)
        }),
        Some((list.action, Ground::AsListed)),
        agreement.is_weak().then_some((policy.weak_digest_action, Ground::WeakDigestAlone)),
        entry.disputed.then_some((Action::Review, Ground::Disputed)),
        (!policy.rollout.includes(&list.id, entry.id)).then_some((Action::Observe, Ground::OutsideRollout)),
        is_new(entry, policy, now).then_some((Action::Observe, Ground::NewEntry)),
        conditions.tripped.holds(&list.id, entry.id, now).then_some((Action::Review, Ground::Breaker)),
    ];
    let lowest = ceilings.into_iter().flatten().min_by_key(|(action, _)| *action);
    let (action, ground) = lowest.expect("the list's own action is always among them");
    let action = at_stage(action, policy.stage);
    Some(Match { list: Arc::clone(list), entry: entry.id, digests: matched, action, ground })
}

/// Which digests of an entry agree with the content's, and which do not.
struct Agreement {
    strong: AlgorithmSet,
    weak: AlgorithmSet,
    disagreeing: AlgorithmSet,
}

impl Agreement {
    fn of(entry: &EntryRecord<'_>, computed: AlgorithmSet, matched: &[Digest]) -> Self {
        let of_strength = |set: AlgorithmSet, wanted: Strength| -> AlgorithmSet {
            set.iter().filter(|algorithm| algorithm.strength() == wanted).collect()
        };
        let agreeing: AlgorithmSet = matched.iter().map(Digest::algorithm).collect();
        let disagreeing = entry.algorithms.intersection(computed).difference(agreeing);
        Self {
            strong: of_strength(agreeing, Strength::Strong),
            weak: of_strength(agreeing, Strength::Weak),
            disagreeing: disagreeing.difference(of_strength(disagreeing, Strength::Hint)),
        }
    }

    /// Whether any digest agrees that may be a ground.
    fn is_ground(&self) -> bool {
        !self.strong.is_empty() || !self.weak.is_empty()
    }

    /// Whether a weak digest agrees, and a stronger one that could have agreed does not.
    fn is_contradicted(&self) -> bool {
        self.strong.is_empty() && !self.disagreeing.is_empty()
    }

    /// Whether one weak digest stands alone.
    fn is_weak(&self) -> bool {
        self.strong.is_empty() && self.disagreeing.is_empty() && self.weak.len() == 1
    }
}

/// Whether `now` lies between the moments from and until which the entry counts. At the latter it no longer does.
pub fn is_valid(entry: &EntryRecord<'_>, now: Timestamp) -> bool {
    let now = now.as_nanosecond();
    entry.valid_from.is_none_or(|from| nanoseconds(from) <= now)
        && entry.valid_until.is_none_or(|until| now < nanoseconds(until))
}

/// Whether the entry has not been in its list for as long as the provider wants to look on.
fn is_new(entry: &EntryRecord<'_>, policy: &Policy, now: Timestamp) -> bool {
    let observed = i128::try_from(policy.observe_new.as_nanos()).unwrap_or(i128::MAX);
    // Without a wish to look on, an entry that a clock ahead of ours has listed is not new either.
    observed > 0
        && entry.listed_since.is_some_and(|since| now.as_nanosecond() - nanoseconds(since) < observed)
}

/// Seconds of a record as the time stamps count: no number of seconds is too large.
fn nanoseconds(seconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000
}

/// Blocking and takedown are one demand at two times: which of them, the content's stage decides.
fn at_stage(action: Action, stage: Stage) -> Action {
    match (action, stage) {
        (Action::Block | Action::Takedown, Stage::Upload) => Action::Block,
        (Action::Block | Action::Takedown, Stage::Published) => Action::Takedown,
        (mild, _) => mild,
    }
}

#[cfg(test)]
mod tests;
