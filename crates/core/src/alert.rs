use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Action, Algorithm, Category, EntryId, Generation, Ground, ListId, Priority, Territory};

/// The identity of an alert, 128 bits, made from the content's identity, the action and the entries that matched.
/// A replay makes the same id, so that every consumer can drop a repeat.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AlertId(pub u128);

impl AlertId {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let good = text.len() == 32 && text.bytes().all(lower);
        good.then(|| u128::from_str_radix(text, 16).ok().map(Self))?
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for AlertId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AlertId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom("expected an alert id: 32 lower-case hexadecimal digits");
        Self::parse(&text).ok_or_else(bad)
    }
}

/// Content as the provider identifies it, in the words of CloudEvents 1.0.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// What names this content and no other: the provider's event id, or topic, partition and offset.
    pub id: String,
    /// Where the content came from (CloudEvents `source`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What kind of event brought it (CloudEvents `type`).
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object's name or URL (CloudEvents `subject`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The content's media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// W3C Trace Context: the trace this content belongs to.
    #[serde(skip)]
    pub traceparent: Option<String>,
    /// W3C Trace Context: the vendors' part, carried along with `traceparent`.
    #[serde(skip)]
    pub tracestate: Option<String>,
}

/// One match as an alert tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertMatch {
    /// The list.
    pub list: ListId,
    /// The entry of that list.
    pub entry: EntryId,
    /// The content's digests that the entry holds, in hexadecimal digits. No other digest is told.
    pub digests: BTreeMap<Algorithm, String>,
    /// What this match alone calls for.
    pub action: Action,
    /// Why it calls for that.
    pub ground: Ground,
    /// What the list is about.
    pub category: Category,
    /// How urgent the list is.
    pub priority: Priority,
    /// Where the list applies; empty means everywhere.
    pub territories: Vec<Territory>,
    /// The authority or body that publishes the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The law that makes the content illegal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// The owner's reference number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who answers questions about the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// The message that carries a verdict out. It holds no content, and nothing about what did not match.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// The same for each replay of the same verdict.
    pub alert_id: AlertId,
    /// What the provider is to do.
    pub action: Action,
    /// The highest priority of all matches.
    pub priority: Priority,
    /// Where the action applies: the territories of the lists that call for it; empty means everywhere.
    pub territories: Vec<Territory>,
    /// By when to act, RFC 3339, if a list sets a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// When the verdict was made, RFC 3339 in UTC.
    pub decided_at: String,
    /// The generation of the lists that made the verdict.
    pub generation: Generation,
    /// The content, as the provider identifies it.
    pub content: Identity,
    /// Every entry that matched.
    pub matches: Vec<AlertMatch>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_back() {
        let id = AlertId(0x00ab << 96 | 7);
        assert_eq!(AlertId::parse(&id.to_string()), Some(id));
        for text in ["", "7", &"g".repeat(32), &"A".repeat(32), "+0000000000000000000000000000007"] {
            assert_eq!(AlertId::parse(text), None, "{text:?} is no alert id");
        }
    }
}
