use hashward_engine::core::{Action, Decision, Match};
use hashward_engine::desk::{Answer, DeskError};

/// What a door answers about content that cannot be judged: the provider's own choice, for each door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fail {
    /// It passes.
    Open,
    /// It does not.
    Closed,
}

/// What a door makes of answers.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether content that a person is to review is answered like content to block.
    pub blocks_review: bool,
    /// What is answered about content that cannot be judged.
    pub fail: Fail,
}

/// What a door says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ruling {
    /// The content passes.
    Pass,
    /// It does not, because of these matches, the decisive ones first.
    Block(Vec<Match>),
    /// Nobody knows, and so it does not.
    Unjudged(&'static str),
}

impl Rules {
    /// What to say about content that the desk answered about.
    pub(crate) fn rule(self, answer: Result<Answer, DeskError>) -> Ruling {
        let verdict = match answer {
            Ok(answer) => answer.verdict,
            Err(DeskError::Full { .. }) => return self.unjudged("Too many uploads at once"),
            Err(DeskError::Undelivered { .. }) => return self.unjudged("The alert could not be delivered"),
            Err(DeskError::TooFarAhead { .. } | DeskError::Closed) => {
                return self.unjudged("The service is closing");
            }
        };
        match verdict.decision {
            Decision::Allow | Decision::Act(Action::Observe) => Ruling::Pass,
            Decision::Act(Action::Review) if !self.blocks_review => Ruling::Pass,
            Decision::Act(action) => {
                let (mut decisive, others): (Vec<_>, Vec<_>) =
                    verdict.matches.into_iter().partition(|found| found.action == action);
                decisive.extend(others);
                Ruling::Block(decisive)
            }
            Decision::Unreadable(_) => self.unjudged("The content could not be judged"),
        }
    }

    /// What to say about content that nobody judged, and why.
    pub(crate) fn unjudged(self, why: &'static str) -> Ruling {
        match self.fail {
            Fail::Open => Ruling::Pass,
            Fail::Closed => Ruling::Unjudged(why),
        }
    }
}

/// The name under which scanners know a match: `Hashward.<list>.<category>`, of letters, digits, `.`, `_` and `-`.
pub(crate) fn threat_name(found: &Match) -> String {
    let category: String = found
        .list
        .category
        .word()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .collect();
    format!("Hashward.{}.{category}", found.list.id)
}

impl Ruling {
    /// The name of the decisive match.
    pub(crate) fn threat(&self) -> Option<String> {
        match self {
            Self::Block(matches) => matches.first().map(threat_name),
            Self::Pass | Self::Unjudged(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hashward_engine::core::{EntryId, Generation, Ground, ListInfo, Unreadable, UnreadableKind, Verdict};

    use super::*;

    fn found(list: &str, action: Action) -> Match {
        let mut info = ListInfo::bare(list.parse().unwrap());
        info.category = "own:war-crimes".parse().unwrap();
        let (list, ground) = (Arc::new(info), Ground::AsListed);
        Match { list, entry: EntryId(1), digests: Vec::new(), action, ground }
    }

    #[test]
    fn each_decision_under_each_rule() {
        let rules = |blocks_review, fail| Rules { blocks_review, fail };
        let strict = rules(true, Fail::Closed);
        let mild = rules(false, Fail::Open);
        let answer = |decision, matches| {
            let verdict = Verdict { generation: Generation(1), decision, matches };
            Ok(Answer { content_id: String::new(), verdict, alert_id: None })
        };
        let act =
            |action| answer(Decision::Act(action), vec![found("a", Action::Observe), found("b", action)]);
        let said = |ruling: Ruling| match &ruling {
            Ruling::Pass => "pass".to_owned(),
            Ruling::Block(_) => ruling.threat().unwrap(),
            Ruling::Unjudged(_) => "unjudged".to_owned(),
        };
        let unreadable = Decision::Unreadable(Unreadable::new(UnreadableKind::TooLarge, "why"));
        let named = "Hashward.b.own-war-crimes";
        for (asked, if_strict, if_mild) in [
            (answer(Decision::Allow, Vec::new()), "pass", "pass"),
            (act(Action::Observe), "pass", "pass"),
            (act(Action::Review), named, "pass"),
            (act(Action::Block), named, named),
            (act(Action::Takedown), named, named),
            (answer(unreadable, Vec::new()), "unjudged", "pass"),
            (Err(DeskError::Full { uploads_max: 1 }), "unjudged", "pass"),
            (Err(DeskError::Undelivered { detail: String::new() }), "unjudged", "pass"),
            (Err(DeskError::Closed), "unjudged", "pass"),
        ] {
            assert_eq!(said(strict.rule(asked.clone())), if_strict, "{asked:?}");
            assert_eq!(said(mild.rule(asked.clone())), if_mild, "{asked:?}");
        }
    }
}
