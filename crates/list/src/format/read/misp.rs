//! MISP events: `Event`, in a `response` or not, with `Attribute`s and `Object`s.
//! <https://www.misp-standard.org/rfc/misp-standard-core.html>

use std::io::BufRead;

use serde::Deserialize;

use crate::format::At;
use crate::format::draft::Draft;
use crate::format::json::scalar::{Scalar, Several, from_item};
use crate::format::json::{Items, Scanner};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

/// How often events may stand in responses or in arrays of them.
const NESTING_MAX: usize = 8;

/// Attributes' types that say what a whole file's bytes are.
const FILE_HASHES: [&str; 22] = [
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512/224",
    "sha512/256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "ssdeep",
    "tlsh",
    "imphash",
    "impfuzzy",
    "pehash",
    "authentihash",
    "vhash",
    "cdhash",
    "telfhash",
    "pdq",
];

#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow, default)]
    uuid: Scalar<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow, default)]
    value: Scalar<'a>,
    #[serde(borrow, default)]
    object_relation: Scalar<'a>,
    #[serde(borrow, default)]
    to_ids: Scalar<'a>,
    #[serde(borrow, default)]
    deleted: Scalar<'a>,
    #[serde(borrow, default)]
    comment: Scalar<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    uuid: Scalar<'a>,
    #[serde(borrow, default)]
    name: Scalar<'a>,
    #[serde(borrow, default)]
    deleted: Scalar<'a>,
    #[serde(borrow, default)]
    comment: Scalar<'a>,
    #[serde(borrow, default, rename = "Attribute")]
    attributes: Several<Attribute<'a>>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    let mut items = Items::new(out);
    let mut found = false;
    Scanner::new(reader).documents(&mut |scanner| {
        walk(scanner, &mut items, &mut found, NESTING_MAX)?;
        if found {
            Ok(())
        } else {
            scanner.malformed(Problem::Syntax("an `Event` with `Attribute` or `Object`"))
        }
    })
}

fn walk(scanner: &mut Scanner<'_>, items: &mut Items<'_, '_>, found: &mut bool, depth: usize) -> Step {
    if depth == 0 {
        return scanner.malformed(Problem::TooDeep);
    }
    match scanner.peek()? {
        Some(b'[') => scanner.elements(&mut |scanner| walk(scanner, items, found, depth - 1)),
        Some(b'{') => scanner.members(&mut |scanner, key| match key {
            "response" | "Event" => walk(scanner, items, found, depth - 1),
            "Attribute" => {
                *found = true;
                scanner.elements(&mut |scanner| items.item(scanner, &mut read_attribute))
            }
            "Object" => {
                *found = true;
                scanner.elements(&mut |scanner| items.item(scanner, &mut read_object))
            }
            _ => scanner.skip(),
        }),
        _ => scanner.skip(),
    }
}

/// Attributes that say nothing of a file, such as addresses, are passed over.
fn read_attribute(item: &[u8], at: At, out: &mut Out<'_>) -> Step {
    let said = from_item(item).and_then(|attribute: Attribute<'_>| {
        let Some((kind, value, name)) = file_hash(&attribute)? else { return Ok(None) };
        let mut draft = Draft::of(attribute.uuid.word("uuid")?);
        draft.named("value", kind, value)?;
        draft.note_value("file", name);
        draft.note_value("comment", attribute.comment.text("comment")?);
        finish(draft, &attribute.deleted, attribute.to_ids.flag("to_ids")? == Some(false)).map(Some)
    });
    said.transpose().map_or(Ok(()), |said| out.put(at, said))
}

fn read_object(item: &[u8], at: At, out: &mut Out<'_>) -> Step {
    let said = from_item(item).and_then(|object| parse_object(&object));
    said.transpose().map_or(Ok(()), |said| out.put(at, said))
}

fn parse_object(object: &Object<'_>) -> Result<Option<Statement>, Fault> {
    let mut draft = Draft::of(object.uuid.word("uuid")?);
    let (mut hashes, mut for_matching) = (0, 0);
    for attribute in &object.attributes.0 {
        if let Some((kind, value, name)) = file_hash(attribute)? {
            hashes += 1;
            for_matching += usize::from(attribute.to_ids.flag("to_ids")? != Some(false));
            if attribute.deleted.flag("deleted")? != Some(true) {
                draft.named("Attribute", kind, value)?;
                draft.note_value("file", name);
            }
        } else if attribute.object_relation.text("object_relation")? == Some("size-in-bytes") {
            draft.statement.size_bytes = attribute.value.whole("size-in-bytes")?;
        } else if attribute.object_relation.text("object_relation")? == Some("filename") {
            draft.note_value("file", attribute.value.text("value")?);
        }
    }
    if hashes == 0 {
        return Ok(None);
    }
    if object.name.text("name")? != Some("file") {
        return Err(Fault::of(
            "name",
            Problem::NotListed("the object is no `file`: its digests may be of a part of one"),
        ));
    }
    draft.note_value("comment", object.comment.text("comment")?);
    finish(draft, &object.deleted, for_matching == 0).map(Some)
}

fn finish(mut draft: Draft, deleted: &Scalar<'_>, context_only: bool) -> Result<Statement, Fault> {
    if deleted.flag("deleted")? == Some(true) {
        draft.withdraw();
    } else if context_only {
        return Err(Fault::of(
            "to_ids",
            Problem::NotListed("`to_ids` is false: it is context, and not for matching"),
        ));
    }
    draft.finish()
}

/// The kind, the value, and the file's name.
type FileHash<'a> = (&'a str, &'a str, Option<&'a str>);

/// What the attribute says of a file's bytes, if the attribute is a file's hash: `md5`, or `filename|md5`.
fn file_hash<'a>(attribute: &'a Attribute<'_>) -> Result<Option<FileHash<'a>>, Fault> {
    let kind = attribute.kind.text("type")?.unwrap_or_default();
    let (kind, with_name) = kind.strip_prefix("filename|").map_or((kind, false), |kind| (kind, true));
    if !FILE_HASHES.contains(&kind) {
        return Ok(None);
    }
    let value = attribute.value.text("value")?.ok_or(Fault::of("value", Problem::Missing))?;
    if !with_name {
        return Ok(Some((kind, value, None)));
    }
    let (name, value) = value.rsplit_once('|').ok_or(Fault::of("value", Problem::NotA("`name|digest`")))?;
    Ok(Some((kind, value, Some(name))))
}
