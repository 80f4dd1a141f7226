//! What a file is, by how it begins. File names are not asked.

use super::Format;
use super::kind::{Kind, WELL_KNOWN, kind};
use super::read::clamav;
use crate::line::{Line, parse};

/// How much of a file is looked at, in bytes.
pub(super) const LOOK_AHEAD_BYTES: usize = 64 * 1024;

pub(super) fn recognise(beginning: &[u8]) -> Option<Format> {
    if beginning.starts_with(b"SQLite format 3\0") {
        return Some(Format::NsrlSqlite);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    match text.first()? {
        b'<' => find(text, b"queryResult").then_some(Format::Ncmec),
        b'{' | b'[' => json(text),
        _ if text.starts_with(b"%%%%") => Some(Format::Hashdeep),
        _ => lines(text),
    }
}

fn find(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// By the names of the fields.
fn json(text: &[u8]) -> Option<Format> {
    let keys = keys(text);
    let has = |key: &str| keys.contains(&key.as_bytes());
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    if has("hashRecords") {
        Some(Format::StopNcii)
    } else if has("results") && any(&["hash_digest", "checkpoint"]) {
        Some(Format::TechAgainstTerrorism)
    } else if has("objects") && any(&["spec_version", "pattern", "pattern_type", "more"]) {
        Some(Format::Stix)
    } else if any(&["Event", "Attribute"]) {
        Some(Format::Misp)
    } else if has("value") && any(&["odata.metadata", "@odata.context", "MediaID", "Media"]) {
        Some(Format::Vics)
    } else if has("data") && has("indicator") {
        Some(Format::ThreatExchange)
    } else {
        None
    }
}

/// The names of fields in a piece of JSON, right or wrong, cut off or not.
fn keys(text: &[u8]) -> Vec<&[u8]> {
    let mut keys = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(|byte| *byte == b'"').map(|found| at + found + 1) {
        let mut end = start;
        while end < text.len() && text[end] != b'"' {
            end += if text[end] == b'\\' { 2 } else { 1 };
        }
        let Some(after) = text.get(end + 1..) else { break };
        if after.trim_ascii_start().first() == Some(&b':') {
            keys.push(&text[start..end]);
        }
        at = end + 1;
    }
    keys
}

/// By the header, or by the first line that has the form of one format.
fn lines(text: &[u8]) -> Option<Format> {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.clone().find(|line| !line.is_empty() && !line.starts_with(b"#"))?;
    if find(first, b"\"SHA-1\"") && find(first, b"\"FileName\"") {
        return Some(Format::NsrlText);
    }
    let column = |name: &[u8]| {
        let mut columns = first.split(|byte| *byte == b';');
        columns.any(|column| column.trim_ascii().eq_ignore_ascii_case(name))
    };
    if column(b"MD5") && column(b"Baseline") {
        return Some(Format::Icse);
    }
    lines.find_map(line)
}

/// By one line, if it has the form of one format.
fn line(line: &[u8]) -> Option<Format> {
    if clamav::looks_like(line) {
        return Some(Format::ClamAv);
    }
    if is_signal_line(line) {
        return Some(Format::SignalLines);
    }
    let is_text = !matches!(parse(line), Ok(Line::Nothing) | Err(_));
    is_text.then_some(Format::Text)
}

fn is_signal_line(line: &[u8]) -> bool {
    let Some(space) = line.iter().position(|byte| *byte == b' ') else { return false };
    let Ok(word) = std::str::from_utf8(&line[..space]) else { return false };
    let value = line[space..].trim_ascii();
    let known = match kind(word) {
        Some(Kind::Digest(algorithm)) => value.len() == algorithm.digest_bytes() * 2,
        Some(Kind::Unmatched(word)) => WELL_KNOWN.contains(&word.as_str()),
        None => false,
    };
    // `MD5 (name) = HEX` begins with the same word.
    known && !value.is_empty() && !value.starts_with(b"(")
}
