use hashward_core::{AlertId, EvidenceKind, Generation, ListId};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{ENTRY_BYTES_MAX, EvidenceError, Hash};

/// What an entry of the log says: who did what, when.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Record {
    /// When, to the millisecond.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub when: Timestamp,
    /// Who: a worker's instance, or a person as they name themselves.
    pub who: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What was done.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// An alert was made, and is about to leave. Nothing of what it says is here, only what binds it to this entry.
    Alert {
        /// The alert's id.
        alert: AlertId,
        /// SHA-256 of the alert as canonical JSON: see [`alert_hash`].
        sha256: Hash,
    },
    /// A release was published.
    ReleasePublished(Release),
    /// Somebody signed a release.
    ReleaseSigned {
        /// The release.
        #[serde(flatten)]
        release: Release,
        /// The public name of the key that signed: an identifier, never the key.
        key: String,
    },
    /// A release was fetched and verified.
    ReleasePulled(Release),
    /// A worker matches by a new state of a list.
    ReleaseApplied {
        /// The list.
        list: ListId,
        /// The generation in which it went live.
        generation: Generation,
        /// How many entries of it are matched.
        entries: u64,
        /// The number of the list's state or release, where it has numbers.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<u64>,
        /// The hash over the whole state, where it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        checksum: Option<Hash>,
    },
    /// An operator went back to an earlier state.
    RolledBack {
        /// The list, if it is one list that went back.
        #[serde(skip_serializing_if = "Option::is_none")]
        list: Option<ListId>,
        /// The generation that was gone back to.
        #[serde(skip_serializing_if = "Option::is_none")]
        generation: Option<Generation>,
        /// The release that was gone back to.
        #[serde(skip_serializing_if = "Option::is_none")]
        release: Option<u64>,
        /// Why.
        reason: String,
    },
    /// An operator gave up a list that was subscribed to.
    ListRemoved {
        /// The list.
        list: ListId,
        /// Why.
        reason: String,
    },
    /// An operator ended a rollback: the lists are followed again.
    Resumed {
        /// The list, if it is one list.
        #[serde(skip_serializing_if = "Option::is_none")]
        list: Option<ListId>,
    },
}

/// A release of a list, or metadata of a repository of releases.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Release {
    /// The list, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListId>,
    /// The role of the metadata, such as `root` or `targets`, if it is about metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The release's number, or the metadata's version.
    pub number: u64,
    /// SHA-256 over the whole release or metadata, as it was signed.
    pub checksum: Hash,
}

impl What {
    /// The kind in one word.
    pub fn kind(&self) -> EvidenceKind {
        match self {
            Self::Alert { .. } => EvidenceKind::Alert,
            Self::ReleasePublished(_) => EvidenceKind::ReleasePublished,
            Self::ReleaseSigned { .. } => EvidenceKind::ReleaseSigned,
            Self::ReleasePulled(_) => EvidenceKind::ReleasePulled,
            Self::ReleaseApplied { .. } => EvidenceKind::ReleaseApplied,
            Self::RolledBack { .. } => EvidenceKind::RolledBack,
            Self::ListRemoved { .. } => EvidenceKind::ListRemoved,
            Self::Resumed { .. } => EvidenceKind::Resumed,
        }
    }
}

impl Record {
    /// The entry that records this: canonical JSON.
    pub(crate) fn entry(&self) -> Result<Vec<u8>, EvidenceError> {
        let value = serde_json::to_value(self).expect("a record is JSON");
        let entry = canonical(&value).into_bytes();
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(EvidenceError::RecordTooLarge { kind: self.what.kind(), bytes: entry.len() });
        }
        Ok(entry)
    }

    /// Reads an entry. `None` for one of a kind that this version does not know, which is as good an entry.
    pub fn from_entry(entry: &[u8]) -> Option<Self> {
        serde_json::from_slice(entry).ok()
    }
}

/// JSON as RFC 8785 writes it: keys in order, nothing between. Our numbers are whole and below 2^53.
fn canonical(value: &Value) -> String {
    // The map of this `serde_json` is ordered; a test holds that.
    value.to_string()
}

