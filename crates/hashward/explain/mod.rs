//! `explain`: what a file or a digest matches, and why that calls for what it calls for.

mod ground;
pub(crate) mod subject;
mod text;

use std::path::Path;

use anyhow::{Result, bail};
use hashward_core::{Algorithm, AlgorithmSet, Decision, Digest, Digests, EntryId, Match, Strength, Verdict};
use hashward_engine::{Conditions, Content, Snapshot, check, is_valid, read_content};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Output, Style};
use crate::{lists, shares};
use subject::Subject;

/// Everything there is to say about one content.
pub(crate) struct Explanation {
    /// What was asked about, as it was asked.
    subject: String,
    /// Its length, if it is a file.
    bytes: Option<u64>,
    /// The digests that were looked up.
    digests: Digests,
    /// The verdict.
    verdict: Verdict,
    /// Each match with where it stands in its list.
    found: Vec<Found>,
    /// Entries that hold the content's XXH3 and none of its other digests.
    hints: Vec<Found>,
    /// Entries that hold a digest of the content, and do not count now.
    not_valid: Vec<Found>,
}

/// A match and the entry behind it.
pub(crate) struct Found {
    /// The match; `None` if there is none, but a hint or an entry that does not count now.
    of: Option<Match>,
    /// The entry's name.
    entry: EntryId,
    /// The algorithms of the entry's digests.
    algorithms: AlgorithmSet,
    /// `file:line` of the entry.
    place: String,
    /// The list's name.
    list: String,
    /// From when and until when the entry counts.
    valid: (Option<String>, Option<String>),
}

impl Found {
    /// The entry's digests that the content was found to have, and those that it was found not to have.
    fn agreement(&self, looked_up: AlgorithmSet) -> (AlgorithmSet, AlgorithmSet) {
        let matched = self.of.iter().flat_map(|of| &of.digests).map(Digest::algorithm);
        let agree: AlgorithmSet = matched.collect();
        (agree, self.algorithms.intersection(looked_up).difference(agree))
    }
}

/// Explains one file or digest.
pub(crate) fn explain(config: &Config, subject: &Path, style: Style) -> Result<Exit> {
    let subject = Subject::parse(subject)?;
    let loaded = lists::load(config)?;
    loaded.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    for stranger in shares::strangers(&config.policy.rollout, &loaded.snapshot) {
        eprintln!("{stranger}");
    }
    let snapshot = &loaded.snapshot;
    let (digests, bytes) = match &subject {
        Subject::Digest(digest) => (Digests::from_iter([*digest]), None),
        Subject::File(path) => {
            let mut buffer = vec![0; config.line.read_buffer_bytes];
            let mut file = subject::open(path)?;
            match read_content(&mut file, snapshot, &mut buffer, config.line.content_bytes_max) {
                Ok((digests, bytes)) => (digests, Some(bytes)),
                Err(reason) => bail!("{}: {reason}", path.display()),
            }
        }
    };
    let conditions = Conditions::at(Timestamp::now());
    let verdict = check(snapshot, &config.policy, &conditions, &Content::Digests(digests));
    if let Decision::Unreadable(_) = &verdict.decision {
        let (stated, held) = (digests.algorithms(), snapshot.algorithms());
        bail!("{subject}: a digest of {stated} cannot be looked up: the loaded lists hold {held}");
    }
    let matched = verdict.decision != Decision::Allow;
    let mut explanation = Explanation {
        subject: subject.to_string(),
        bytes,
        digests,
        verdict,
        found: Vec::new(),
        hints: Vec::new(),
        not_valid: Vec::new(),
    };
    explanation.find(snapshot, conditions.now)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&explanation.json(snapshot))?;
    } else {
        text::tell(&explanation, snapshot, &mut output)?;
    }
    Ok(if matched { Exit::Matched } else { Exit::Success })
}

/// A moment of an entry, in seconds since the Unix epoch, as people read it.
fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |moment| moment.to_string())
}

impl Explanation {
    /// Finds the entries behind the matches, those for which only a hint speaks, and those that do not count at `now`.
    fn find(&mut self, snapshot: &Snapshot, now: Timestamp) -> Result<()> {
        let digests: Vec<Digest> = self.digests.iter().collect();
        let mut numbers = Vec::new();
        snapshot.lookup(&digests, &mut |_, number| numbers.push(number))?;
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            let entry = snapshot.record(number)?;
            let list = snapshot.list(&entry);
            let id = &list.info.id;
            let mut matches = self.verdict.matches.iter();
            let of = matches.find(|of| of.entry == entry.id && of.list.id == *id).cloned();
            let line = entry.line.map(|line| format!(":{line}")).unwrap_or_default();
            let into = match &of {
                Some(_) => &mut self.found,
                None if !is_valid(&entry, now) => &mut self.not_valid,
                None => &mut self.hints,
            };
            into.push(Found {
                of,
                entry: entry.id,
                algorithms: entry.algorithms,
                place: format!("{}{line}", list.path.display()),
                list: id.to_string(),
                valid: (entry.valid_from.map(moment), entry.valid_until.map(moment)),
            });
        }
        self.found.sort_by(|a, b| (&a.list, a.entry).cmp(&(&b.list, b.entry)));
        Ok(())
    }

    /// The algorithms that were looked up: what a hint would be, is none.
    fn looked_up(&self, snapshot: &Snapshot) -> AlgorithmSet {
        self.digests.algorithms().intersection(snapshot.algorithms())
    }

    fn json(&self, snapshot: &Snapshot) -> Value {
        let looked_up = self.looked_up(snapshot);
        let words = |set: AlgorithmSet| set.iter().map(Algorithm::word).collect::<Vec<_>>();
        let matches = self.found.iter().filter_map(|found| {
            let of = found.of.as_ref()?;
            let (agree, disagree) = found.agreement(looked_up);
            let list = &of.list;
            Some(json!({
                "list": list.id, "entry": of.entry, "place": found.place, "agree": words(agree),
                "disagree": words(disagree), "action": of.action, "ground": of.ground,
                "why": ground::why(of, disagree), "owner": list.owner, "category": list.category,
                "legal_basis": list.legal_basis, "reference": list.reference, "contact": list.contact,
                "territories": list.territories, "priority": list.priority, "list_action": list.action,
            }))
        });
        let hints = self
            .hints
            .iter()
            .map(|hint| json!({"list": hint.list, "entry": hint.entry, "place": hint.place}));
        let not_valid = self.not_valid.iter().map(|found| {
            let (from, until) = &found.valid;
            json!({
                "list": found.list, "entry": found.entry, "place": found.place, "valid_from": from,
                "valid_until": until,
            })
        });
        json!({
            "subject": self.subject, "bytes": self.bytes, "verdict": self.verdict.decision.word(),
            "looked_up": words(looked_up), "matches": matches.collect::<Vec<_>>(),
            "hints": hints.collect::<Vec<_>>(), "not_valid": not_valid.collect::<Vec<_>>(),
            "lists": snapshot.lists().iter().map(|list| list.info.id.as_str()).collect::<Vec<_>>(),
        })
    }
}

/// Whether the algorithm's equality proves anything.
fn is_hint(algorithm: Algorithm) -> bool {
    algorithm.strength() == Strength::Hint
}
