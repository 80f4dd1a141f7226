//! An outgoing alert or quarantined record as a Kafka message.

use hashward_engine::Quarantined;
use hashward_engine::outgoing::{Outgoing, attributes};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use crate::KafkaOptions;

/// A message before it is handed to librdkafka.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: OwnedHeaders,
}

/// Begins the names of the headers that Hashward adds to a quarantined record.
const OWN_HEADERS: &str = "hashward-";
/// Told where the broker or the producer has no room for the whole record.
const OMITTED: &str = "hashward-bytes-omitted";
/// The longest detail of a reason, in bytes.
const DETAIL_BYTES_MAX: usize = 1024;

impl Message {
    /// What is left of a quarantined record that is too large to send: first without its value, then without its own
    /// headers and key. `None` for an alert, which is never sent in part, and if nothing is left to leave out.
    pub(crate) fn smaller(&self) -> Option<Self> {
        let own = |name: &str| name.starts_with(OWN_HEADERS);
        if !self.headers.iter().any(|header| header.key == "hashward-reason") {
            return None;
        }
        let headers = |keep: &dyn Fn(&str) -> bool| {
            let kept = self.headers.iter().filter(|header| keep(header.key) && header.key != OMITTED);
            let kept = kept.fold(OwnedHeaders::new(), |headers, header| headers.insert(header));
            kept.insert(Header { key: OMITTED, value: Some("message too large") })
        };
        if self.value.is_some() {
            let (topic, key) = (self.topic.clone(), self.key.clone());
            return Some(Self { topic, key, value: None, headers: headers(&|_| true) });
        }
        let foreign = self.headers.iter().any(|header| !own(header.key));
        (foreign || self.key.is_some()).then(|| Self {
            topic: self.topic.clone(),
            key: None,
            value: None,
            headers: headers(&own),
        })
    }
}

/// The message that carries `outgoing`.
pub(crate) fn message(options: &KafkaOptions, outgoing: &Outgoing) -> Message {
    match outgoing {
        Outgoing::Alert(alert) => {
            let mut headers = OwnedHeaders::new();
            for (name, value) in attributes(alert, &options.instance) {
                let name = format!("ce_{name}");
                headers = headers.insert(Header { key: &name, value: Some(&value) });
            }
            headers = headers.insert(Header { key: "content-type", value: Some("application/json") });
            // Alerts about one content go to one partition, in order.
            let key = Some(alert.content.id.clone().into_bytes());
            let value = Some(serde_json::to_vec(alert).expect("an alert is plain data"));
            Message { topic: options.alerts_topic.clone(), key, value, headers }
        }
        Outgoing::Quarantined(quarantined) => {
            let headers = quarantine_headers(quarantined);
            let value = quarantined.value.clone();
            Message { topic: options.quarantine_topic.clone(), key: quarantined.key.clone(), value, headers }
        }
    }
}

/// The record's own headers, then why it is here and where it stands.
fn quarantine_headers(quarantined: &Quarantined) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new();
    for header in &quarantined.headers {
        headers = headers.insert(Header { key: &header.name, value: header.value.as_deref() });
    }
    let offset = quarantined.position.offset.to_string();
    let detail = &quarantined.reason.detail;
    let detail = &detail[..detail.floor_char_boundary(DETAIL_BYTES_MAX)];
    for (name, value) in [
        ("hashward-reason", quarantined.reason.kind.word()),
        ("hashward-detail", detail),
        ("hashward-origin", &quarantined.origin),
        ("hashward-offset", &offset),
        ("hashward-content-id", &quarantined.content_id),
    ] {
        headers = headers.insert(Header { key: name, value: Some(value) });
    }
    headers
}