/// SHA-256 of an alert as canonical JSON (RFC 8785). `alert` is the alert itself, or the event of `CloudEvents` that
/// carries it as `data`.
pub fn alert_hash(alert: &Value) -> Hash {
    Hash::of(canonical(body(alert)).as_bytes())
}

/// The id of an alert, or of the one that an event carries.
pub fn alert_id(alert: &Value) -> Option<AlertId> {
    AlertId::parse(body(alert).get("alert_id")?.as_str()?)
}

fn body(alert: &Value) -> &Value {
    if alert.get("specversion").is_some() { &alert["data"] } else { alert }
}

fn write_time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let (list, checksum): (ListId, _) = ("national".parse().unwrap(), Hash::of(b"a list"));
        let release = Release { list: Some(list.clone()), role: None, number: 7, checksum };
        let all = [
            What::Alert { alert: AlertId(5), sha256: Hash::of(b"an alert") },
            What::ReleasePublished(release.clone()),
            What::ReleaseSigned { release: release.clone(), key: "k-1".into() },
            What::ReleasePulled(release),
            What::ReleaseApplied {
                list: list.clone(),
                generation: Generation(3),
                entries: 10,
                state: Some(2),
                checksum: Some(checksum),
            },
            What::RolledBack {
                list: None,
                generation: Some(Generation(2)),
                release: None,
                reason: "why".into(),
            },
            What::ListRemoved { list: list.clone(), reason: "why".into() },
            What::Resumed { list: Some(list) },
        ];
        let when = "2026-11-28T03:04:05.678Z".parse().unwrap();
        all.map(|what| Record { when, who: "worker-1".into(), what }).into()
    }

    #[test]
    fn every_kind_is_written_and_read() {
        let records = records();
        let kinds: Vec<EvidenceKind> = records.iter().map(|record| record.what.kind()).collect();
        assert_eq!(kinds, EvidenceKind::ALL);
        for record in records {
            let entry = record.entry().unwrap();
            assert_eq!(Record::from_entry(&entry), Some(record.clone()));
            let value: Value = serde_json::from_slice(&entry).unwrap();
            assert_eq!(value["kind"], record.what.kind().word());
        }
        assert_eq!(
            Record::from_entry(br#"{"kind":"outcome","when":"2026-11-28T00:00:00Z","who":"x"}"#),
            None
        );
    }

    #[test]
    fn entries_are_canonical() {
        let entry = String::from_utf8(records()[0].entry().unwrap()).unwrap();
        let sha256 = Hash::of(b"an alert");
        let expected = format!(
            "{{\"alert\":\"00000000000000000000000000000005\",\"kind\":\"alert\",\"sha256\":\"{sha256}\",\
             \"when\":\"2026-11-28T03:04:05.678Z\",\"who\":\"worker-1\"}}"
        );
        assert_eq!(entry, expected);
        let unordered: Value =
            serde_json::from_str("{\"b\": 1,\n \"a\": {\"d\": \"\\u00fc\\u001f\\/\", \"c\": []}}").unwrap();
        assert_eq!(canonical(&unordered), "{\"a\":{\"c\":[],\"d\":\"ü\\u001f/\"},\"b\":1}");
    }

    #[test]
    fn an_alert_and_its_event_have_one_hash() {
        let alert: Value =
            serde_json::from_str("{\"alert_id\": \"0000000000000000000000000000000a\", \"x\": 1}").unwrap();
        let event = serde_json::json!({"specversion": "1.0", "id": "other", "data": alert});
        assert_eq!(alert_hash(&alert), alert_hash(&event));
        assert_eq!(alert_id(&event), Some(AlertId(10)));
        let text = b"{\"alert_id\":\"0000000000000000000000000000000a\",\"x\":1}";
        assert_eq!(alert_hash(&alert), Hash::of(text));
    }

    #[test]
    fn a_long_record_is_refused() {
        let mut record = records().remove(5);
        record.who = "x".repeat(ENTRY_BYTES_MAX);
        assert!(record.entry().unwrap_err().to_string().contains("rolled-back"));
    }
}
