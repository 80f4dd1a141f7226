//! What is said after an import.

use std::io;
use std::path::Path;

use hashward_core::ListId;
use hashward_list::format::{Format, Place};
use hashward_list::store::Summary;
use serde_json::{Value, json};

use crate::output::{Output, Paint, Style, counted, grouped, tame};

/// How many refusals are told one by one.
const REFUSALS_MAX: usize = 10;

/// A file that was read.
pub(super) struct TakenFile {
    /// Its path.
    pub(super) file: String,
    /// What it was read as.
    pub(super) format: Format,
    /// The name under which its keys are kept.
    pub(super) source: String,
}

/// The items that were not taken: by the reader, because it cannot read them, or by the list.
#[derive(Default)]
pub(super) struct Refusals {
    count: u64,
    first: Vec<Refused>,
}

struct Refused {
    file: String,
    place: Place,
    problem: String,
}

impl Refusals {
    /// Takes one down.
    pub(super) fn take(&mut self, path: &Path, place: Place, problem: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < REFUSALS_MAX {
            self.first.push(Refused { file: path.display().to_string(), place, problem: problem() });
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Tells them on standard error.
    pub(super) fn tell(&self) {
        for Refused { file, place, problem } in &self.first {
            eprintln!("{}: {place}: refused: {problem}", tame(file));
        }
        let more = self.count - self.first.len() as u64;
        if more > 0 {
            eprintln!("and {} more refused", grouped(more));
        }
    }

    fn json(&self) -> Vec<Value> {
        let object = |refused: &Refused| json!({"file": refused.file, "place": refused.place.to_string(), "problem": refused.problem});
        self.first.iter().map(object).collect()
    }
}

/// Everything that is said after an import.
pub(super) struct Taken {
    /// The list.
    pub(super) list: ListId,
    /// Whether the step was to be kept.
    pub(super) keeps: bool,
    /// Whether the user asked for a dry run.
    pub(super) dry_run: bool,
    /// The newest state.
    pub(super) state: u64,
    /// The files.
    pub(super) files: Vec<TakenFile>,
    /// What was refused.
    pub(super) refusals: Refusals,
    /// What the step did.
    pub(super) summary: Summary,
}

impl Taken {
    /// Tells it.
    pub(super) fn tell(&self, style: Style) -> io::Result<()> {
        let mut output = Output::stdout(style.color);
        if style.json {
            return output.json(&self.json());
        }
        for TakenFile { file, format, source } in &self.files {
            output.line(format_args!("{}: {format}, source {source:?}", tame(file)))?;
        }
        let head = self.head();
        output.line(output.paint(Paint::Bold, head))?;
        for (what, count) in self.counts() {
            output.line(format_args!("  {what:<20} {:>13}", grouped(count)))?;
        }
        for (kind, count) in &self.summary.unmatched_signals {
            output.line(format_args!("  kept and not matched yet: {} of {kind}", grouped(*count)))?;
        }
        if self.summary.only_hints > 0 {
            let hints = counted(self.summary.only_hints, "item has", "items have");
            output.line(format_args!("  {hints} only an XXH3, which is never a ground for an alert"))?;
        }
        Ok(())
    }

    fn head(&self) -> String {
        let Self { list, state, summary, .. } = self;
        match (self.keeps, summary.state) {
            (true, Some(state)) => format!("{list}: state {state}"),
            (true, None) => format!("{list}: nothing to change, still state {state}"),
            (false, _) if self.dry_run => format!("{list}: dry run, still state {state}; it would be"),
            (false, _) => format!("{list}: nothing is written, still state {state}; it would have been"),
        }
    }

    fn counts(&self) -> [(&'static str, u64); 7] {
        let summary = &self.summary;
        [
            ("new", summary.new),
            ("changed", summary.changed),
            ("put in force again", summary.revived),
            ("withdrawn", summary.withdrawn),
            ("unchanged", summary.unchanged),
            ("to withdraw, absent", summary.absent),
            ("refused", self.refusals.count()),
        ]
    }

    fn json(&self) -> Value {
        let summary = &self.summary;
        let file = |TakenFile { file, format, source }: &TakenFile| json!({"file": file, "format": format.word(), "source": source});
        json!({
            "list": self.list, "written": summary.state.is_some(), "dry_run": self.dry_run,
            "state": self.state, "changes": summary.changes,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "new": summary.new, "changed": summary.changed, "revived": summary.revived,
            "withdrawn": summary.withdrawn, "unchanged": summary.unchanged, "absent": summary.absent,
            "refused": self.refusals.count(), "first_refusals": self.refusals.json(),
            "only_hints": summary.only_hints, "unmatched_signals": summary.unmatched_signals,
        })
    }
}
