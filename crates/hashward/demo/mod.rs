//! `demo`: a harmless list, some files, the real pipeline, and a check that exactly the listed files were
//! found.

mod folder;
mod page;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::Demo;
use crate::config::{self, Config, Flag, FlagValue, Sources};
use crate::control;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, grouped, per_second};
use crate::run::Worker;
use crate::{logging, print};
use folder::Folder;
use sample::Sample;

/// How long the pipeline may take before the demo gives up.
const PATIENCE: Duration = Duration::from_mins(5);
/// Alerts that are shown; the others are in the file.
const ALERTS_SHOWN: usize = 12;

type Out = Output<std::io::Stdout>;

/// Shows everything at work.
pub(crate) fn demo(demo: &Demo, flags: Vec<Flag>, style: Style) -> Result<Exit> {
    let mut output = Output::stdout(style.color);
    let folder = Folder::new(demo.dir.as_deref(), demo.keep)?;
    let config = configuration(folder.path(), flags)?;
    logging::start(&config.log_level, config.log_format, style.color)?;
    let bar = bar(u64::from(demo.files), "making files");
    let sample = sample::make(folder.path(), demo.files, || bar.inc(1))?;
    bar.finish_and_clear();
    if !style.json {
        introduce(&sample, demo.files, &mut output)?;
    }
    let Some(seen) = run(&config, demo.files, &sample)? else {
        output.line("stopped")?;
        return Ok(Exit::Failed);
    };
    let alerts = read_alerts(&config.alerts.file)?;
    check(&sample, &alerts)?;
    if style.json {
        for alert in &alerts {
            output.json(alert)?;
        }
        let seconds = (seen.took.as_secs_f64() * 1000.0).round() / 1000.0;
        let directory = folder.is_kept().then(|| folder.path().display().to_string());
        output.json(&json!({"summary": {
            "files": demo.files, "bytes": sample.bytes, "planted": sample.planted.len(),
            "found": alerts.len(), "seconds": seconds, "directory": directory,
        }}))?;
        return Ok(Exit::Success);
    }
    tell_alerts(&alerts, &config, folder.is_kept(), &mut output)?;
    tell_metrics(&seen, &mut output)?;
    tell_result(&seen, demo.files, &sample, &mut output)?;
    tell_what_next(&folder, &sample, &mut output)?;
    Ok(Exit::Success)
}

/// What was seen of the pipeline while it ran.
struct Seen {
    took: Duration,
    url: String,
    metrics: String,
}

/// The configuration of the demo: the defaults, but for folders, a free port and a quiet log, and then the user's
/// flags.
fn configuration(directory: &Path, flags: Vec<Flag>) -> Result<Config> {
    let text = |path: &Path| path.to_str().map(str::to_owned).context("the folder's path must be UTF-8");
    let settings: [(&str, toml::Value); 10] = [
        ("instance", "demo".into()),
        ("lists.files", vec![text(&sample::list(directory))?].into()),
        ("inbox.directory", text(directory)?.into()),
        // The files are complete before the pipeline starts.
        ("inbox.settle_ms", 0.into()),
        ("alerts.file", text(&directory.join("alerts.ndjson"))?.into()),
        ("alerts.quarantine_file", text(&directory.join("quarantine.ndjson"))?.into()),
        ("alerts.print", false.into()),
        ("http.listen", "127.0.0.1:0".into()),
        ("log.level", "warn".into()),
        ("log.format", "human".into()),
    ];
    let flag = |(key, value): (&str, toml::Value)| Flag {
        name: "demo".to_owned(),
        key: key.to_owned(),
        value: FlagValue::Typed(value),
    };
    let flags = settings.into_iter().map(flag).chain(flags).collect();
    Ok(config::load(&Sources { file: None, environment: Vec::new(), flags })?)
}

/// Runs the pipeline until every file is judged. `None` if the user stopped it before.
fn run(config: &Config, files: u32, sample: &Sample) -> Result<Option<Seen>> {
    let worker = Worker::new(config)?;
    let address = control::start(config.http, &worker.stop, &worker.metrics, &worker.health)?;
    let address = address.context("the demo listens")?;
    let started = Instant::now();
    thread::scope(|scope| {
        let working = scope.spawn(|| worker.work(None));
        let bar = bar(u64::from(files), "judging");
        while worker.metrics.contents_judged() < u64::from(files)
            && !working.is_finished()
            && !worker.stop.is_requested()
            && started.elapsed() < PATIENCE
        {
            bar.set_position(worker.metrics.contents_judged());
            thread::sleep(Duration::from_millis(20));
        }
        bar.finish_and_clear();
        let stopped = worker.stop.is_requested();
        let took = started.elapsed();
        // The last alerts may still be on their way to the disk.
        let metrics = page::wait_for(address, sample.planted.len() as u64);
        worker.stop.request();
        let exit = working.join().map_err(|_| anyhow::anyhow!("the pipeline panicked"))??;
        ensure!(exit == Exit::Success, "the pipeline ended with {exit:?}");
        if stopped {
            return Ok(None);
        }
        Ok(Some(Seen { took, url: format!("http://{address}/metrics"), metrics: metrics? }))
    })
}

