//! Tech Against Terrorism's hash list v2: pages of `results`.

use std::io::BufRead;

use serde::Deserialize;

use crate::format::draft::Draft;
use crate::format::json::each_item;
use crate::format::json::scalar::{Scalar, from_item};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    hash_digest: Scalar<'a>,
    #[serde(borrow, default)]
    algorithm: Scalar<'a>,
    #[serde(borrow, default)]
    ideology: Scalar<'a>,
    #[serde(borrow, default)]
    file_type: Scalar<'a>,
    #[serde(borrow, default)]
    deleted: Scalar<'a>,
    #[serde(borrow, default)]
    id: Scalar<'a>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    each_item(reader, "results", "an object with the array `results`", out, &mut |item, at, out| {
        out.put(at, from_item(item).and_then(|record| parse(&record)))
    })
}

fn parse(record: &Record<'_>) -> Result<Statement, Fault> {
    let mut draft = Draft::of(record.id.word("id")?);
    let deleted = record.deleted.flag("deleted")?.unwrap_or(false);
    if deleted {
        draft.withdraw();
    }
    let value = record.hash_digest.text("hash_digest")?.unwrap_or_default();
    // What is deleted may come without its record.
    if !value.is_empty() || !deleted {
        let algorithm =
            record.algorithm.text("algorithm")?.ok_or(Fault::of("algorithm", Problem::Missing))?;
        draft.named("hash_digest", algorithm, value)?;
    }
    draft.category("terrorist-content");
    draft.note_value("ideology", record.ideology.text("ideology")?);
    draft.note_value("file type", record.file_type.text("file_type")?);
    draft.finish()
}
