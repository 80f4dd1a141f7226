//! What leaves the line, and how it is written: CloudEvents 1.0, whatever carries them.

use hashward_core::{Alert, Unreadable};
use serde_json::{Value, json};

use crate::{Header, Position};

/// The CloudEvents `type` of an alert.
pub const ALERT_TYPE: &str = "org.hashward.alert.v1";

/// A record that could not be judged: its coordinates, why, and what the provider needs to find and send it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    /// Where the record came from: `topic/partition`, or the inbox folder.
    pub origin: String,
    /// Where it stands.
    pub position: Position,
    /// What names the content.
    pub content_id: String,
    /// The record's key as it came.
    pub key: Option<Vec<u8>>,
    /// The record's headers as they came.
    pub headers: Vec<Header>,
    /// The record's value, only where the configuration asks for it.
    pub value: Option<Vec<u8>>,
    /// Why it could not be judged.
    pub reason: Unreadable,
}

/// Something to deliver.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// A verdict that asks for something.
    Alert(Box<Alert>),
    /// A record that could not be judged.
    Quarantined(Box<Quarantined>),
}

/// The CloudEvents context attributes of an alert, without `datacontenttype`, in the order of the specification.
pub fn attributes(alert: &Alert, instance: &str) -> Vec<(&'static str, String)> {
    let mut attributes = vec![
        ("specversion", "1.0".to_owned()),
        ("id", alert.alert_id.to_string()),
        ("source", format!("/hashward/{instance}")),
        ("type", ALERT_TYPE.to_owned()),
        ("time", alert.decided_at.clone()),
    ];
    let optional = [
        ("subject", &alert.content.subject),
        ("traceparent", &alert.content.traceparent),
        ("tracestate", &alert.content.tracestate),
    ];
    attributes.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    attributes
}

/// An alert as one JSON object: CloudEvents structured mode.
pub fn structured(alert: &Alert, instance: &str) -> Value {
    let mut event: serde_json::Map<String, Value> = attributes(alert, instance)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    event.insert("datacontenttype".to_owned(), "application/json".into());
    event.insert("data".to_owned(), json!(alert));
    Value::Object(event)
}
