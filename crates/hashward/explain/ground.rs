//! One sentence for each ground.

use hashward_core::{AlgorithmSet, Digest, Ground, Match, Strength, Territory};

/// Why the match calls for its action. `disagree` are the entry's digests that the content does not have.
pub(crate) fn why(of: &Match, disagree: AlgorithmSet) -> String {
    let agree: AlgorithmSet = of.digests.iter().map(Digest::algorithm).collect();
    let listed = of.list.action;
    match of.ground {
        Ground::AsListed if agree.iter().any(|algorithm| algorithm.strength() == Strength::Strong) => {
            format!("a digest without known collisions agrees, and the list asks for {listed}")
        }
        Ground::AsListed if agree.len() >= 2 => {
            format!(
                "{agree} are weak one by one, but agree on the same entry, and the list asks for {listed}"
            )
        }
        Ground::AsListed => {
            format!(
                "the list asks for {listed}, which policy.weak_digest_action lets a match on {agree} alone \
                 call for"
            )
        }
        Ground::WeakDigestAlone => format!(
            "only {agree} agrees, which anybody can make collide: policy.weak_digest_action turns the \
             list's {listed} into {}",
            of.action
        ),
        Ground::Contradicted => format!(
            "{agree} agrees, but the entry's {disagree} does not: this is other content made to look like \
             the listed one, or an error in the list"
        ),
        Ground::Disputed => {
            format!("somebody disputes the entry: the list's {listed} waits until people have decided")
        }
        Ground::OutsideRollout => format!(
            "the entry is not in the share of the list that acts so far, see guard.rollout_percent: the list's \
             {listed} is not called for"
        ),
        Ground::NewEntry => format!(
            "the entry is new in its list, and observed only for guard.observe_new_ms: then the list's {listed} \
             is called for"
        ),
        Ground::Breaker => format!(
            "the entry matched more content than guard.breaker_matches_max: the list's {listed} waits until its \
             breaker is released"
        ),
        Ground::OutsideJurisdiction => {
            let territories: Vec<&str> = of.list.territories.iter().map(Territory::code).collect();
            let territories = territories.join(", ");
            format!(
                "the list is for {territories}, which is none of policy.jurisdictions: it is observed only"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hashward_core::{Action, Algorithm, EntryId, ListInfo};

    use super::*;

    #[test]
    fn every_ground_has_a_sentence() {
        let mut list = ListInfo::bare("sample".parse().unwrap());
        list.action = Action::Block;
        list.territories = vec!["DE".parse().unwrap()];
        let list = Arc::new(list);
        let digest = |algorithm: &Algorithm| Digest::of_empty_content(*algorithm);
        let cases: [(Ground, &[Algorithm], &str); 10] = [
            (Ground::Disputed, &[Algorithm::Sha256], "somebody disputes the entry"),
            (Ground::AsListed, &[Algorithm::Sha256], "without known collisions"),
            (Ground::AsListed, &[Algorithm::Md5, Algorithm::Sha1], "md5, sha1 are weak one by one"),
            (Ground::AsListed, &[Algorithm::Md5], "policy.weak_digest_action lets"),
            (Ground::WeakDigestAlone, &[Algorithm::Md5], "the list's block into review"),
            (Ground::Contradicted, &[Algorithm::Md5], "the entry's sha256 does not"),
            (Ground::OutsideJurisdiction, &[Algorithm::Sha256], "the list is for DE"),
            (Ground::OutsideRollout, &[Algorithm::Sha256], "not in the share of the list"),
            (Ground::NewEntry, &[Algorithm::Sha256], "then the list's block is called for"),
            (Ground::Breaker, &[Algorithm::Sha256], "waits until its breaker is released"),
        ];
        for ground in Ground::ALL {
            assert!(cases.iter().any(|case| case.0 == *ground), "{ground} has no case");
        }
        for (ground, algorithms, expected) in cases {
            let digests = algorithms.iter().map(digest).collect();
            let of =
                Match { list: Arc::clone(&list), entry: EntryId(1), digests, action: Action::Review, ground };
            let sentence = why(&of, AlgorithmSet::EMPTY.with(Algorithm::Sha256));
            assert!(sentence.contains(expected), "{sentence}");
        }
    }
}
