//! `subscribe pull`: one look at publishers, and what came of it.

use std::path::Path;

use anyhow::{Result, bail};
use hashward_core::ListId;
use serde_json::json;

use super::args::Named;
use super::pull::PulledList;
use super::{named, pull, puller, status};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted};

/// Looks at the publisher that is named, or at all.
pub(super) fn look(config: &Config, directory: &Path, arguments: &Named, style: Style) -> Result<Exit> {
    let by = puller(config)?;
    let subscriptions = named(directory, arguments)?;
    if subscriptions.is_empty() {
        bail!("{}: there is no subscription: `hashward subscribe add` makes one", directory.display());
    }
    let mut output = Output::stdout(style.color);
    let mut exit = Exit::Success;
    for subscription in subscriptions {
        let name = &subscription.name;
        match pull(config, &by, &subscription) {
            Ok(pulled) => {
                if pulled.is_number_reused && !style.json {
                    let told =
                        "another timestamp came under the number of the trusted one: ask the publisher";
                    output.line(format_args!("{name}: {}", output.paint(Paint::Yellow, told)))?;
                }
                for (list, came) in &pulled.lists {
                    if came.is_err() {
                        exit = Exit::Failed;
                    }
                    tell(&mut output, name, list, came, style)?;
                }
            }
            Err(error) => {
                exit = Exit::Failed;
                if style.json {
                    output.json(&json!({"subscription": name, "error": format!("{error:#}")}))?;
                } else {
                    let told = output.paint(Paint::Red, format_args!("{error:#}"));
                    output.line(format_args!("{name}: {told}"))?;
                }
            }
        }
    }
    Ok(exit)
}

/// Tells what came of one list.
fn tell<W: std::io::Write>(
    output: &mut Output<W>,
    name: &str,
    list: &ListId,
    came: &Result<PulledList>,
    style: Style,
) -> Result<()> {
    match came {
        Ok(PulledList { newest, applied, held }) => {
            let (release, entries, is_held) = (newest.release, newest.entries, held.is_some());
            let applied = status::applied(applied);
            if style.json {
                output.json(&json!({
                    "subscription": name, "list": list, "release": release, "entries": entries,
                    "applied": applied.json(), "held": is_held,
                }))?;
            } else {
                let entries = counted(entries, "entry", "entries");
                let held = if is_held { ", held" } else { "" };
                output.line(format_args!("{name}: {list}: release {release}, {entries}, {applied}{held}"))?;
            }
        }
        Err(error) if style.json => {
            output.json(&json!({"subscription": name, "list": list, "error": format!("{error:#}")}))?;
        }
        Err(error) => {
            let told = output.paint(Paint::Red, format_args!("{error:#}"));
            output.line(format_args!("{name}: {list}: {told}"))?;
        }
    }
    Ok(())
}
