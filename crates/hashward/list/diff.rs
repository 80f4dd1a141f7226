//! `list diff`.

use std::collections::BTreeMap;

use anyhow::Result;
use hashward_list::store::Store;
use serde_json::json;

use super::args::Diff;
use super::tell::object;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, grouped};

/// Compares two states.
pub(super) fn diff(arguments: &Diff, style: Style) -> Result<Exit> {
    let store = Store::open_read_only(&arguments.at.folder)?;
    let newest = store.state_number()?;
    let to = arguments.to.unwrap_or(newest);
    let from = arguments.from.unwrap_or(newest.saturating_sub(1));
    let diff = store.diff(from, to)?;
    let info = diff.info().to_vec();
    let mut output = Output::stdout(style.color);
    if !style.json {
        output.line(output.paint(Paint::Bold, format_args!("state {from} -> state {to}")))?;
        info.iter().try_for_each(|field| output.line(format_args!("~ list.toml: {field}")))?;
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for change in diff {
        let change = change?;
        let word = object(&change.kind()).as_str().unwrap_or_default().to_owned();
        *counts.entry(word).or_default() += 1;
        let told = if style.json { output.json(&object(&change)) } else { output.line(&change) };
        told?;
        if output.is_closed() {
            return Ok(Exit::Success);
        }
    }
    if style.json {
        output.json(&json!({"summary": {"from": from, "to": to, "info": info, "entries": counts}}))?;
    } else if counts.is_empty() {
        output.line("no entry is different")?;
    } else {
        let told: Vec<String> =
            counts.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        output.line(told.join(", "))?;
    }
    Ok(Exit::Success)
}
