use std::time::Instant;

use hashward_engine::core::{Action, Decision, Match};
use hashward_engine::desk::{Answer, DeskError};

use crate::door::{Door, Fail};
use crate::{AsyncUpload, Passage};

/// What a door that knows only yes and no answers about content that a person is to review.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Review {
    /// The same as about content to block.
    Block,
    /// Nothing: it passes, and the alert alone asks for the review.
    Pass,
}

/// What a door makes of answers.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) door: Door,
    pub(crate) review: Review,
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
    /// Why the desk may have no answer, as it is counted.
    pub(crate) const REFUSALS: &[&str] = &["full", "undelivered", "closing"];

    /// All bytes of an upload have come: what to say about it, once its alert is durable.
    pub(crate) async fn finish(&self, upload: AsyncUpload) -> Ruling {
        let ended = Instant::now();
        let answer = upload.finish().await;
        if let Ok(answer) = &answer {
            self.door.answered(&answer.verdict.decision, ended.elapsed());
        }
        self.rule(answer)
    }

    /// What to say about content that the desk answered about.
    pub(crate) fn rule(&self, answer: Result<Answer, DeskError>) -> Ruling {
        let verdict = match answer {
            Ok(answer) => answer.verdict,
            Err(error) => {
                let (reason, why) = match error {
                    DeskError::Full { .. } => ("full", "Too many uploads at once"),
                    DeskError::Undelivered { .. } => ("undelivered", "The alert could not be delivered"),
                    DeskError::TooFarAhead { .. } | DeskError::Closed => {
                        ("closing", "The service is closing")
                    }
                };
                self.door.refused(reason);
                return self.unjudged(why);
            }
        };
        let passage = Passage::of(&verdict.decision, self.door.fail());
        if passage == Passage::Pass || passage == Passage::Hold && self.review == Review::Pass {
            return Ruling::Pass;
        }
        match verdict.decision {
            Decision::Allow | Decision::Unreadable(_) => self.unjudged("The content could not be judged"),
            Decision::Act(action) => Ruling::Block(decisive_first(verdict.matches, action)),
        }
    }

    /// What to say about content that nobody judged, and why.
    pub(crate) fn unjudged(&self, why: &'static str) -> Ruling {
        match self.door.fail() {
            Fail::Open => Ruling::Pass,
            Fail::Closed => Ruling::Unjudged(why),
        }
    }
}

fn decisive_first(matches: Vec<Match>, action: Action) -> Vec<Match> {
    let (mut decisive, others): (Vec<_>, Vec<_>) =
        matches.into_iter().partition(|found| found.action == action);
    decisive.extend(others);
    decisive
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
    /// The stricter of both; this one if they are alike.
    pub(crate) fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Pass, _) | (Self::Unjudged(_), Self::Block(_)) => other,
            _ => self,
        }
    }

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

    use hashward_engine::Metrics;
    use hashward_engine::core::{EntryId, Generation, Ground, ListInfo, Unreadable, UnreadableKind, Verdict};
    use prometheus::Registry;

    use super::*;
    use crate::DoorKind;

    fn found(list: &str, action: Action) -> Match {
        let mut info = ListInfo::bare(list.parse().unwrap());
        info.category = "own:war-crimes".parse().unwrap();
        let (list, ground) = (Arc::new(info), Ground::AsListed);
        Match { list, entry: EntryId(1), digests: Vec::new(), action, ground }
    }

    #[test]
    fn each_decision_under_each_rule() {
        let rules = |review, fail| {
            let metrics = Metrics::register(Registry::new()).unwrap();
            Rules { door: Door::new(DoorKind::Clamd, fail, metrics), review }
        };
        let strict = rules(Review::Block, Fail::Closed);
        let mild = rules(Review::Pass, Fail::Open);
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
