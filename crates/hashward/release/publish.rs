//! `release publish`: the next release of lists, from their folders into the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use hashward_core::ListId;
use hashward_engine::lists::StepSize;
use hashward_kafka::Announcement;
use hashward_release::{Desk, Header, Plan, Recipients, SnapshotWish, TargetFile, TargetKind, Terms};
use hashward_tuf::desk::{Changes, DeskError, NewTarget, Repository};
use hashward_tuf::{TargetPath, Targets};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::PassphraseArgs;
use super::{draft, evidence, keys};
use crate::config::{Config, Finding};
use crate::exit::Exit;
use crate::list::Who;
use crate::output::{Output, Paint, Style, counted};
use crate::wiring;

/// How long the brokers may take to take an announcement.
const ANNOUNCE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest file with recipients, in bytes.
const RECIPIENTS_BYTES_MAX: u64 = 1 << 20;

/// The end of the help.
pub(super) const HELP: &str = "\
A release is of the state in which each list folder is now. Only what changed since the last one travels. What would
be refused by the guard rails of this configuration (guard.growth_percent_max, guard.removals_percent_max) is not
published: those who follow have such rails too.

With the keys of enough people at hand it is published at once. Else the draft travels: each person adds a signature
with `hashward release sign`, and the last step publishes it.

Examples:
  hashward release publish /srv/lists national --dry-run
  hashward release publish /srv/lists national --draft next.draft --key anna.key
  hashward release sign next.draft --key ben.key --repository /srv/lists --online-key desk.key
  hashward release publish /srv/lists national --draft next.draft --key anna.key --key ben.key --online-key desk.key

Exit codes: 0 done; 2 error, or a guard rail refuses";

/// `publish`.
#[derive(Args, Debug)]
pub(crate) struct Publish {
    /// The repository
    #[arg(value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// The list folders
    #[arg(required = true, value_name = "LISTDIR")]
    pub(super) folders: Vec<PathBuf>,
    /// Shows what the release would change, and what guard rails say of it, and publishes nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The draft to write: it travels to those who sign
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(super) draft: Option<PathBuf>,
    /// A private key to sign with; several
    #[arg(long, value_name = "KEY")]
    pub(super) key: Vec<PathBuf>,
    /// The private key that signs snapshot and timestamp: publishes, if enough have signed
    #[arg(long, value_name = "KEY")]
    pub(super) online_key: Vec<PathBuf>,
    /// After how many days the release is stale, if there is no newer one
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=3660))]
    pub(super) stale_days: u16,
    /// Writes a snapshot too, though deltas would do
    #[arg(long)]
    pub(super) snapshot: bool,
    /// Encrypts to the age recipients in this file, one a line: else whoever has the files can read them
    #[arg(long, value_name = "FILE")]
    pub(super) encrypt_to: Option<PathBuf>,
    /// Says it on the topic `subscriptions.announcements_topic`, once it is published
    #[arg(long, requires = "online_key")]
    pub(super) announce: bool,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(super) who: Who,
}

/// Makes a release, and publishes it if enough have signed.
pub(super) fn publish(config: &Config, arguments: &Publish, style: Style) -> Result<Exit> {
    let repository = Repository::at(&arguments.repository);
    let published = repository.targets()?.with_context(|| {
        format!(
            "{}: nothing is published yet: finish `hashward release init` first",
            arguments.repository.display()
        )
    })?;
    if arguments.announce && config.subscriptions.announcements_topic.is_none() {
        let what = "empty: nothing can be announced without a topic";
        return Err(Finding::of("subscriptions.announcements_topic", what).into());
    }
    let now = Timestamp::now();
    let headers = headers(&published)?;
    let mut output = Output::stdout(style.color);
    let unpublished = tempfile::Builder::new().prefix(".unpublished-").tempdir_in(&arguments.repository);
    let unpublished = unpublished.with_context(|| arguments.repository.display().to_string())?;
    let recipients = recipients(arguments.encrypt_to.as_deref())?;
    let mut changes = Changes::default();
    let mut lists = Vec::new();
    for folder in &arguments.folders {
        let mut desk = Desk::open(folder)?;
        let id = desk.list()?.id;
        let offered = headers.get(&id).map(Vec::as_slice).unwrap_or_default();
        let plan = desk.plan(newest(offered), &terms(arguments, now)?)?;
        tell_plan(&mut output, &plan, style)?;
        verify_rails(config, &plan)?;
        if arguments.dry_run {
            continue;
        }
        let files = plan.write(unpublished.path(), &recipients)?;
        changes.remove.extend(outdated(offered, &files)?);
        for file in files {
            changes.put.push(new_target(file)?);
        }
        lists.push(id.to_string());
    }
    let Some(path) = arguments.draft.as_deref().filter(|_| !arguments.dry_run) else {
        return Ok(Exit::Success);
    };
    let private_keys = keys::read_privates(&arguments.key, &arguments.passphrase)?;
    let online = keys::read_privates(&arguments.online_key, &arguments.passphrase)?;
    let mut made = repository.plan(&changes, now)?;
    for (key, path) in private_keys.iter().zip(&arguments.key) {
        made.sign(key).with_context(|| path.display().to_string())?;
        evidence::signed(config, &arguments.who, &made, key.id())?;
    }
    // The files first: nobody sees them until the draft that names them is published.
    repository.place(&changes)?;
    draft::replace(path, &made)?;
    if online.is_empty() {
        draft::tell(path, &made, style)?;
        return Ok(Exit::Success);
    }
    evidence::published(config, &arguments.who, &made, Some(&published))?;
    let done = match repository.finish(&made, &online, Timestamp::now()) {
        Err(error @ DeskError::SignatureMissing { .. }) => {
            bail!("{error}; {} waits for them: `hashward release sign`", path.display())
        }
        done => done?,
    };
    draft::tell_published(&arguments.repository, done, style)?;
    if arguments.announce {
        announce(config, &Announcement { lists, version: done.targets_version })?;
    }
    Ok(Exit::Success)
}

