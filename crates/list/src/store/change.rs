use std::collections::BTreeMap;
use std::fmt;

use hashward_core::EntryId;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Counts, StoredEntry, Totals};

/// What became of an entry, by what matters most.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is not there yet: the comparison goes back in time.
    Unlisted,
    /// It was withdrawn.
    Withdrawn,
    /// It was withdrawn, and is in force again.
    Revived,
    /// It is disputed.
    Disputed,
    /// It was disputed, and is no more.
    Undisputed,
    /// It says something else.
    Changed,
}

/// An entry in two states of a list, in which it is not the same.
///
/// `Display` and the JSON form show digests: they are for the list's own maintainer. `Debug` shows none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryChange {
    /// The entry.
    pub id: EntryId,
    /// What it was in the first state. None if it was not there yet.
    pub before: Option<StoredEntry>,
    /// What it is in the second state.
    pub after: Option<StoredEntry>,
}

/// A field in two states, as text. None where it says nothing.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field's name: of a signal its algorithm or kind.
    pub field: String,
    /// What it said.
    pub before: Option<String>,
    /// What it says.
    pub after: Option<String>,
}

impl EntryChange {
    /// What became of the entry.
    pub fn kind(&self) -> ChangeKind {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return if self.before.is_none() { ChangeKind::Added } else { ChangeKind::Unlisted };
        };
        match (before.is_in_force(), after.is_in_force()) {
            (true, false) => return ChangeKind::Withdrawn,
            (false, true) => return ChangeKind::Revived,
            _ => {}
        }
        match (before.disputed.is_some(), after.disputed.is_some()) {
            (false, true) => ChangeKind::Disputed,
            (true, false) => ChangeKind::Undisputed,
            _ => ChangeKind::Changed,
        }
    }

    /// The fields that are not the same, in the order of their names.
    pub fn fields(&self) -> Vec<FieldChange> {
        let facts = |entry: &Option<StoredEntry>| entry.as_ref().map(facts).unwrap_or_default();
        compare(&facts(&self.before), &facts(&self.after))
    }

    /// Counts the change, and carries the totals on.
    pub(super) fn count(&self, counts: &mut Counts, totals: &mut Totals) {
        let count = match self.kind() {
            ChangeKind::Added => &mut counts.added,
            ChangeKind::Withdrawn => &mut counts.withdrawn,
            ChangeKind::Revived => &mut counts.revived,
            ChangeKind::Disputed => &mut counts.disputed,
            ChangeKind::Undisputed => &mut counts.undisputed,
            ChangeKind::Changed | ChangeKind::Unlisted => &mut counts.changed,
        };
        *count += 1;
        // A damaged list may say less than it takes away.
        if let Some(entry) = &self.before {
            totals.entries = totals.entries.saturating_sub(1);
            totals.withdrawn = totals.withdrawn.saturating_sub(u64::from(!entry.is_in_force()));
            totals.disputed = totals.disputed.saturating_sub(u64::from(acts_disputed(entry)));
        }
        if let Some(entry) = &self.after {
            totals.entries += 1;
            totals.withdrawn += u64::from(!entry.is_in_force());
            totals.disputed += u64::from(acts_disputed(entry));
        }
    }
}

fn acts_disputed(entry: &StoredEntry) -> bool {
    entry.is_in_force() && entry.disputed.is_some()
}

/// All fields that say something, as text: what people wrote in quotes, so that no control character gets out.
fn facts(entry: &StoredEntry) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut put = |field: &str, text: Option<String>| {
        if let Some(text) = text {
            facts.insert(field.to_owned(), text);
        }
    };
    let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
    put("source", quoted(&entry.source));
    put("key", quoted(&entry.key));
    for digest in entry.digests.iter() {
        put(digest.algorithm().word(), Some(digest.to_hex()));
    }
    for (kind, value) in &entry.unmatched_signals {
        put(&format!("signal {kind:?}"), Some(format!("{value:?}")));
    }
    put("size_bytes", entry.size_bytes.map(|bytes| bytes.to_string()));
    put("category", entry.category.as_ref().map(ToString::to_string));
    put("reference", quoted(&entry.reference));
    put("valid_from", entry.valid_from.map(|moment| moment.to_string()));
    put("valid_until", entry.valid_until.map(|moment| moment.to_string()));
    put("note", quoted(&entry.note));
    let marked = |reason: &str, since| format!("since {since}: {reason:?}");
    put("disputed", entry.disputed.as_ref().map(|dispute| marked(&dispute.reason, dispute.since)));
    put("withdrawn", entry.withdrawn.as_ref().map(|tombstone| marked(&tombstone.reason, tombstone.since)));
    facts
}

pub(super) fn compare(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<FieldChange> {
    let fields: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |field: &String| FieldChange {
        field: field.clone(),
        before: before.get(field).cloned(),
        after: after.get(field).cloned(),
    };
    fields.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{field} {before} -> {after}"),
            (Some(before), None) => write!(f, "{field} {before} -> nothing"),
            (None, after) => write!(f, "{field} {}", after.as_deref().unwrap_or("nothing")),
        }
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldChange({:?}, …)", self.field)
    }
}

impl fmt::Display for EntryChange {
    /// One line: the entry, what became of it, and the fields that are not the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, kind) = match self.kind() {
            ChangeKind::Added => ('+', "added"),
            ChangeKind::Unlisted => ('-', "not listed"),
            ChangeKind::Withdrawn => ('-', "withdrawn"),
            ChangeKind::Revived => ('+', "revived"),
            ChangeKind::Disputed => ('?', "disputed"),
            ChangeKind::Undisputed => ('!', "disputed no more"),
            ChangeKind::Changed => ('~', "changed"),
        };
        write!(f, "{mark} {} {kind}", self.id)?;
        for (i, field) in self.fields().iter().enumerate() {
            write!(f, "{} {field}", if i == 0 { ':' } else { ';' })?;
        }
        Ok(())
    }
}

impl Serialize for EntryChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_struct("EntryChange", 5)?;
        change.serialize_field("id", &self.id)?;
        change.serialize_field("kind", &self.kind())?;
        let fields: Vec<String> = self.fields().into_iter().map(|change| change.field).collect();
        change.serialize_field("fields", &fields)?;
        change.serialize_field("before", &self.before)?;
        change.serialize_field("after", &self.after)?;
        change.end()
    }
}
