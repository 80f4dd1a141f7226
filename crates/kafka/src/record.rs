//! An outgoing alert or quarantined record as a Kafka message.

use hashward_engine::Quarantined;
use hashward_engine::outgoing::{Outgoing, attributes};
use rdkafka::message::{Header, OwnedHeaders};

use crate::KafkaOptions;

/// A message before it is handed to librdkafka.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: OwnedHeaders,
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
    for (name, value) in [
        ("hashward-reason", quarantined.reason.kind.word()),
        ("hashward-detail", &quarantined.reason.detail),
        ("hashward-origin", &quarantined.origin),
        ("hashward-offset", &offset),
        ("hashward-content-id", &quarantined.content_id),
    ] {
        headers = headers.insert(Header { key: name, value: Some(value) });
    }
    headers
}
