//! `evidence show`.

use anyhow::Result;
use hashward_evidence::LogFolder;
use serde_json::{Value, json};

use super::args::Show;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, tame};

/// Shows the head and some entries, as they stand there. Whether they are what was signed, `verify` says.
pub(super) fn show(arguments: &Show, style: Style) -> Result<Exit> {
    let folder = LogFolder::open(&arguments.folder)?;
    let checkpoint = folder.checkpoint()?;
    let head = checkpoint.claim();
    let mut output = Output::stdout(style.color);
    if style.json {
        output
            .json(&json!({"log": {"origin": head.origin.as_str(), "size": head.size, "root": head.root}}))?;
    } else {
        let entries = counted(head.size, "entry", "entries");
        output.line(format_args!("{}: {entries}, root {}", head.origin, head.root))?;
    }
    let first = arguments.from.unwrap_or(head.size.saturating_sub(arguments.count));
    let count = usize::try_from(arguments.count).unwrap_or(usize::MAX);
    for entry in folder.entries(first, head.size).take(count) {
        let (index, entry) = entry?;
        let entry: Value =
            serde_json::from_slice(&entry).unwrap_or_else(|_| String::from_utf8_lossy(&entry).into());
        if style.json {
            output.json(&json!({"index": index, "entry": entry}))?;
            continue;
        }
        let text = |key: &str| tame(entry[key].as_str().unwrap_or_default());
        let index = output.paint(Paint::Dim, format_args!("{index:>8}"));
        let kind = output.paint(Paint::Bold, format_args!("{:<17}", text("kind")));
        output.line(format_args!("{index}  {}  {kind} {}  {}", text("when"), text("who"), rest(&entry)))?;
    }
    Ok(Exit::Success)
}

/// What an entry says beyond kind, time and person.
fn rest(entry: &Value) -> String {
    let Some(fields) = entry.as_object() else { return tame(&entry.to_string()) };
    let fields = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "kind" | "when" | "who"));
    let told = fields.map(|(key, value)| match value {
        Value::String(text) => format!("{}={}", tame(key), tame(text)),
        other => format!("{}={}", tame(key), tame(&other.to_string())),
    });
    told.collect::<Vec<_>>().join(" ")
}
