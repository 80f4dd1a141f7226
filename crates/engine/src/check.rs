//! The verdict: one pure function that everything else is built around.

use std::cmp::min;
use std::slice;
use std::sync::Arc;

use hashward_core::{
    Action, AlgorithmSet, Decision, Digest, Digests, Ground, Match, Strength, Unreadable, UnreadableKind,
    Verdict, accepts,
};
use hashward_index::{EntryNumber, EntryRecord, IndexError};

use crate::{Policy, Snapshot, Stage};

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
/// entry speaks against it, somebody disputes it, or the list is not for the provider's jurisdictions. The strictest
/// action wins. Where the index cannot be read nothing is allowed: the content is unreadable.
pub fn check(snapshot: &Snapshot, policy: &Policy, content: &Content) -> Verdict {
    check_all(snapshot, policy, slice::from_ref(content)).pop().expect("one content, one verdict")
}

/// [`check`] for each of `contents`, in their order: many lookups at a time cost far less than each alone.
pub fn check_all(snapshot: &Snapshot, policy: &Policy, contents: &[Content]) -> Vec<Verdict> {
    let mut asked: Vec<Digest> = Vec::new();
    let mut askers: Vec<usize> = Vec::new();
    for (asker, content) in contents.iter().enumerate() {
        if let Content::Digests(digests) = content {
            asked.extend(digests.iter());
            askers.resize(asked.len(), asker);
        }
    }
    let mut hits: Vec<(usize, EntryNumber, usize)> = Vec::new();
    let looked = snapshot.lookup(&asked, &mut |place, entry| hits.push((askers[place], entry, place)));
    hits.sort_unstable();
    let mut hits = hits.as_slice();
    let verdicts = contents.iter().enumerate().map(|(asker, content)| {
        let (mine, others) = hits.split_at(hits.iter().take_while(|hit| hit.0 == asker).count());
        hits = others;
        let decided = looked.as_ref().map_err(told).and_then(|()| {
            let of_entry = mine.chunk_by(|left, right| left.1 == right.1);
            let entries = of_entry.map(|same| (same[0].1, same.iter().map(|hit| asked[hit.2]).collect()));
            decide(snapshot, policy, content, entries)
        });
        let (decision, matches) = decided.unwrap_or_else(|unreadable| (unreadable, Vec::new()));
        Verdict { generation: snapshot.generation(), decision, matches }
    });
    verdicts.collect()
}

/// What cannot be looked up is not allowed.
fn told(error: &IndexError) -> Decision {
    Decision::Unreadable(Unreadable::new(UnreadableKind::IndexDamaged, error))
}

/// The decision about one content, of which each of `entries` holds the digests beside it, or why there is none.
fn decide(
    snapshot: &Snapshot,
    policy: &Policy,
    content: &Content,
    entries: impl Iterator<Item = (EntryNumber, Vec<Digest>)>,
) -> Result<(Decision, Vec<Match>), Decision> {
    let digests = match content {
        Content::Digests(digests) => digests,
        Content::Unreadable(reason) => return Err(Decision::Unreadable(reason.clone())),
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
        return Err(Decision::Unreadable(reason));
    }
    let mut matches = Vec::new();
    for (number, matched) in entries {
        let entry = snapshot.record(number).map_err(|error| told(&error))?;
        matches.extend(weigh(snapshot, policy, digests.algorithms(), &entry, matched));
    }
    matches.sort_by(|a: &Match, b: &Match| (&a.list.id, a.entry).cmp(&(&b.list.id, b.entry)));
    let strictest = matches.iter().map(|found| found.action).max();
    Ok((strictest.map_or(Decision::Allow, Decision::Act), matches))
}

/// What one entry, of which the content has the `matched` digests, calls for. `None` if nothing is a ground.
fn weigh(
    snapshot: &Snapshot,
    policy: &Policy,
    computed: AlgorithmSet,
    entry: &EntryRecord<'_>,
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
    let (action, ground) = if entry.disputed && action > Action::Review {
        (Action::Review, Ground::Disputed)
    } else {
        (action, ground)
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
