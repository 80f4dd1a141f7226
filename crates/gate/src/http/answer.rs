//! What is told of a verdict: enough to act on, and nothing that would help to probe a list.

use std::collections::BTreeSet;

use hashward_engine::core::{Decision, Verdict};
use hashward_engine::desk::{Answer, BatchAnswer};
use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use crate::door::{Fail, Passage};

/// The answer about one content.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct ContentAnswer {
    /// What names the content: as it was asked, or a name of its own.
    pub(super) content_id: String,
    /// `allow`, `observe`, `review`, `block` or `takedown`; `unreadable` where the content could not be judged, and
    /// `unjudged` where Hashward could not judge and the door fails open.
    pub(super) verdict: &'static str,
    /// What to do with the content: `pass`, `hold` until people have looked at it, or `refuse`.
    pub(super) action: Passage,
    /// The alert that left before this answer, if the verdict asks for something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alert_id: Option<String>,
    /// The lists that speak against the content. Which of their entries do, only the alert says.
    pub(super) matches: Vec<MatchedList>,
    /// The generation of the lists that made the verdict; 0 if there is none.
    pub(super) generation: u64,
    /// Why the content could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// A list that speaks against a content.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct MatchedList {
    /// The list's id.
    pub(super) list: String,
    /// What it is about.
    pub(super) category: String,
}

/// The answer about a form of several parts.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct FormAnswer {
    /// The strictest action of all parts.
    pub(super) action: Passage,
    /// The answer about each part, in their order.
    pub(super) parts: Vec<PartAnswer>,
}

/// The answer about one part of a form.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct PartAnswer {
    /// The part's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The answer.
    #[serde(flatten)]
    pub(super) answer: ContentAnswer,
}

/// The answer about a batch of digests.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct DigestsAnswer {
    /// The generation of the lists that made it.
    pub(super) generation: u64,
    /// How many contents were asked about.
    pub(super) contents: usize,
    /// Those that are not simply allowed, by growing place. All others are.
    pub(super) answers: Vec<PlacedAnswer>,
}

/// The answer about one content of a batch.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct PlacedAnswer {
    /// The content's place in the batch, from 0.
    pub(super) place: usize,
    /// The answer.
    #[serde(flatten)]
    pub(super) answer: ContentAnswer,
}

impl ContentAnswer {
    pub(super) fn new(answer: Answer, fail: Fail) -> Self {
        let Answer { content_id, verdict, alert_id } = answer;
        let Verdict { generation, decision, matches } = &verdict;
        let lists: BTreeSet<MatchedList> = matches
            .iter()
            .map(|found| MatchedList {
                list: found.list.id.to_string(),
                category: found.list.category.to_string(),
            })
            .collect();
        let reason = match decision {
            Decision::Unreadable(reason) => Some(reason.to_string()),
            _ => None,
        };
        Self {
            content_id,
            verdict: decision.word(),
            action: Passage::of(decision, fail),
            alert_id: alert_id.map(|id| id.to_string()),
            matches: lists.into_iter().collect(),
            generation: generation.0,
            reason,
        }
    }

    /// Where there is no verdict, and content passes nevertheless.
    pub(super) fn unjudged(content_id: String, problem: &Problem) -> Self {
        Self {
            content_id,
            verdict: "unjudged",
            action: Passage::Pass,
            alert_id: None,
            matches: Vec::new(),
            generation: 0,
            reason: Some(problem.detail.clone()),
        }
    }
}

impl DigestsAnswer {
    pub(super) fn new(answer: BatchAnswer, fail: Fail) -> Self {
        let placed = answer.notable.into_iter();
        let answers =
            placed.map(|(place, answer)| PlacedAnswer { place, answer: ContentAnswer::new(answer, fail) });
        Self { generation: answer.generation.0, contents: answer.contents, answers: answers.collect() }
    }
}
