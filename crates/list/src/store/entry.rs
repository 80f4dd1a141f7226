use std::collections::BTreeMap;
use std::fmt;

use hashward_core::{Category, Digests, EntryId};
use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// One entry of a list folder: all that is known of one item.
///
/// It serialises to JSON with its digests in hexadecimal digits, which is the maintainer's own output; `Debug` shows no
/// signal. Times are held to the microsecond.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct StoredEntry {
    /// The entry's name in alerts: it stays for the entry's whole life.
    pub id: EntryId,
    /// The feed or file whose key this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The source's own name for the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The digests that Hashward can match: all of one content.
    #[serde(serialize_with = "hex_by_algorithm")]
    pub digests: Digests,
    /// Signals of kinds that Hashward does not match yet, by the kind's word.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unmatched_signals: BTreeMap<String, String>,
    /// The content's length, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// What the entry is about, if that is not what the whole list is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The source's reference number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// From when the entry is valid.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    pub valid_from: Option<Timestamp>,
    /// Until when the entry is valid: it is no longer, at this very moment.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    pub valid_until: Option<Timestamp>,
    /// What people should know of the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Somebody says that the entry is wrong: it never acts harder than review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disputed: Option<Dispute>,
    /// The entry is withdrawn, and matches nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Tombstone>,
    /// When the list took the entry up.
    #[serde(serialize_with = "always_time")]
    pub listed_since: Timestamp,
}

/// Why and when an entry was withdrawn.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Tombstone {
    /// Why.
    pub reason: String,
    /// Since when.
    #[serde(serialize_with = "always_time")]
    pub since: Timestamp,
}

/// Why and since when an entry is disputed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Dispute {
    /// Why.
    pub reason: String,
    /// Since when.
    #[serde(serialize_with = "always_time")]
    pub since: Timestamp,
}

impl StoredEntry {
    /// Whether the entry is in the list: it is not withdrawn. Whether it is valid at some moment is another question:
    /// see [`StoredEntry::is_valid_at`].
    pub fn is_in_force(&self) -> bool {
        self.withdrawn.is_none()
    }

    /// Whether `moment` lies between [`StoredEntry::valid_from`] and [`StoredEntry::valid_until`].
    pub fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= moment)
            && self.valid_until.is_none_or(|until| moment < until)
    }
}

impl fmt::Debug for StoredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<&String> = self.unmatched_signals.keys().collect();
        let state = match (&self.withdrawn, &self.disputed) {
            (Some(_), _) => "withdrawn",
            (None, Some(_)) => "disputed",
            (None, None) => "in force",
        };
        write!(f, "StoredEntry({}, {:?}, {kinds:?}, {state})", self.id, self.digests)
    }
}

fn hex_by_algorithm<S: Serializer>(digests: &Digests, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(digests.algorithms().len()))?;
    for digest in digests.iter() {
        map.serialize_entry(digest.algorithm().word(), &digest.to_hex())?;
    }
    map.end()
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn time<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => always_time(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// As in RFC 3339.
fn always_time<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}
