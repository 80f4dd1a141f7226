//! `subscribe`: takes up the lists that others publish as signed releases.

mod args;
mod errands;
mod follow;
mod look;
mod pull;
mod status;
mod transport;
pub(crate) mod worker;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hashward_core::ListId;
use hashward_evidence::{Hash, What};
use hashward_list::store::StepInfo;
use hashward_release::{Identities, ReleaseError, Replica, ReplicaKey, ReplicaReader};
use hashward_tuf::Store;
use jiff::Timestamp;
use serde_json::json;

use args::{Add, Named, OfList, Remove, Resume, Rollback};
pub(crate) use args::{HELP, SubscribeCommand};
pub(crate) use pull::{Pulled, Puller};

use crate::config::{Config, Subscriptions};
use crate::evidence::record;
use crate::exit::Exit;
use crate::lists::key;
use crate::output::{Output, Style, tame};
use crate::subscriptions::{Held, Manifest, Subscription};

/// The largest root, in bytes.
const ROOT_BYTES_MAX: u64 = 512 << 10;

/// Does what was asked.
pub(crate) fn subscribe(config: &Config, command: &SubscribeCommand, style: Style) -> Result<Exit> {
    let Some(directory) = &config.subscriptions.directory else {
        bail!("no folder for subscriptions: expected subscriptions.directory = \"DIR\"");
    };
    match command {
        SubscribeCommand::Add(arguments) => add(config, directory, arguments, style),
        SubscribeCommand::Pull(arguments) => look::look(config, directory, arguments, style),
        SubscribeCommand::Status(arguments) => status::status(config, directory, arguments, style),
        SubscribeCommand::Rollback(arguments) => roll_back(config, directory, arguments, style),
        SubscribeCommand::Resume(arguments) => resume(config, directory, arguments, style),
        SubscribeCommand::Remove(arguments) => remove(config, directory, arguments, style),
    }
}

/// The key under which replicas are sealed, derived from the deployment's.
pub(crate) fn replica_key(config: &Config) -> Result<ReplicaKey> {
    let key = key::find(config.lists.key_file.as_deref())?;
    let key = key.with_context(|| format!("subscriptions are kept sealed: {}", key::NO_KEY))?;
    Ok(key::of_replicas(&key))
}

/// What pulls by this configuration.
pub(crate) fn puller(config: &Config) -> Result<Puller> {
    let Subscriptions { identity_file, pull_timeout, file_bytes_max, .. } = &config.subscriptions;
    let identities = match identity_file {
        Some(file) => Identities::from_file(file)?,
        None => Identities::default(),
    };
    let (timeout, file_bytes_max) = (*pull_timeout, *file_bytes_max);
    let (evidence, instance) = (config.evidence.clone(), config.instance.clone());
    Ok(Puller { key: replica_key(config)?, identities, timeout, file_bytes_max, evidence, instance })
}

/// One look at a subscription's publisher.
pub(crate) fn pull(config: &Config, puller: &Puller, subscription: &Subscription) -> Result<Pulled> {
    let transport = transport::of(&subscription.manifest.from, &config.subscriptions)?;
    puller.pull(subscription, transport)
}

/// The subscription that is named, or all.
fn named(directory: &Path, arguments: &Named) -> Result<Vec<Subscription>> {
    match &arguments.name {
        Some(name) => Ok(vec![Subscription::open(directory, name)?]),
        None => Subscription::all(directory),
    }
}

fn add(config: &Config, directory: &Path, arguments: &Add, style: Style) -> Result<Exit> {
    // What cannot be opened later is told now.
    transport::of(&arguments.from, &config.subscriptions)?;
    puller(config)?;
    let mut root = Vec::new();
    let shown = || arguments.root.display().to_string();
    File::open(&arguments.root)
        .and_then(|file| file.take(ROOT_BYTES_MAX + 1).read_to_end(&mut root))
        .with_context(shown)?;
    if root.len() as u64 > ROOT_BYTES_MAX {
        bail!("{}: larger than {ROOT_BYTES_MAX} bytes: expected a root", shown());
    }
    let since = format!("{:.0}", Timestamp::now());
    let manifest = Manifest { from: arguments.from.clone(), lists: arguments.take.clone(), since };
    let begin = |trusted: &Path| Store::open(trusted).begin(&root).with_context(shown);
    let subscription = Subscription::add(directory, &arguments.name, manifest, begin)?;
    let fingerprint = Hash::of(&root).to_string();
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"subscription": subscription.name, "root_sha256": fingerprint}))?;
    } else {
        output.line(format_args!("subscribed to {} as {}", tame(&arguments.from), subscription.name))?;
        output.line(format_args!("everything rests on the root with the sha-256 {fingerprint}"))?;
        output.line(
            "compare it with what the publisher says by another way; `hashward subscribe pull` fetches",
        )?;
    }
    Ok(Exit::Success)
}

