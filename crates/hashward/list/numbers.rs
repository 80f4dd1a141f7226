//! `list stats` and `list states`.

use std::collections::BTreeMap;

use anyhow::Result;
use hashward_list::store::{Counts, State, Store};

use super::args::Folder;
use super::tell::object;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, grouped, tame};

/// How many states are read at a time.
const PAGE_STATES: usize = 256;

/// Counts what is in force.
pub(super) fn stats(arguments: &Folder, style: Style) -> Result<Exit> {
    let store = Store::open_read_only(&arguments.folder)?;
    let stats = store.stats()?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&object(&stats))?;
        return Ok(Exit::Success);
    }
    let totals = &stats.newest.totals;
    output.line(format_args!(
        "{}: state {}, {}",
        store.info()?.id,
        stats.newest.number,
        stats.newest.when
    ))?;
    for (what, count) in
        [("in force", stats.in_force), ("of them disputed", totals.disputed), ("withdrawn", totals.withdrawn)]
    {
        output.line(format_args!("  {what:<24} {:>13}", grouped(count)))?;
    }
    let algorithms = stats.algorithms.iter().filter(|(_, count)| **count > 0);
    let algorithms: BTreeMap<&str, u64> = algorithms.map(|(word, count)| (*word, *count)).collect();
    group(&mut output, "by category", &stats.categories)?;
    group(&mut output, "with a digest of", &algorithms)?;
    group(&mut output, "with a signal that is not matched yet", &stats.unmatched_signals)?;
    Ok(Exit::Success)
}

fn group<W: std::io::Write>(
    output: &mut Output<W>,
    title: &str,
    counts: &BTreeMap<impl AsRef<str>, u64>,
) -> std::io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    output.line(title)?;
    counts.iter().try_for_each(|(word, count)| {
        output.line(format_args!("  {:<24} {:>13}", tame(word.as_ref()), grouped(*count)))
    })
}

/// Shows the journal.
pub(super) fn states(arguments: &Folder, style: Style) -> Result<Exit> {
    let store = Store::open_read_only(&arguments.folder)?;
    let mut output = Output::stdout(style.color);
    let mut last = None;
    loop {
        let page = store.states(last, PAGE_STATES)?;
        let Some(end) = page.last() else { return Ok(Exit::Success) };
        last = Some(end.number);
        for state in &page {
            if style.json { output.json(&object(state))? } else { line(&mut output, state)? }
        }
        if output.is_closed() {
            return Ok(Exit::Success);
        }
    }
}

fn line<W: std::io::Write>(output: &mut Output<W>, state: &State) -> std::io::Result<()> {
    let State { number, when, who, why, counts, totals, .. } = state;
    let number = output.paint(Paint::Bold, format_args!("{number:>4}"));
    let changes = changes(counts);
    let in_force = counted(totals.in_force(), "entry", "entries");
    output.line(format_args!("{number}  {when}  {}: {}  {changes}; {in_force}", tame(who), tame(why)))
}

/// Only what there is.
fn changes(counts: &Counts) -> String {
    let Counts { added, changed, revived, withdrawn, disputed, undisputed } = *counts;
    let all = [
        (added, "added"),
        (changed, "changed"),
        (revived, "revived"),
        (withdrawn, "withdrawn"),
        (disputed, "disputed"),
        (undisputed, "undisputed"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", grouped(*count)))
        .collect();
    if some.is_empty() { "no entry changed".to_owned() } else { some.join(", ") }
}
