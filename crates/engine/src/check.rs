//! The verdict: one pure function that everything else is built around.

use std::slice;

use hashward_core::{
    AlgorithmSet, Decision, Digest, Digests, Match, Strength, Unreadable, UnreadableKind, Verdict,
};
use hashward_index::{EntryNumber, IndexError};

use crate::weigh::weigh;
use crate::{Conditions, Policy, Snapshot};

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
/// An entry outside its time of validity is none. Each match calls for an action: its list's, or a milder one if only a
/// weak digest speaks for it, a stronger digest of the same entry speaks against it, somebody disputes it, the list is not
/// for the provider's jurisdictions, or a guard rail holds it back: the list's rollout, its newness, its breaker. The
/// strictest action of all matches wins. Where the index cannot be read nothing is allowed: the content is unreadable.
pub fn check(snapshot: &Snapshot, policy: &Policy, conditions: &Conditions, content: &Content) -> Verdict {
    let verdict = check_all(snapshot, policy, conditions, slice::from_ref(content)).pop();
    verdict.expect("one content, one verdict")
}

/// [`check`] for each of `contents`, in their order: many lookups at a time cost far less than each alone.
pub fn check_all(
    snapshot: &Snapshot,
    policy: &Policy,
    conditions: &Conditions,
    contents: &[Content],
) -> Vec<Verdict> {
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
            decide(snapshot, policy, conditions, content, entries)
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
    conditions: &Conditions,
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
        let list = &snapshot.list(&entry).info;
        matches.extend(weigh(list, &entry, policy, conditions, digests.algorithms(), matched));
    }
    matches.sort_by(|a: &Match, b: &Match| (&a.list.id, a.entry).cmp(&(&b.list.id, b.entry)));
    let strictest = matches.iter().map(|found| found.action).max();
    Ok((strictest.map_or(Decision::Allow, Decision::Act), matches))
}
