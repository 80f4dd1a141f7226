//! Project VIC's JSON 2.0: one medium for each statement.

use std::io::{self, Write};

use hashward_core::{Algorithm, Category, ListInfo};
use serde::Serialize;

use super::{Written, json_element, puts, signals};
use crate::Statement;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Medium<'a> {
    #[serde(rename = "MediaID")]
    id: u64,
    category: u64,
    #[serde(rename = "MD5", skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(rename = "SHA1", skip_serializing_if = "Option::is_none")]
    sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_size: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternative_hashes: Vec<NamedHash<'a>>,
    /// An annotation, which readers that do not know it pass over (`OData` JSON 4.01, 4.6.12).
    #[serde(rename = "@hashward.item")]
    own: Own<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NamedHash<'a> {
    hash_name: &'a str,
    hash_value: String,
}

#[derive(Serialize)]
struct Own<'a> {
    key: Option<&'a str>,
    category: Option<&'a Category>,
    reference: Option<&'a str>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    note: Option<&'a str>,
}

pub(super) fn write(
    info: &ListInfo,
    statements: &mut dyn Iterator<Item = Statement>,
    out: &mut dyn Write,
    written: &mut Written,
) -> io::Result<()> {
    out.write_all(
        br#"{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/CUSTOM/$metadata#Media","value":["#,
    )?;
    let mut first = true;
    let mut id = 0;
    puts(statements, written, |statement, written| {
        let signals = signals(&statement);
        if signals > 0 {
            id += 1;
            json_element(out, &mut first, &medium(id, &statement, info))?;
        }
        written.count(signals, signals);
        Ok(())
    })?;
    out.write_all(b"\n]}\n")
}

fn medium<'a>(id: u64, statement: &'a Statement, info: &ListInfo) -> Medium<'a> {
    let hex = |algorithm| statement.digests.get(algorithm).map(|digest| digest.to_hex());
    let others = [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Blake3, Algorithm::Xxh3];
    let others = others.into_iter().filter_map(|algorithm| {
        hex(algorithm).map(|hash_value| NamedHash { hash_name: algorithm.word(), hash_value })
    });
    let unmatched = statement.unmatched_signals.iter();
    let unmatched = unmatched.map(|(word, value)| NamedHash { hash_name: word, hash_value: value.clone() });
    Medium {
        id,
        category: number(statement.category.as_ref().unwrap_or(&info.category)),
        md5: hex(Algorithm::Md5),
        sha1: hex(Algorithm::Sha1),
        media_size: statement.size_bytes.map(|size| size.to_string()),
        alternative_hashes: others.chain(unmatched).collect(),
        own: Own {
            key: statement.key.as_deref(),
            category: statement.category.as_ref(),
            reference: statement.reference.as_deref(),
            valid_from: statement.valid_from.map(|from| from.to_string()),
            valid_until: statement.valid_until.map(|until| until.to_string()),
            note: statement.note.as_deref(),
        },
    }
}

/// Project VIC's number for a category: 1 is child abuse material in every country's numbering, and 0 stands for what
/// has no number.
fn number(category: &Category) -> u64 {
    let word = category.word();
    match word.strip_prefix("own:project-vic-") {
        Some(number) => number.parse().unwrap_or(0),
        None => u64::from(word.starts_with("csam-")),
    }
}
