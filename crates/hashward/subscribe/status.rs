//! How subscriptions are.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use hashward_release::{Applied, ReplicaReader};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Named;
use super::{named, replica_key};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, tame};

/// What was applied, in words.
pub(super) struct Told<'a>(&'a [Applied]);

/// What was applied, to be told.
pub(super) fn applied(applied: &[Applied]) -> Told<'_> {
    Told(applied)
}

impl Told<'_> {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        let one = |applied: &Applied| match applied {
            Applied::AlreadyHeld => json!("already-held"),
            Applied::Snapshot { entries } => json!({"snapshot": {"entries": entries}}),
            Applied::Delta { added, changed, withdrawn } => {
                json!({"delta": {"added": added, "changed": changed, "withdrawn": withdrawn}})
            }
        };
        self.0.iter().map(one).collect()
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut deltas, mut snapshots) = (0, 0);
        let [mut all_added, mut all_changed, mut all_withdrawn] = [0; 3];
        for applied in self.0 {
            match applied {
                Applied::AlreadyHeld => {}
                Applied::Snapshot { .. } => snapshots += 1,
                Applied::Delta { added, changed, withdrawn } => {
                    deltas += 1;
                    all_added += added;
                    all_changed += changed;
                    all_withdrawn += withdrawn;
                }
            }
        }
        if snapshots + deltas == 0 {
            return f.write_str("nothing new");
        }
        if snapshots > 0 {
            f.write_str("a snapshot applied")?;
        }
        if deltas > 0 {
            let and = if snapshots > 0 { ", and " } else { "" };
            let deltas = counted(deltas, "delta", "deltas");
            write!(
                f,
                "{and}{deltas} applied: {all_added} added, {all_changed} changed, {all_withdrawn} withdrawn"
            )?;
        }
        Ok(())
    }
}

/// Shows the subscriptions.
pub(super) fn status(config: &Config, directory: &Path, arguments: &Named, style: Style) -> Result<Exit> {
    let key = replica_key(config)?;
    let now = Timestamp::now();
    let mut output = Output::stdout(style.color);
    let mut exit = Exit::Success;
    for subscription in named(directory, arguments)? {
        let name = &subscription.name;
        if !style.json {
            output.line(format_args!("{name}  {}", tame(&subscription.manifest.from)))?;
        }
        let taken = subscription.taken()?;
        if taken.is_empty() {
            exit = Exit::Matched;
            if style.json {
                output
                    .json(&json!({"subscription": name, "from": subscription.manifest.from, "list": null}))?;
            } else {
                output.line("  nothing was fetched yet: `hashward subscribe pull`")?;
            }
        }
        for list in taken {
            let read = ReplicaReader::open(&subscription.replica(&list), &key).and_then(|reader| {
                let kept = reader.kept()?.iter().map(|header| header.release).collect::<Vec<u64>>();
                Ok((reader.newest().clone(), kept))
            });
            let held = subscription.held(&list)?;
            let (newest, kept) = match read {
                Ok(read) => read,
                Err(error) => {
                    exit = Exit::Matched;
                    if style.json {
                        output
                            .json(&json!({"subscription": name, "list": list, "error": error.to_string()}))?;
                    } else {
                        output.line(format_args!("  {list}  {}", output.paint(Paint::Red, error)))?;
                    }
                    continue;
                }
            };
            let is_stale = newest.is_expired_at(now);
            if is_stale || held.is_some() {
                exit = Exit::Matched;
            }
            if style.json {
                output.json(&json!({
                    "subscription": name, "from": subscription.manifest.from, "list": list,
                    "release": newest.release, "entries": newest.entries, "digests": newest.digests,
                    "created": newest.created, "expires": newest.expires, "stale": is_stale,
                    "kept": kept, "held": held,
                }))?;
                continue;
            }
            let expires = format!("{:.0}", newest.expires);
            let age = if is_stale {
                output.paint(Paint::Red, format_args!("stale since {expires}"))
            } else {
                format!("good until {expires}")
            };
            let (release, entries) = (newest.release, counted(newest.entries, "entry", "entries"));
            let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
            output.line(format_args!(
                "  {list}  release {release} of {:.0}, {entries}, {age}; kept: {}",
                newest.created,
                kept.join(", ")
            ))?;
            if let Some(held) = held {
                let told = format!(
                    "held at {} since {} by {}: {}",
                    held.release,
                    held.since,
                    tame(&held.who),
                    tame(&held.why)
                );
                output.line(format_args!("  {list}  {}", output.paint(Paint::Yellow, told)))?;
            }
        }
    }
    Ok(exit)
}
