//! STIX 2.1: `indicator` objects of a bundle, or of a TAXII envelope. Other objects say nothing of a file's bytes that
//! somebody asks to look for, and are passed over.
//! <https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html>

mod pattern;
mod tokens;

use std::fmt::Write;
use std::io::BufRead;

use jiff::Timestamp;
use serde::Deserialize;

use self::pattern::Condition;
use self::tokens::{Token, tokens};
use crate::format::At;
use crate::format::draft::Draft;
use crate::format::json::each_item;
use crate::format::json::scalar::{Scalar, Several, from_item};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

/// Before a label that holds a category.
pub(in crate::format) const CATEGORY_LABEL: &str = "hashward-category:";
/// The source of an external reference that holds the key of an item whose own name is no STIX id.
pub(in crate::format) const KEY_SOURCE: &str = "hashward-key";
/// The same for an item that has no key.
pub(in crate::format) const NO_KEY: &str = "hashward-no-key";

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    pattern: Scalar<'a>,
    #[serde(borrow, default)]
    pattern_type: Scalar<'a>,
    #[serde(borrow, default)]
    valid_from: Scalar<'a>,
    #[serde(borrow, default)]
    valid_until: Scalar<'a>,
    #[serde(borrow, default)]
    revoked: Scalar<'a>,
    #[serde(borrow, default)]
    name: Scalar<'a>,
    #[serde(borrow, default)]
    description: Scalar<'a>,
    #[serde(borrow, default)]
    labels: Several<Scalar<'a>>,
    #[serde(borrow, default)]
    external_references: Several<Reference<'a>>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    source_name: Scalar<'a>,
    #[serde(borrow, default)]
    external_id: Scalar<'a>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    each_item(reader, "objects", "an object with the array `objects`", out, &mut |item, at, out| {
        let object: Object<'_> = match from_item(item) {
            Ok(object) => object,
            Err(fault) => return out.put(at, Err(fault)),
        };
        match object.kind.text("type") {
            Ok(Some("indicator")) => read_indicator(&object, at, out),
            Ok(_) => Ok(()),
            Err(fault) => out.put(at, Err(fault)),
        }
    })
}

/// One statement for each alternative of the pattern.
fn read_indicator(object: &Object<'_>, at: At, out: &mut Out<'_>) -> Step {
    let words = match words(object) {
        Ok(words) => words,
        Err(fault) => return out.put(at, Err(fault)),
    };
    let alternatives = pattern::parse(&words).map_err(|problem| Fault::of("pattern", problem));
    match alternatives.and_then(|alternatives| Ok((alternatives, common(object)?))) {
        Ok((alternatives, common)) => (1..).zip(alternatives).try_for_each(|(number, conditions)| {
            out.put(at, alternative(&common, number, object, &conditions))
        }),
        Err(fault) => out.put(at, Err(fault)),
    }
}

fn words(object: &Object<'_>) -> Result<Vec<Token>, Fault> {
    if object.pattern_type.text("pattern_type")?.is_some_and(|kind| kind != "stix") {
        return Err(Fault::of("pattern_type", Problem::Pattern("is not in STIX's own language")));
    }
    let pattern = object.pattern.text("pattern")?.ok_or(Fault::of("pattern", Problem::Missing))?;
    tokens(pattern).map_err(|problem| Fault::of("pattern", problem))
}

/// What is said of all alternatives.
fn common(object: &Object<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::of(object.id.word("id")?);
    if object.revoked.flag("revoked")? == Some(true) {
        draft.withdraw();
    }
    let from = object.valid_from.time("valid_from")?;
    draft.statement.valid_from = from.filter(|from| *from != Timestamp::UNIX_EPOCH);
    draft.statement.valid_until = object.valid_until.time("valid_until")?;
    for label in &object.labels.0 {
        if let Some(word) = label.text("labels")?.and_then(|label| label.strip_prefix(CATEGORY_LABEL)) {
            let category = word.parse().map_err(|_| Fault::of("labels", Problem::NotA("a category")))?;
            draft.statement.category = Some(category);
        }
    }
    for reference in &object.external_references.0 {
        let id = reference.external_id.exact("external_references")?;
        match reference.source_name.text("external_references")? {
            Some(KEY_SOURCE) => draft.statement.key = id,
            Some(NO_KEY) => draft.statement.key = None,
            _ if draft.statement.reference.is_none() => draft.statement.reference = id,
            _ => draft.note_value("reference", id.as_deref()),
        }
    }
    Ok(draft)
}

fn alternative(
    common: &Draft,
    number: usize,
    object: &Object<'_>,
    conditions: &[Condition<'_>],
) -> Result<Statement, Fault> {
    let mut draft = common.clone();
    if let Some(key) = draft.statement.key.as_mut().filter(|_| number > 1) {
        let _ = write!(key, "#{number}");
    }
    take(&mut draft, object, conditions)?;
    draft.finish()
}

fn take(draft: &mut Draft, object: &Object<'_>, conditions: &[Condition<'_>]) -> Result<(), Fault> {
    for condition in conditions {
        match condition {
            Condition::Hash { name, value } => draft.named("pattern", name, value)?,
            Condition::Size(size) => draft.statement.size_bytes = Some(*size),
            Condition::Name(name) => draft.note_value("file", Some(name)),
        }
    }
    draft.note_value("name", object.name.text("name")?);
    if let Some(description) = object.description.exact("description")? {
        draft.note(description);
    }
    Ok(())
}
