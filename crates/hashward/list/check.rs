//! `list check`.

use anyhow::{Result, bail};
use hashward_list::store;
use serde_json::json;

use super::args::Check;
use super::sealed;
use crate::exit::Exit;
use crate::lists::Kind;
use crate::output::{Output, Paint, Style, counted};

/// Checks a list folder or a sealed file, to the last byte.
pub(super) fn check(arguments: &Check, style: Style) -> Result<Exit> {
    if Kind::of(&arguments.subject) == Kind::Sealed {
        return sealed::check(arguments, style);
    }
    if !arguments.against.is_empty() {
        bail!(
            "{}: is no sealed file: --against is for one that `list build` wrote",
            arguments.subject.display()
        );
    }
    if arguments.key.key_file.is_some() || !arguments.harmless.is_empty() {
        let shown = arguments.subject.display();
        bail!("{shown}: is a list folder: --key-file, --known-good and --never-match are for sealed files");
    }
    let report = store::check(&arguments.subject)?;
    let newest = &report.newest;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({
            "sound": report.is_sound(), "state": newest.number, "hash": newest.hash,
            "entries": newest.totals.entries, "info_edited": report.info_edited, "problems": report.problems,
        }))?;
    } else {
        for problem in &report.problems {
            output.line(format_args!("{} {problem}", output.paint(Paint::Red, "wrong:")))?;
        }
        if report.info_edited {
            output.line("list.toml was edited since; the next change records it")?;
        }
        let (paint, word) =
            if report.is_sound() { (Paint::Green, "sound") } else { (Paint::Red, "not sound") };
        let entries = counted(newest.totals.entries, "entry", "entries");
        let word = output.paint(paint, word);
        output.line(format_args!("{word}: state {}, {entries}, hash {}", newest.number, newest.hash))?;
    }
    if !report.is_sound() {
        eprintln!("{}: is damaged: restore the folder from a copy", arguments.subject.display());
        return Ok(Exit::Failed);
    }
    Ok(Exit::Success)
}
