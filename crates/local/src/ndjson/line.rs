use hashward_engine::{Header, Quarantined};
use serde_json::{Map, Value, json};

use crate::base64;

/// The same for each replay of the same record: why, whence and which content.
pub(super) fn quarantine_id(record: &Quarantined) -> String {
    format!("{}:{}:{}", record.reason.kind, record.origin, record.content_id)
}

/// A quarantined record as one JSON object. Bytes that are not text stand in base64 under a name that says
/// so.
pub(super) fn quarantined(id: &str, record: &Quarantined) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), id.into());
    object.insert("reason".to_owned(), record.reason.kind.word().into());
    object.insert("detail".to_owned(), record.reason.detail.as_str().into());
    object.insert("origin".to_owned(), record.origin.as_str().into());
    object.insert("offset".to_owned(), record.position.offset.into());
    object.insert("content_id".to_owned(), record.content_id.as_str().into());
    if let Some(key) = &record.key {
        insert_bytes(&mut object, "key", key);
    }
    object.insert("headers".to_owned(), record.headers.iter().map(header).collect());
    if let Some(value) = &record.value {
        object.insert("value_base64".to_owned(), base64::encode(value).into());
    }
    Value::Object(object)
}

fn header(header: &Header) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(header.name));
    match &header.value {
        Some(value) => insert_bytes(&mut object, "value", value),
        None => drop(object.insert("value".to_owned(), Value::Null)),
    }
    Value::Object(object)
}

fn insert_bytes(object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => object.insert(name.to_owned(), text.into()),
        Err(_) => object.insert(format!("{name}_base64"), base64::encode(bytes).into()),
    };
}
