//! Entries for people and for programs.

use std::io::{self, Write};

use hashward_list::store::{EntryChange, StoredEntry};
use serde::Serialize;
use serde_json::Value;

use crate::output::{Output, Paint};

/// What is written as one JSON object.
pub(super) fn object(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("plain data is JSON")
}

/// Writes an entry: a line with its id and whether it is in force, and one for each thing that is known.
pub(super) fn entry<W: Write>(output: &mut Output<W>, entry: &StoredEntry) -> io::Result<()> {
    let (paint, state) = match (&entry.withdrawn, &entry.disputed) {
        (Some(_), _) => (Paint::Dim, "withdrawn"),
        (None, Some(_)) => (Paint::Yellow, "disputed"),
        (None, None) => (Paint::Green, "in force"),
    };
    let (id, state) = (output.paint(Paint::Bold, entry.id), output.paint(paint, state));
    output.line(format_args!("{id} {state}, listed since {}", entry.listed_since))?;
    // Everything is new to somebody who knew nothing.
    let known = EntryChange { id: entry.id, before: None, after: Some(entry.clone()) };
    known.fields().iter().try_for_each(|field| output.line(format_args!("  {field}")))
}
