use std::sync::Arc;

use crate::word::words;
use crate::{Action, Digest, EntryId, Generation, ListInfo, Unreadable};

words! {
    /// Why a match calls for the action that it calls for.
    pub enum Ground ("ground") {
        /// The list's own action.
        AsListed = "as-listed",
        /// Only a digest with practical collisions matched, and no second one of the same entry agrees.
        WeakDigestAlone = "weak-digest-alone",
        /// A weak digest matched, and a stronger one of the same entry did not: the content is another one.
        Contradicted = "contradicted",
        /// The list is not for a territory whose law binds the provider.
        OutsideJurisdiction = "outside-jurisdiction",
        /// Somebody disputes that the entry belongs into its list: people decide.
        Disputed = "disputed",
        /// The provider lets only a share of the list's entries act so far, and this one is not among them.
        OutsideRollout = "outside-rollout",
        /// The entry has not been in its list for long enough to act.
        NewEntry = "new-entry",
        /// The entry matched a flood of content: people decide until its breaker is released.
        Breaker = "breaker",
    }
}

/// One entry of one list that content matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The list.
    pub list: Arc<ListInfo>,
    /// The entry of that list.
    pub entry: EntryId,
    /// The content's digests that the entry holds; at least one of them is a ground for an alert.
    pub digests: Vec<Digest>,
    /// What this match alone calls for.
    pub action: Action,
    /// Why it calls for that.
    pub ground: Ground,
}

/// What to do about one content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Nothing matched.
    Allow,
    /// Something matched: this is the strictest action called for.
    Act(Action),
    /// The content could not be judged.
    Unreadable(Unreadable),
}

impl Decision {
    /// Every decision's word, for metrics and output.
    pub const WORDS: [&'static str; 6] = ["allow", "observe", "review", "block", "takedown", "unreadable"];

    /// The decision's word.
    pub const fn word(&self) -> &'static str {
        Self::WORDS[self.number()]
    }

    /// Where the decision's word stands among [`Decision::WORDS`].
    pub const fn number(&self) -> usize {
        match self {
            Self::Allow => 0,
            Self::Act(action) => 1 + *action as usize,
            Self::Unreadable(_) => Self::WORDS.len() - 1,
        }
    }
}

/// The decision about one content, and everything that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The generation of the lists that made it.
    pub generation: Generation,
    /// What to do.
    pub decision: Decision,
    /// Every entry that matched, ordered by list and entry.
    pub matches: Vec<Match>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnreadableKind;

    #[test]
    fn every_decision_has_its_word() {
        let acts = Action::WORDS.iter().map(|word| Decision::Act(word.parse().unwrap()));
        let unreadable = Decision::Unreadable(Unreadable::new(UnreadableKind::TooLarge, ""));
        let all: Vec<Decision> = [Decision::Allow].into_iter().chain(acts).chain([unreadable]).collect();
        let words: Vec<&str> = all.iter().map(Decision::word).collect();
        assert_eq!(words, Decision::WORDS);
        assert_eq!(Decision::Act(Action::Takedown).word(), Action::Takedown.word());
    }
}
