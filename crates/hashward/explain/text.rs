//! An explanation for people.

use std::io::Write;

use anyhow::Result;
use hashward_core::Territory;
use hashward_engine::Snapshot;

use super::{Explanation, Found, ground, is_hint};
use crate::output::{Output, Paint, counted, tame, verdict_paint};

/// Tells everything.
pub(crate) fn tell<W: Write>(of: &Explanation, snapshot: &Snapshot, output: &mut Output<W>) -> Result<()> {
    let word = of.verdict.decision.word();
    let subject = output.paint(Paint::Bold, tame(&of.subject));
    let verdict = output.paint(verdict_paint(word), word);
    match of.bytes {
        Some(bytes) => {
            let bytes = counted(bytes, "byte", "bytes");
            output.line(format_args!("{subject} ({bytes}): {verdict}"))?;
        }
        None => output.line(format_args!("{subject}: {verdict}"))?,
    }
    for found in &of.found {
        tell_match(of, found, snapshot, output)?;
    }
    for hint in &of.hints {
        let place = tame(&hint.place);
        output.line("")?;
        output.line(format_args!("hint: list {}, entry {}, {place}", hint.list, hint.entry))?;
        output.line("  only xxh3 agrees: anybody can make that happen, so it is never a ground")?;
    }
    for found in &of.not_valid {
        let place = tame(&found.place);
        output.line("")?;
        output.line(format_args!("no match now: list {}, entry {}, {place}", found.list, found.entry))?;
        output.line(format_args!("  the entry counts {}", validity(found)))?;
    }
    tell_lookup(of, snapshot, output)
}

/// From when and until when the entry counts.
fn validity(found: &Found) -> String {
    match &found.valid {
        (Some(from), Some(until)) => format!("from {from} until {until}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "always".to_owned(),
    }
}

fn tell_match<W: Write>(
    explanation: &Explanation,
    found: &Found,
    snapshot: &Snapshot,
    output: &mut Output<W>,
) -> Result<()> {
    let Some(of) = &found.of else { return Ok(()) };
    let (agree, disagree) = found.agreement(explanation.looked_up(snapshot));
    let list = &of.list;
    output.line("")?;
    output.line(format_args!("list {}, entry {}, {}", list.id, of.entry, tame(&found.place)))?;
    let mut field = |name: &str, value: Option<String>| match value {
        Some(value) => output.line(format_args!("  {name:<12} {}", tame(&value))),
        None => Ok(()),
    };
    field("agrees", Some(agree.to_string()))?;
    let counts = disagree.iter().filter(|algorithm| !is_hint(*algorithm)).count() > 0;
    field("differs", counts.then(|| disagree.to_string()))?;
    let never = found.algorithms.difference(agree).difference(disagree);
    field("not known", (!never.is_empty()).then(|| format!("{never} (held by the entry, not asked about)")))?;
    field("action", Some(of.action.to_string()))?;
    field("ground", Some(of.ground.to_string()))?;
    field("why", Some(ground::why(of, disagree)))?;
    field("category", Some(list.category.to_string()))?;
    field("owner", list.owner.clone())?;
    field("legal basis", list.legal_basis.clone())?;
    field("reference", list.reference.clone())?;
    field("contact", list.contact.clone())?;
    let territories: Vec<&str> = list.territories.iter().map(Territory::code).collect();
    field("territories", (!territories.is_empty()).then(|| territories.join(", ")))?;
    Ok(())
}

/// What was looked up where, so that "nothing" says how much it says.
fn tell_lookup<W: Write>(of: &Explanation, snapshot: &Snapshot, output: &mut Output<W>) -> Result<()> {
    let looked_up = of.looked_up(snapshot);
    let lists: Vec<String> = snapshot
        .lists()
        .iter()
        .map(|list| format!("{} ({})", list.info.id, counted(list.entries, "entry", "entries")))
        .collect();
    if of.found.is_empty() {
        let is_bare = of.hints.is_empty() && of.not_valid.is_empty();
        let nothing = if is_bare { "nothing" } else { "nothing that counts" };
        output.line(format_args!("  {nothing} found"))?;
    }
    output.line(output.paint(Paint::Dim, format_args!("  looked up {looked_up} in {}", lists.join(", "))))?;
    if of.bytes.is_none() {
        let note =
            "  a digest alone is looked up: digests of other algorithms of the same content are not known";
        output.line(output.paint(Paint::Dim, note))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hashward_core::{AlgorithmSet, EntryId};

    use super::super::moment;
    use super::*;

    #[test]
    fn when_an_entry_counts() {
        for (from, until, expected) in [
            (Some(0), Some(86_400), "from 1970-01-01T00:00:00Z until 1970-01-02T00:00:00Z"),
            (Some(0), None, "from 1970-01-01T00:00:00Z"),
            (None, Some(1), "until 1970-01-01T00:00:01Z"),
            (None, Some(i64::MAX), "until second 9223372036854775807"),
            (None, None, "always"),
        ] {
            let found = Found {
                of: None,
                entry: EntryId(1),
                algorithms: AlgorithmSet::EMPTY,
                place: String::new(),
                list: String::new(),
                valid: (from.map(moment), until.map(moment)),
            };
            assert_eq!(validity(&found), expected);
        }
    }
}
