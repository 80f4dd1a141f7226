//! `generations`: shows the kept generations of the lists, goes back to one, and follows the lists again.

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use hashward_core::Generation;
use hashward_engine::lists::ListIndex;
use hashward_evidence::What;
use jiff::Timestamp;
use serde_json::json;

use crate::config::Config;
use crate::evidence;
use crate::exit::Exit;
use crate::list::Who;
use crate::lists::kept::{Held, Kept};
use crate::lists::key;
use crate::output::{Output, Paint, Style, counted, tame};

/// The end of the group's help.
pub(crate) const HELP: &str = "\
The folder is lists.generations_dir of the configuration, or --set lists.generations_dir=DIR. A running worker
follows within lists.watch_ms: it swaps the generation in under a new number, and content keeps flowing.

Examples:
  hashward generations show --config /etc/hashward/hashward.toml
  hashward generations rollback 41 --reason 'state 17 of national lists wallpapers'
  hashward generations resume";

/// What to do with kept generations.
#[derive(Debug, Subcommand)]
pub(crate) enum GenerationsCommand {
    /// Shows the kept generations
    Show,
    /// Goes back to a kept generation, and stays there until `resume`
    Rollback(Rollback),
    /// Follows the lists again
    Resume(Resume),
}

/// `resume`.
#[derive(Args, Debug)]
pub(crate) struct Resume {
    #[command(flatten)]
    who: Who,
}

/// `rollback`.
#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// The generation's number
    #[arg(value_name = "N")]
    generation: u64,
    /// Why
    #[arg(long, alias = "why", value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    who: Who,
}

/// Does what was asked.
pub(crate) fn generations(config: &Config, command: &GenerationsCommand, style: Style) -> Result<Exit> {
    let Some(folder) = &config.lists.generations_dir else {
        bail!("no generation is kept: expected lists.generations_dir = \"DIR\"");
    };
    if !folder.is_dir() {
        bail!("{}: there is no such folder: no worker has kept a generation there yet", folder.display());
    }
    let kept = Kept::open(folder, config.lists.generations_kept)?;
    match command {
        GenerationsCommand::Show => show(config, &kept, style),
        GenerationsCommand::Rollback(arguments) => rollback(config, &kept, arguments, style),
        GenerationsCommand::Resume(arguments) => resume(config, &kept, arguments, style),
    }
}

fn show(config: &Config, kept: &Kept, style: Style) -> Result<Exit> {
    let key = key::find(config.lists.key_file.as_deref())?.context(key::NO_KEY)?;
    let held = kept.held()?;
    let mut output = Output::stdout(style.color);
    for generation in kept.all()? {
        let is_held = held.as_ref().is_some_and(|held| held.generation == generation.0);
        let opened = ListIndex::open(&kept.file(generation), &key);
        if style.json {
            let lists = opened.as_ref().map(|index| {
                let listed = |list: &hashward_engine::LoadedList| json!({"list": list.info.id, "entries": list.entries});
                index.lists().iter().map(listed).collect::<Vec<_>>()
            });
            let problem = opened.as_ref().err().map(ToString::to_string);
            output.json(&json!({
                "generation": generation, "held": is_held, "lists": lists.ok(), "problem": problem,
            }))?;
            continue;
        }
        let said = match &opened {
            Ok(index) => {
                let listed = |list: &hashward_engine::LoadedList| {
                    format!("{} ({})", list.info.id, counted(list.entries, "entry", "entries"))
                };
                index.lists().iter().map(listed).collect::<Vec<_>>().join(", ")
            }
            Err(error) => output.paint(Paint::Red, error),
        };
        let mark = if is_held { output.paint(Paint::Yellow, "  held") } else { String::new() };
        output.line(format_args!("{generation:>6}  {said}{mark}"))?;
    }
    if let Some(Held { generation, who, why, since }) = held.filter(|_| !style.json) {
        output.line(format_args!("held at {generation} since {since} by {}: {}", tame(&who), tame(&why)))?;
    }
    Ok(Exit::Success)
}

fn rollback(config: &Config, kept: &Kept, arguments: &Rollback, style: Style) -> Result<Exit> {
    let step = arguments.who.step(arguments.reason.clone())?;
    let generation = Generation(arguments.generation);
    let held = Held {
        generation: generation.0,
        who: step.who,
        why: step.why,
        since: format!("{:.0}", Timestamp::now()),
    };
    if kept.all()?.contains(&generation) {
        // A generation that cannot be opened would leave the worker where it is, with nobody knowing why.
        let key = key::find(config.lists.key_file.as_deref())?.context(key::NO_KEY)?;
        ListIndex::open(&kept.file(generation), &key)?.verify()?;
    }
    kept.check_holdable(generation)?;
    let (generation_held, reason) = (Some(generation), held.why.clone());
    let what = What::RolledBack { list: None, generation: generation_held, release: None, reason };
    evidence::record(config.evidence.as_ref(), &held.who, what)?;
    kept.hold(&held)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"held": generation}))?;
    } else {
        output.line(format_args!("held at generation {generation} until `hashward generations resume`"))?;
    }
    Ok(Exit::Success)
}

fn resume(config: &Config, kept: &Kept, arguments: &Resume, style: Style) -> Result<Exit> {
    if config.evidence.is_some() && kept.held()?.is_some() {
        let who = arguments.who.step(String::new())?.who;
        evidence::record(config.evidence.as_ref(), &who, What::Resumed { list: None })?;
    }
    let was_held = kept.resume()?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"held": null, "was_held": was_held}))?;
    } else {
        output.line(if was_held { "the lists are followed again" } else { "nothing was held" })?;
    }
    Ok(Exit::Success)
}
