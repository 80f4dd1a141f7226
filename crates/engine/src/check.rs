//! The verdict: one pure function that everything else is built around.

use std::cmp::min;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashward_core::{
    Action, AlgorithmSet, Decision, Digest, Digests, Ground, Match, Strength, Unreadable, UnreadableKind,
    Verdict, accepts,
};
use hashward_index::EntryNumber;

use crate::{EntryRecord, Policy, Snapshot, Stage};

/// Content as the verdict sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Its digests: computed here, or stated by the provider.
    Digests(Digests),
    /// It could not be read.
    Unreadable(Unreadable),
}

/// Decides what to do about one content.
///
/// Every entry that holds one of the content's digests is a match, if the digest is a ground at all (xxh3 is none).
/// Each match calls for an action: its list's, unless only a weak digest speaks for it, a stronger digest of the same
/// entry speaks against it, or the list is not for the provider's jurisdictions. The strictest action wins.
pub fn check(snapshot: &Snapshot, policy: &Policy, content: &Content) -> Verdict {
    let verdict = |decision, matches| Verdict { generation: snapshot.generation(), decision, matches };
    let digests = match content {
        Content::Digests(digests) => digests,
        Content::Unreadable(reason) => return verdict(Decision::Unreadable(reason.clone()), Vec::new()),
    };
    let usable = digests.algorithms().intersection(snapshot.algorithms());
    // Where the lists hold grounds, digests that are none would say `allow` without a look.
    let grounds = |set: AlgorithmSet| set.iter().any(|algorithm| algorithm.strength() != Strength::Hint);
    if usable.is_empty() || grounds(snapshot.algorithms()) && !grounds(usable) {
        let reason = Unreadable::new(
            UnreadableKind::NoUsableDigest,
            format_args!(
                "stated digests: {}; the loaded lists hold: {}",
                digests.algorithms(),
                snapshot.algorithms()
            ),
        );
        return verdict(Decision::Unreadable(reason), Vec::new());
    }
    let mut hits: BTreeMap<EntryNumber, (EntryRecord, Vec<Digest>)> = BTreeMap::new();
    for digest in digests.iter() {
        snapshot.lookup(&digest, |number, entry| {
            hits.entry(number).or_insert_with(|| (*entry, Vec::new())).1.push(digest);
        });
    }
    let mut matches: Vec<Match> = hits
        .into_values()
        .filter_map(|(entry, matched)| weigh(snapshot, policy, digests.algorithms(), &entry, matched))
        .collect();
    matches.sort_by(|a, b| (&a.list.id, a.entry).cmp(&(&b.list.id, b.entry)));
    let strictest = matches.iter().map(|found| found.action).max();
    verdict(strictest.map_or(Decision::Allow, Decision::Act), matches)
}

/// What one entry, of which the content has the `matched` digests, calls for. `None` if nothing is a ground.
fn weigh(
    snapshot: &Snapshot,
    policy: &Policy,
    computed: AlgorithmSet,
    entry: &EntryRecord,
    matched: Vec<Digest>,
) -> Option<Match> {
    let of_strength = |set: AlgorithmSet, wanted: Strength| -> AlgorithmSet {
        set.iter().filter(|algorithm| algorithm.strength() == wanted).collect()
    };
    let agreeing: AlgorithmSet = matched.iter().map(Digest::algorithm).collect();
    let strong = of_strength(agreeing, Strength::Strong);
    let weak = of_strength(agreeing, Strength::Weak);
    if strong.is_empty() && weak.is_empty() {
        return None;
    }
    let disagreeing = entry.algorithms.intersection(computed).difference(agreeing);
    let disagreeing = disagreeing.difference(of_strength(disagreeing, Strength::Hint));

    let list = &snapshot.list(entry).info;
    let (action, ground) = if !accepts(&policy.jurisdictions, &list.territories) {
        (Action::Observe, Ground::OutsideJurisdiction)
    } else if !strong.is_empty() {
        (list.action, Ground::AsListed)
    } else if !disagreeing.is_empty() {
        (min(list.action, min(Action::Review, policy.weak_digest_action)), Ground::Contradicted)
    } else if weak.len() >= 2 || list.action <= policy.weak_digest_action {
        (list.action, Ground::AsListed)
    } else {
        (policy.weak_digest_action, Ground::WeakDigestAlone)
    };
    let action = at_stage(action, policy.stage);
    Some(Match { list: Arc::clone(list), entry: entry.id, digests: matched, action, ground })
}

/// Blocking and takedown are one demand at two times: which of them, the content's stage decides.
fn at_stage(action: Action, stage: Stage) -> Action {
    match (action, stage) {
        (Action::Block | Action::Takedown, Stage::Upload) => Action::Block,
        (Action::Block | Action::Takedown, Stage::Published) => Action::Takedown,
        (mild, _) => mild,
    }
}
