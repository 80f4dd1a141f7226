//! How the findings of a scan are told.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use hashward_core::{Algorithm, EntryId, ListId, Verdict};
use indicatif::HumanBytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::work::Matched;
use crate::exit::Exit;
use crate::output::{Output, Paint, counted, per_second, tame, verdict_paint};

/// What a scan came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Totals {
    /// Contents that were judged.
    pub(crate) contents: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Those that matched.
    pub(crate) matched: u64,
    /// Those that could not be judged; they are not among `contents`.
    pub(crate) unreadable: u64,
    /// Links, pipes, sockets and devices inside trees.
    pub(crate) no_content: u64,
}

/// How long a scan took, without loading the lists.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// By the clock.
    pub(crate) clock: Duration,
    /// The CPU time of all threads, user and system.
    pub(crate) cpu: Duration,
}

impl Totals {
    /// How the process ends. What could not be read weighs more than a match: the scan is not complete.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self { unreadable: 1.., .. } => Exit::Failed,
            Self { matched: 1.., .. } => Exit::Matched,
            _ => Exit::Success,
        }
    }
}

/// One content that matched, in the order in which the fields are documented.
#[derive(Serialize)]
struct MatchLine<'a> {
    path: &'a str,
    verdict: &'a str,
    matches: Vec<MatchItem<'a>>,
    bytes: u64,
}

/// One digest that matched.
#[derive(Serialize)]
struct MatchItem<'a> {
    list: &'a ListId,
    entry: EntryId,
    algorithm: Algorithm,
}

/// Tells one content that matched.
pub(crate) fn matched<W: Write>(output: &mut Output<W>, json: bool, found: &Matched) -> Result<()> {
    let verdict = &found.verdict;
    let word = verdict.decision.word();
    let path = found.path.to_string_lossy();
    if json {
        let matches = items(verdict).collect();
        let line = MatchLine { path: &path, verdict: word, matches, bytes: found.bytes };
        output.line(serde_json::to_string(&line)?)?;
        return Ok(());
    }
    let reasons: Vec<String> = verdict
        .matches
        .iter()
        .map(|found| {
            let algorithms: Vec<&str> =
                found.digests.iter().map(|digest| digest.algorithm().word()).collect();
            format!("{} {} ({})", found.list.id, found.entry, algorithms.join(" "))
        })
        .collect();
    let word = output.paint(verdict_paint(word), format!("{word:<8}"));
    let reasons = output.paint(Paint::Dim, reasons.join(", "));
    output.line(format_args!("{word} {}  {reasons}", tame(&path)))?;
    Ok(())
}

fn items(verdict: &Verdict) -> impl Iterator<Item = MatchItem<'_>> {
    verdict.matches.iter().flat_map(|found| {
        found.digests.iter().map(|digest| MatchItem {
            list: &found.list.id,
            entry: found.entry,
            algorithm: digest.algorithm(),
        })
    })
}

/// The last line with `--json`.
pub(crate) fn summary(totals: &Totals, took: Took) -> Value {
    let seconds = |took: Duration| (took.as_secs_f64() * 1000.0).round() / 1000.0;
    let Totals { contents, bytes, matched, unreadable, .. } = totals;
    json!({"summary": {
        "contents": contents, "bytes": bytes, "matched": matched, "unreadable": unreadable,
        "seconds": seconds(took.clock), "cpu_seconds": seconds(took.cpu),
    }})
}

/// The last line for people.
pub(crate) fn summary_text(totals: &Totals, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let (bytes, rate) = (HumanBytes(totals.bytes), HumanBytes(per_second(totals.bytes, took)));
    let contents = counted(totals.contents, "content", "contents");
    let mut text = format!("{contents} ({bytes}) in {seconds:.1} s, {rate}/s: {} matched", totals.matched);
    if totals.unreadable > 0 {
        write!(text, ", {} could not be read", totals.unreadable).expect("writing to memory");
    }
    if totals.no_content > 0 {
        let passed = counted(totals.no_content, "link or device", "links and devices");
        write!(text, "; {passed} passed over").expect("writing to memory");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_weighs_more_than_a_match() {
        let totals = |matched, unreadable| Totals { matched, unreadable, ..Totals::default() };
        assert_eq!(totals(0, 0).exit(), Exit::Success);
        assert_eq!(totals(2, 0).exit(), Exit::Matched);
        assert_eq!(totals(2, 1).exit(), Exit::Failed);
    }

    #[test]
    fn the_summary_has_the_documented_keys() {
        let took = Took { clock: Duration::from_micros(1_234_567), ..Took::default() };
        let summary = summary(&Totals { contents: 3, ..Totals::default() }, took);
        let keys: Vec<&String> = summary["summary"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["bytes", "contents", "cpu_seconds", "matched", "seconds", "unreadable"]);
        assert_eq!(summary["summary"]["seconds"], 1.235);
    }
}