/// The headers of all targets that are ours, by list.
fn headers(published: &Targets) -> Result<BTreeMap<ListId, Vec<Header>>> {
    let mut headers: BTreeMap<ListId, Vec<Header>> = BTreeMap::new();
    for (path, target) in &published.targets {
        if let Some(custom) = &target.custom
            && let Some(header) = Header::parse_ours(custom).with_context(|| format!("target {path}"))?
        {
            headers.entry(header.list.id.clone()).or_default().push(header);
        }
    }
    Ok(headers)
}

fn newest(offered: &[Header]) -> Option<&Header> {
    offered.iter().max_by_key(|header| header.release)
}

fn terms(arguments: &Publish, now: Timestamp) -> Result<Terms> {
    let lifetime = SignedDuration::from_hours(24 * i64::from(arguments.stale_days));
    let snapshot = if arguments.snapshot { SnapshotWish::Now } else { SnapshotWish::WhenDue };
    Ok(Terms { created: now, expires: now.checked_add(lifetime)?, snapshot })
}

/// What a release with `files` makes needless of what was offered: whatever comes before the last snapshot but one. So who
/// slept for long still finds deltas, and what is listed stays bounded.
fn outdated(offered: &[Header], files: &[TargetFile]) -> Result<Vec<TargetPath>> {
    if !files.iter().any(|file| file.header.kind == TargetKind::Snapshot) {
        return Ok(Vec::new());
    }
    let snapshots = offered.iter().filter(|header| header.kind == TargetKind::Snapshot);
    let Some(kept) = snapshots.map(|header| header.release).max() else { return Ok(Vec::new()) };
    let is_outdated = |header: &&Header| match header.kind {
        TargetKind::Snapshot => header.release < kept,
        TargetKind::Delta => header.release <= kept,
    };
    offered.iter().filter(is_outdated).map(|header| Ok(header.target_name().parse()?)).collect()
}

fn new_target(file: TargetFile) -> Result<NewTarget> {
    let TargetFile { name, path, length_bytes, sha256, header } = file;
    Ok(NewTarget {
        path: name.parse()?,
        file: path,
        length: length_bytes,
        sha256,
        custom: Some(header.to_json()),
    })
}

fn recipients(file: Option<&Path>) -> Result<Recipients> {
    let Some(file) = file else { return Ok(Recipients::default()) };
    let shown = || file.display().to_string();
    if fs::metadata(file).with_context(shown)?.len() > RECIPIENTS_BYTES_MAX {
        bail!("{}: larger than {RECIPIENTS_BYTES_MAX} bytes: expected age recipients, one a line", shown());
    }
    let text = fs::read_to_string(file).with_context(shown)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let recipients = Recipients::parse(lines).with_context(shown)?;
    if recipients.is_empty() {
        bail!("{}: holds no age recipient: expected one that begins with age1", shown());
    }
    Ok(recipients)
}

/// Those who follow have guard rails too: what ours refuse would not be taken.
fn verify_rails(config: &Config, plan: &Plan<'_>) -> Result<()> {
    let step = plan.step();
    let size = StepSize { before: step.before, added: step.added, removed: step.withdrawn };
    // The first release has nothing to be held against.
    if step.before > 0
        && let Err(refusal) = config.guard.caps.check(size)
    {
        bail!("list {}: a guard rail refuses release {}: {refusal}", plan.list().id, plan.release());
    }
    Ok(())
}

fn tell_plan<W: std::io::Write>(output: &mut Output<W>, plan: &Plan<'_>, style: Style) -> Result<()> {
    let (list, release, entries, step) = (&plan.list().id, plan.release(), plan.entries(), plan.step());
    if style.json {
        output.json(&json!({
            "list": list, "release": release, "entries": entries, "before": step.before, "added": step.added,
            "changed": step.changed, "withdrawn": step.withdrawn, "unchanged": plan.is_unchanged(),
            "snapshot": plan.has_snapshot(), "delta": plan.has_delta(),
        }))?;
        return Ok(());
    }
    let files = match (plan.has_snapshot(), plan.has_delta()) {
        (true, true) => "a snapshot and a delta",
        (true, false) => "a snapshot",
        _ => "a delta",
    };
    let told =
        format!("{} added, {} changed, {} withdrawn; {files}", step.added, step.changed, step.withdrawn);
    let told = if plan.is_unchanged() { output.paint(Paint::Dim, told) } else { told };
    output
        .line(format_args!("{list}: release {release}, {}: {told}", counted(entries, "entry", "entries")))?;
    Ok(())
}

/// Tells all workers that there is something new.
fn announce(config: &Config, announcement: &Announcement) -> Result<()> {
    let topic = config.subscriptions.announcements_topic.as_ref().expect("it was asked for before");
    let options = wiring::kafka_options(config);
    hashward_kafka::announce(&options, topic, announcement, ANNOUNCE_TIMEOUT)
        .context("it is published; announcing it")
}
