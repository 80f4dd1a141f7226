//! Meta's `ThreatExchange`: pages of `data`, from `threat_updates`.

use std::io::BufRead;

use serde::Deserialize;

use crate::format::draft::Draft;
use crate::format::json::each_item;
use crate::format::json::scalar::{Scalar, Several, from_item};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

#[derive(Deserialize)]
struct Update<'a> {
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    indicator: Scalar<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow, default)]
    should_delete: Scalar<'a>,
    #[serde(borrow, default)]
    descriptors: Option<Descriptors<'a>>,
}

#[derive(Deserialize)]
struct Descriptors<'a> {
    #[serde(borrow, default)]
    data: Several<Descriptor<'a>>,
}

#[derive(Deserialize)]
struct Descriptor<'a> {
    #[serde(borrow, default)]
    owner: Option<Owner<'a>>,
    #[serde(borrow, default)]
    status: Scalar<'a>,
    #[serde(borrow, default)]
    tags: Several<Scalar<'a>>,
}

#[derive(Deserialize)]
struct Owner<'a> {
    #[serde(borrow, default)]
    id: Scalar<'a>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    each_item(reader, "data", "an object with the array `data`", out, &mut |item, at, out| {
        out.put(at, from_item(item).and_then(|update| parse(&update)))
    })
}

fn parse(update: &Update<'_>) -> Result<Statement, Fault> {
    let mut draft = Draft::of(update.id.word("id")?);
    let deleted = update.should_delete.flag("should_delete")?.unwrap_or(false);
    if deleted {
        draft.withdraw();
    }
    let value = update.indicator.text("indicator")?.unwrap_or_default();
    if !value.is_empty() || !deleted {
        let kind = update.kind.text("type")?.ok_or(Fault::of("type", Problem::Missing))?;
        draft.named("indicator", kind, value)?;
    }
    let descriptors = update.descriptors.iter().flat_map(|descriptors| &descriptors.data.0);
    let (mut harmless, mut others) = (0, 0);
    for descriptor in descriptors {
        let status = descriptor.status.text("status")?.unwrap_or("UNKNOWN");
        if status == "NON_MALICIOUS" {
            harmless += 1;
        } else {
            others += 1;
        }
        let owner = descriptor.owner.as_ref().map_or(Ok(None), |owner| owner.id.word("owner"))?;
        let mut tags = Vec::new();
        for tag in &descriptor.tags.0 {
            tags.extend(tag.text("tags")?);
        }
        let owner = owner.as_deref().unwrap_or("somebody");
        let tagged = if tags.is_empty() { String::new() } else { format!(" ({})", tags.join(", ")) };
        draft.note(format!("{owner}: {status}{tagged}"));
    }
    if harmless > 0 && others == 0 && !deleted {
        return Err(Fault::of("status", Problem::NotListed("everybody says NON_MALICIOUS")));
    }
    draft.finish()
}
