//! `list check` of a sealed file, and what it has in common with `list build`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hashward_engine::lists::{KnownGood, ListIndex, LoadedList, STRANGERS, verify_against};
use hashward_index::SealKey;
use hashward_list::{LoadOptions, OpenList};
use serde_json::{Value, json};

use super::args::{Check, Harmless, KeyFile};
use crate::exit::Exit;
use crate::lists::key;
use crate::output::{Output, Paint, Style, counted};

/// Checks a sealed file.
pub(super) fn check(arguments: &Check, style: Style) -> Result<Exit> {
    let key = needed_key(&arguments.key)?;
    let index = ListIndex::open(&arguments.subject, &key)?;
    index.verify()?;
    if arguments.against.is_empty() && !arguments.harmless.is_empty() {
        bail!("--known-good and --never-match say what --against a list is not to be found: name the list");
    }
    let harmless = harmless(&arguments.harmless, &key)?;
    let sources = open_all(&arguments.against)?;
    if !sources.is_empty() {
        verify_against(&index, sources, harmless.as_ref())?
            .with_context(|| format!("{}: is not what it was built of", arguments.subject.display()))?;
    }
    let mut output = Output::stdout(style.color);
    let against = arguments.against.len() as u64;
    if style.json {
        let lists: Vec<Value> = index.lists().iter().map(listed).collect();
        output.json(&json!({"sound": true, "lists": lists, "against": against}))?;
        return Ok(Exit::Success);
    }
    tell_lists(&mut output, &index)?;
    let sound = output.paint(Paint::Green, "sound");
    let held = match against {
        0 => "every byte is as it was built; name the lists it was built of with --against to check what it says".to_owned(),
        _ => format!(
            "every byte is as it was built, every entry of {} is found, and none of {}",
            counted(against, "list", "lists"),
            counted(STRANGERS, "stranger", "strangers")
        ),
    };
    output.line(format_args!("{sound}: {held}"))?;
    Ok(Exit::Success)
}

/// The key, which must be there.
pub(super) fn needed_key(at: &KeyFile) -> Result<SealKey> {
    key::find(at.key_file.as_deref())?.context(key::NO_KEY)
}

/// What is known as good, if anything is.
pub(super) fn harmless(named: &Harmless, key: &SealKey) -> Result<Option<KnownGood>> {
    if named.is_empty() {
        return Ok(None);
    }
    let Harmless { known_good, never_match } = named;
    Ok(Some(KnownGood::load(known_good, never_match, key)?))
}

/// Opens lists whose entries can be read.
pub(super) fn open_all(lists: &[PathBuf]) -> Result<Vec<OpenList>> {
    let open = |path: &PathBuf| {
        refuse_sealed(path)?;
        Ok(hashward_list::open(path, &LoadOptions::default())?)
    };
    lists.iter().map(open).collect()
}

fn refuse_sealed(path: &Path) -> Result<()> {
    if hashward_index::is_index_file(path) {
        bail!(
            "{}: is sealed: nobody can read its digests; expected the lists it was built of",
            path.display()
        );
    }
    Ok(())
}

/// One list of a sealed file, as JSON.
pub(super) fn listed(list: &LoadedList) -> Value {
    json!({
        "list": list.info.id, "entries": list.entries, "held_back": list.quarantined.count,
        "state": list.state.as_ref().map(|state| state.number),
    })
}

/// A line for each list.
pub(super) fn tell_lists(output: &mut Output<std::io::Stdout>, index: &ListIndex) -> Result<()> {
    for list in index.lists() {
        let entries = counted(list.entries, "entry", "entries");
        let state = list.state.as_ref().map(|state| format!(", state {}", state.number)).unwrap_or_default();
        let held = match list.quarantined.count {
            0 => String::new(),
            count => format!(", {} known as good and held back", counted(count, "entry", "entries")),
        };
        output.line(format_args!("  {}: {entries}{state}{held}", list.info.id))?;
    }
    Ok(())
}