fn bar(length: u64, what: &'static str) -> ProgressBar {
    let template = "{prefix:<13} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}";
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    // Hidden by itself where standard error is no terminal.
    ProgressBar::new(length).with_style(style).with_prefix(what)
}

/// Every alert of the file, as CloudEvents.
fn read_alerts(file: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("a line of the alerts file is no JSON"))
        .collect()
}

/// Whether exactly the planted files were found, each with the right action.
fn check(sample: &Sample, alerts: &[Value]) -> Result<()> {
    let mut found = BTreeMap::new();
    for alert in alerts {
        let subject = alert["data"]["content"]["subject"].as_str().context("an alert names no content")?;
        let action = alert["data"]["action"].as_str().context("an alert names no action")?;
        if found.insert(subject, action).is_some() {
            bail!("{subject} has two alerts");
        }
    }
    for (name, action) in &sample.planted {
        match found.remove(name.as_str()) {
            Some(got) if got == *action => {}
            Some(got) => bail!("{name}: the alert says {got}, expected {action}"),
            None => bail!("{name} is listed, and no alert came"),
        }
    }
    match found.keys().next() {
        Some(name) => bail!("{name} is not listed, and an alert came"),
        None => Ok(()),
    }
}

fn introduce(sample: &Sample, files: u32, output: &mut Out) -> Result<()> {
    let (entries, planted) = (grouped(sample.entries), grouped(sample.planted.len() as u64));
    let files = grouped(u64::from(files));
    output.line(format_args!("a harmless list with {entries} entries: demo-sample, which asks to block"))?;
    output.line(format_args!(
        "{files} files of random bytes ({}), {planted} of them listed",
        HumanBytes(sample.bytes)
    ))?;
    Ok(())
}

fn tell_alerts(alerts: &[Value], config: &Config, is_kept: bool, output: &mut Out) -> Result<()> {
    output.line("")?;
    output.line(output.paint(Paint::Bold, "alerts"))?;
    for alert in alerts.iter().take(ALERTS_SHOWN) {
        let line = print::line(alert, output);
        output.line(format_args!("  {line}"))?;
    }
    if let Some(more) = alerts.len().checked_sub(ALERTS_SHOWN).filter(|more| *more > 0) {
        // A file that is about to be removed is no place to send a reader to.
        let place = if is_kept { format!(" in {}", config.alerts.file.display()) } else { String::new() };
        output.line(format_args!("  and {more} more{place}"))?;
    }
    Ok(())
}

fn tell_metrics(seen: &Seen, output: &mut Out) -> Result<()> {
    const SHOWN: [&str; 5] = [
        "hashward_contents_total",
        "hashward_content_bytes_total",
        "hashward_alerts_total",
        "hashward_deliveries_acknowledged_total",
        "hashward_list_entries",
    ];
    output.line("")?;
    output
        .line(output.paint(Paint::Bold, format_args!("metrics, as {} served them while it ran", seen.url)))?;
    let is_shown = |line: &&str| SHOWN.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0");
    for line in seen.metrics.lines().filter(is_shown) {
        output.line(format_args!("  {line}"))?;
    }
    Ok(())
}

fn tell_result(seen: &Seen, files: u32, sample: &Sample, output: &mut Out) -> Result<()> {
    let seconds = seen.took.as_secs_f64();
    let files_rate = grouped(per_second(u64::from(files), seen.took));
    let rate = format!("{files_rate} files/s, {}/s", HumanBytes(per_second(sample.bytes, seen.took)));
    let planted = counted(sample.planted.len() as u64, "listed file", "listed files");
    output.line("")?;
    let result = format_args!("all {planted} found, and nothing else, in {seconds:.1} s ({rate})");
    output.line(output.paint(Paint::Green, result))?;
    Ok(())
}

fn tell_what_next(folder: &Folder, sample: &Sample, output: &mut Out) -> Result<()> {
    output.line("")?;
    let program = program();
    if !folder.is_kept() {
        output.line(
            "the demo's folder is removed now; with --keep it stays. With a list and files of your own:",
        )?;
        output.line(format_args!("  {program} run --list FILE"))?;
        output.line("    then put files into hashward-data/inbox")?;
        output.line(format_args!("  {program} scan --list FILE PATH"))?;
        output.line("    looks through a directory tree once")?;
        return Ok(());
    }
    let path = folder.path();
    let at = |name: &str| quoted(&path.join(name));
    output.line(format_args!("everything is in {}. To go on:", quoted(path)))?;
    output.line(format_args!(
        "  {program} run --list {} --set inbox.directory={} \\",
        quoted(&sample.list),
        quoted(path)
    ))?;
    let (alerts, quarantine) = (at("alerts.ndjson"), at("quarantine.ndjson"));
    output.line(format_args!("    --set alerts.file={alerts} --set alerts.quarantine_file={quarantine}"))?;
    output.line(format_args!("  then put files into {}", at("inbox")))?;
    output.line(format_args!("  {program} scan --list {} {}", quoted(&sample.list), at("held")))?;
    Ok(())
}

/// This program as its user called it: it may not be on the path.
fn program() -> String {
    std::env::args_os().next().map_or_else(|| "hashward".to_owned(), |name| quoted(Path::new(&name)))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
