//! `StopNCII` v1: pages of `hashRecords`. A record has no name of its own: its hash names it.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;

use crate::format::draft::Draft;
use crate::format::json::each_item;
use crate::format::json::scalar::{Scalar, Several, from_item};
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow, default)]
    signal_type: Scalar<'a>,
    #[serde(borrow, default)]
    hash_value: Scalar<'a>,
    #[serde(borrow, default)]
    hash_status: Scalar<'a>,
    #[serde(borrow, default)]
    case_numbers: Option<BTreeMap<String, Scalar<'a>>>,
    #[serde(borrow, default, rename = "CSPFeedbacks")]
    feedbacks: Several<Feedback<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    source: Scalar<'a>,
    #[serde(borrow, default)]
    feedback_value: Scalar<'a>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    each_item(reader, "hashRecords", "an object with the array `hashRecords`", out, &mut |item, at, out| {
        out.put(at, from_item(item).and_then(|record| parse(&record)))
    })
}

fn parse(record: &Record<'_>) -> Result<Statement, Fault> {
    let mut draft = Draft::default();
    let kind = record.signal_type.text("signalType")?.ok_or(Fault::of("signalType", Problem::Missing))?;
    draft.named("hashValue", kind, record.hash_value.text("hashValue")?.unwrap_or_default())?;
    draft.category("intimate-imagery");
    let status = record.hash_status.text("hashStatus")?.unwrap_or("active").to_ascii_lowercase();
    match status.as_str() {
        "active" => {}
        "deleted" | "expired" | "inactive" | "removed" | "withdrawn" => draft.withdraw(),
        _ => return Err(Fault::of("hashStatus", Problem::NotA("`Active`, `Deleted` or `Withdrawn`"))),
    }
    let cases: Vec<&str> = record.case_numbers.iter().flatten().map(|(case, _)| case.as_str()).collect();
    draft.statement.reference = Some(cases.join(", ")).filter(|cases| !cases.is_empty());
    for feedback in &record.feedbacks.0 {
        let source = feedback.source.word("CSPFeedbacks")?.unwrap_or_default();
        let value = feedback.feedback_value.word("CSPFeedbacks")?.unwrap_or_default();
        draft.note(format!("feedback of {source}: {value}"));
    }
    draft.finish()
}
