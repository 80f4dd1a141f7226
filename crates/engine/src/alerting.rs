//! From a verdict to the alert that carries it out.

use std::collections::BTreeMap;

use hashward_core::{
    Action, Alert, AlertId, AlertMatch, Decision, Identity, Match, Priority, Territory, Verdict,
};
use jiff::{SignedDuration, Timestamp};

/// The alert for a verdict that asks for something; `None` for all others.
pub fn alert(verdict: &Verdict, content: Identity, now: Timestamp) -> Option<Alert> {
    let Decision::Act(action) = verdict.decision else { return None };
    let calling = || verdict.matches.iter().filter(move |found| found.action == action);
    let deadline_minutes = calling().filter_map(|found| found.list.deadline_minutes).min();
    let deadline = deadline_minutes
        .and_then(|minutes| now.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok());
    Some(Alert {
        alert_id: alert_id(&content, action, &verdict.matches),
        action,
        priority: calling().map(|found| found.list.priority).max().unwrap_or(Priority::Normal),
        territories: territories(calling()),
        deadline: deadline.map(rfc3339),
        decided_at: rfc3339(now),
        generation: verdict.generation,
        content,
        matches: verdict.matches.iter().map(told).collect(),
    })
}

/// The alert's identity: what the provider calls the content, what is asked for, and which entries ask for it.
/// Each part is hashed behind its length, so that no two lists of parts look alike.
fn alert_id(content: &Identity, action: Action, matches: &[Match]) -> AlertId {
    let mut hasher = blake3::Hasher::new_derive_key("hashward 2026-11 alert id");
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(content.source.as_deref().unwrap_or_default().as_bytes());
    part(content.id.as_bytes());
    part(action.word().as_bytes());
    for found in matches {
        part(found.list.id.as_str().as_bytes());
        part(&found.entry.0.to_le_bytes());
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    AlertId(u128::from_be_bytes(id))
}

/// Every territory of the lists that call for the action; everywhere (empty) if one of them is for everywhere.
fn territories<'a>(calling: impl Iterator<Item = &'a Match>) -> Vec<Territory> {
    let mut all = Vec::new();
    for found in calling {
        if found.list.territories.is_empty() {
            return Vec::new();
        }
        all.extend_from_slice(&found.list.territories);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn told(found: &Match) -> AlertMatch {
    let list = &found.list;
    let digests: BTreeMap<_, _> = found.digests.iter().map(|d| (d.algorithm(), d.to_hex())).collect();
    AlertMatch {
        list: list.id.clone(),
        entry: found.entry,
        digests,
        action: found.action,
        ground: found.ground,
        category: list.category.clone(),
        priority: list.priority,
        territories: list.territories.clone(),
        owner: list.owner.clone(),
        legal_basis: list.legal_basis.clone(),
        reference: list.reference.clone(),
        contact: list.contact.clone(),
    }
}

/// RFC 3339 in UTC with milliseconds.
fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}