fn roll_back(config: &Config, directory: &Path, arguments: &Rollback, style: Style) -> Result<Exit> {
    let OfList { name, id: list } = &arguments.of;
    let subscription = Subscription::open(directory, name)?;
    taken(&subscription, list)?;
    let (folder, key, release) = (subscription.replica(list), replica_key(config)?, arguments.to);
    let kept =
        ReplicaReader::open(&folder, &key)?.kept()?.iter().map(|header| header.release).collect::<Vec<_>>();
    if !kept.contains(&release) {
        return Err(ReleaseError::NotKept { release, kept }.into());
    }
    let StepInfo { who, why, when } = arguments.who.step(arguments.reason.clone())?;
    let what = What::RolledBack {
        list: Some(list.clone()),
        generation: None,
        release: Some(release),
        reason: why.clone(),
    };
    record(config.evidence.as_ref(), &who, what)?;
    // First the wish, whoever pulls: nothing is applied after it, and what was applied meanwhile is gone back from.
    subscription.hold(list, &Held { release, who, why, since: format!("{when:.0}") })?;
    let is_back = match subscription.lock()? {
        Some(_lock) => Replica::open(&folder, list, &key)?.roll_back(release).map(|_| true)?,
        None => false,
    };
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"subscription": name, "list": list, "held": release, "is_back": is_back}))?;
    } else {
        output.line(format_args!(
            "{name}: {list} is held at release {release} until `hashward subscribe resume {name} --of {list}`"
        ))?;
        if !is_back {
            output.line("it is being pulled right now, and goes back with the next look")?;
        }
    }
    Ok(Exit::Success)
}

fn resume(config: &Config, directory: &Path, arguments: &Resume, style: Style) -> Result<Exit> {
    let OfList { name, id: list } = &arguments.of;
    let subscription = Subscription::open(directory, name)?;
    taken(&subscription, list)?;
    if subscription.is_held(list)? && config.evidence.is_some() {
        let who = arguments.who.step(String::new())?.who;
        record(config.evidence.as_ref(), &who, What::Resumed { list: Some(list.clone()) })?;
    }
    let was_held = subscription.resume(list)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"subscription": name, "list": list, "held": null, "was_held": was_held}))?;
    } else {
        let told = if was_held { "its releases are followed again" } else { "it was not held" };
        output.line(format_args!("{name}: {list}: {told}"))?;
    }
    Ok(Exit::Success)
}

fn taken(subscription: &Subscription, list: &ListId) -> Result<()> {
    let taken = subscription.taken()?;
    if taken.contains(list) {
        return Ok(());
    }
    let known: Vec<&str> = taken.iter().map(ListId::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    bail!("{}: the list {list} was not taken: taken are {known}", subscription.name)
}

fn remove(config: &Config, directory: &Path, arguments: &Remove, style: Style) -> Result<Exit> {
    let Remove { name, reason, who } = arguments;
    if config.evidence.is_some() {
        let who = who.step(String::new())?.who;
        // Of one that cannot be read nobody knows any more which lists it had.
        let lists = Subscription::open(directory, name).and_then(|subscription| subscription.taken());
        for list in lists.unwrap_or_default() {
            record(config.evidence.as_ref(), &who, What::ListRemoved { list, reason: reason.clone() })?;
        }
    }
    Subscription::remove(directory, name)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"removed": name}))?;
    } else {
        output.line(format_args!("{name} is removed; a worker that runs matches against it no more"))?;
    }
    Ok(Exit::Success)
}
