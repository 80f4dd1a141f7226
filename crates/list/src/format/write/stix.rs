//! A STIX 2.1 bundle: one indicator for each statement, and the list's owner as identity.

use std::fmt::Write as _;
use std::io::{self, Write};

use hashward_core::{Algorithm, ListInfo};
use jiff::Timestamp;
use serde::Serialize;

use super::{Written, json_element, signals};
use crate::format::read::stix::{CATEGORY_LABEL, KEY_SOURCE, NO_KEY};
use crate::{Change, Statement};

/// Parts what is hashed here from what anybody else hashes with BLAKE3 (its `derive_key` mode).
const CONTEXT: &str = "hashward 2026 stix id v1";

#[derive(Serialize)]
struct Indicator<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    spec_version: &'static str,
    id: String,
    created: String,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    pattern: String,
    pattern_type: &'static str,
    valid_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    revoked: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference<'a>>,
}

#[derive(Serialize)]
struct Reference<'a> {
    source_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

#[derive(Serialize)]
struct Identity<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    spec_version: &'static str,
    id: &'a str,
    created: String,
    modified: String,
    name: &'a str,
    #[serde(rename = "identity_class")]
    class: &'static str,
}

pub(super) fn write(
    info: &ListInfo,
    statements: &mut dyn Iterator<Item = Statement>,
    out: &mut dyn Write,
    written: &mut Written,
) -> io::Result<()> {
    // STIX has times in milliseconds at most.
    let now = Timestamp::now();
    let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let bundle = id("bundle", &[info.id.as_str().as_bytes(), &now.as_nanosecond().to_le_bytes()]);
    write!(out, r#"{{"type":"bundle","id":"{bundle}","objects":["#)?;
    let mut first = true;
    let owner = info.owner.as_deref().map(|name| (name, id("identity", &[name.as_bytes()])));
    if let Some((name, id)) = &owner {
        let identity = Identity {
            kind: "identity",
            spec_version: "2.1",
            id,
            created: Timestamp::UNIX_EPOCH.to_string(),
            modified: Timestamp::UNIX_EPOCH.to_string(),
            name,
            class: "organization",
        };
        json_element(out, &mut first, &identity)?;
    }
    let owner_ref = owner.as_ref().map(|(_, id)| id.as_str());
    for statement in statements {
        let signals = signals(&statement);
        if signals > 0 {
            json_element(out, &mut first, &indicator(&statement, info, owner_ref, now))?;
        }
        written.count(signals, signals);
    }
    out.write_all(b"\n]}\n")
}

fn indicator<'a>(
    statement: &'a Statement,
    info: &'a ListInfo,
    owner_ref: Option<&'a str>,
    now: Timestamp,
) -> Indicator<'a> {
    let mut external_references = Vec::new();
    let key = statement.key.as_deref();
    let own_id = key.filter(|key| is_indicator_id(key));
    let described =
        |source_name, external_id, description| Reference { source_name, external_id, description };
    match key {
        None => external_references.push(described(NO_KEY, None, Some("the item has no name of its own"))),
        Some(_) if own_id.is_some() => {}
        key => external_references.push(described(KEY_SOURCE, key, None)),
    }
    if let Some(reference) = statement.reference.as_deref() {
        let source = info.owner.as_deref().unwrap_or(info.id.as_str());
        external_references.push(described(source, Some(reference), None));
    }
    Indicator {
        kind: "indicator",
        spec_version: "2.1",
        id: own_id.map_or_else(|| derived_id(statement, info), str::to_owned),
        created: statement.valid_from.unwrap_or(now).min(now).to_string(),
        modified: now.to_string(),
        created_by_ref: owner_ref,
        description: statement.note.as_deref(),
        pattern: pattern(statement),
        pattern_type: "stix",
        valid_from: statement.valid_from.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
        valid_until: statement.valid_until.map(|until| until.to_string()),
        revoked: statement.change == Change::Withdraw,
        labels: statement.category.iter().map(|category| format!("{CATEGORY_LABEL}{category}")).collect(),
        external_references,
    }
}

/// All signals joined by AND: they are of one file.
fn pattern(statement: &Statement) -> String {
    let mut conditions = Vec::new();
    for digest in statement.digests.iter() {
        let name = match digest.algorithm() {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha1 => "'SHA-1'",
            Algorithm::Sha256 => "'SHA-256'",
            Algorithm::Sha512 => "'SHA-512'",
            Algorithm::Blake3 => "'BLAKE3'",
            Algorithm::Xxh3 => "'XXH3'",
        };
        conditions.push(format!("file:hashes.{name} = '{}'", digest.to_hex()));
    }
    for (word, value) in &statement.unmatched_signals {
        conditions.push(format!("file:hashes.{} = {}", quoted(word), quoted(value)));
    }
    conditions.extend(statement.size_bytes.map(|size| format!("file:size = {size}")));
    format!("[{}]", conditions.join(" AND "))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// An id that stays the same for the same item of the same list.
fn derived_id(statement: &Statement, info: &ListInfo) -> String {
    let list = info.id.as_str().as_bytes();
    if let Some(key) = &statement.key {
        return id("indicator", &[list, b"key", key.as_bytes()]);
    }
    let digests: Vec<u8> = statement.digests.iter().flat_map(|digest| digest.as_bytes().to_vec()).collect();
    let unmatched: Vec<u8> = statement.unmatched_signals.values().flat_map(|value| value.bytes()).collect();
    id("indicator", &[list, b"signals", &digests, &unmatched])
}

/// An id of 122 bits of a hash, written like a random UUID (RFC 9562, version 4), which is what STIX asks for.
fn id(kind: &str, parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = format!("{kind}--");
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn is_indicator_id(key: &str) -> bool {
    let Some(uuid) = key.strip_prefix("indicator--") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}
