//! `list add`, `withdraw`, `dispute` and `undispute`.

use anyhow::{Context as _, Result, bail};
use hashward_core::{Digest, Digests, EntryId};
use hashward_list::Statement;
use hashward_list::store::{Outcome, Selector, Step, Store};
use serde_json::json;

use super::args::{Add, Mark as Arguments};
use crate::digest_text::parse_digest;
use crate::exit::Exit;
use crate::output::{Output, Style};

/// Adds an entry, or says more of one.
pub(super) fn add(arguments: &Add, style: Style) -> Result<Exit> {
    let statement = Statement {
        key: arguments.key.clone(),
        digests: digests(&arguments.digest)?,
        size_bytes: arguments.size,
        category: arguments.category.clone(),
        reference: arguments.reference.clone(),
        valid_from: arguments.valid_from,
        valid_until: arguments.valid_until,
        note: arguments.note.clone(),
        ..Statement::default()
    };
    let mut store = Store::open(&arguments.at.folder)?;
    let mut step = store.begin(arguments.who.step(&arguments.why)?)?;
    if let Some(source) = &arguments.source {
        step.set_source(source)?;
    }
    let (word, text) = match step.apply(&statement)? {
        Outcome::New => ("new", "a new entry"),
        Outcome::Changed => ("changed", "an entry says more or something else"),
        Outcome::Revived => ("revived", "a withdrawn entry is in force again"),
        Outcome::Unchanged => ("unchanged", "the list says so already"),
        Outcome::Refused(refusal) => bail!("refused: {refusal}"),
        Outcome::Withdrawn | Outcome::Absent => unreachable!("nothing is withdrawn by what is put in"),
    };
    let written = step.commit()?.state;
    let state = store.state_number()?;
    let mut entries: Vec<EntryId> = Vec::new();
    for digest in statement.digests.iter() {
        entries.extend(store.find(&digest)?.iter().filter(|entry| entry.is_in_force()).map(|entry| entry.id));
    }
    entries.sort();
    entries.dedup();
    let mut output = Output::stdout(style.color);
    if style.json {
        let written = written.is_some();
        output.json(&json!({"outcome": word, "written": written, "state": state, "entries": entries}))?;
    } else {
        output.line(format_args!("{text}, state {state}: {}", joined(&entries)))?;
    }
    Ok(Exit::Success)
}

/// The digests of one item, at most one of each algorithm. No error shows one.
fn digests(texts: &[String]) -> Result<Digests> {
    let mut digests = Digests::default();
    for (number, text) in (1..).zip(texts) {
        let bad = |problem| anyhow::anyhow!("--digest, the one of number {number}: {problem}");
        let digest: Digest = parse_digest(text).map_err(bad)?;
        let algorithm = digest.algorithm();
        if digests.get(algorithm).is_some_and(|held| held != digest) {
            bail!(
                "--digest: two different digests of {algorithm}: expected those of one item; add the other apart"
            );
        }
        digests.insert(&digest);
    }
    Ok(digests)
}

/// What becomes of the selected entries.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// They are withdrawn.
    Withdrawn,
    /// They are disputed.
    Disputed,
    /// They are disputed no more.
    Undisputed,
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Disputed => "disputed",
            Self::Undisputed => "undisputed",
        }
    }

    fn apply(self, step: &mut Step<'_>, selector: &Selector, reason: &str) -> Result<Vec<EntryId>> {
        Ok(match self {
            Self::Withdrawn => step.withdraw(selector, reason)?,
            Self::Disputed => step.dispute(selector, reason)?,
            Self::Undisputed => step.undispute(selector)?,
        })
    }
}

/// Marks all selected entries in one step.
pub(super) fn mark(arguments: &Arguments, mark: Mark, style: Style) -> Result<Exit> {
    let mut store = Store::open(&arguments.at.folder)?;
    let mut step = store.begin(arguments.who.step(&arguments.reason)?)?;
    let mut entries = Vec::new();
    for (number, text) in (1..).zip(&arguments.selectors) {
        let told = || format!("SELECTOR {number}");
        let selector: Selector = text.parse().with_context(told)?;
        entries.extend(mark.apply(&mut step, &selector, &arguments.reason).with_context(told)?);
    }
    let written = step.commit()?.state.is_some();
    let state = store.state_number()?;
    let mut output = Output::stdout(style.color);
    let word = mark.word();
    if style.json {
        output.json(&json!({"outcome": word, "written": written, "state": state, "entries": entries}))?;
    } else if written {
        output.line(format_args!("{word}, state {state}: {}", joined(&entries)))?;
    } else {
        output.line(format_args!("nothing to change, still state {state}: already {word}"))?;
    }
    Ok(Exit::Success)
}

fn joined(entries: &[EntryId]) -> String {
    entries.iter().map(EntryId::to_string).collect::<Vec<_>>().join(" ")
}
