//! `validate`: syntax, then topology, then environment.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use crate::cli::{Global, ValidateStage};
use crate::config::{self, AlertsKind, Config, ConfigError, Finding, SourceKind, topology};
use crate::exit::Exit;
use crate::output::{Output, Paint, Style};
use crate::{lists, shares, wiring};

/// Checks stage by stage. A stage with findings is the last one: what comes after would only repeat them.
pub(crate) fn validate(global: &Global, last: ValidateStage, style: Style) -> Result<Exit> {
    let mut output = Output::stdout(style.color);
    let mut tell = |stage: &str, findings: &[Finding]| -> Result<bool> {
        if style.json {
            for found in findings {
                let Finding { place, key, what } = found;
                output.json(&json!({"stage": stage, "place": place, "key": key, "finding": what}))?;
            }
            output.json(&json!({"stage": stage, "ok": findings.is_empty()}))?;
            return Ok(findings.is_empty());
        }
        if findings.is_empty() {
            let ok = output.paint(Paint::Green, "ok");
            output.line(format_args!("{stage:<12} {ok}"))?;
        } else {
            let bad = output.paint(Paint::Red, "failed");
            output.line(format_args!("{stage:<12} {bad}"))?;
        }
        for found in findings {
            output.line(format_args!("  {found}"))?;
        }
        Ok(findings.is_empty())
    };
    let loaded = global.sources().map_err(ConfigError::from).and_then(|sources| config::load(&sources));
    let config = match loaded {
        Ok(config) => config,
        Err(ConfigError(findings)) => {
            tell("syntax", &findings)?;
            return Ok(Exit::Failed);
        }
    };
    if !tell("syntax", &[])? {
        return Ok(Exit::Failed);
    }
    if last >= ValidateStage::Topology && !tell("topology", &topology::check(&config))? {
        return Ok(Exit::Failed);
    }
    if last >= ValidateStage::Environment && !tell("environment", &environment(&config))? {
        return Ok(Exit::Failed);
    }
    Ok(Exit::Success)
}

/// Everything around the configuration that is not as it says.
fn environment(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(lists::problems(config).into_iter().map(|problem| Finding::of("lists.files", problem)));
    let rollout = &config.policy.rollout;
    // The lists are loaded once more only where somebody has to know their ids.
    if findings.is_empty()
        && rollout.lists().next().is_some()
        && let Ok(loaded) = lists::load(config)
    {
        findings.extend(shares::strangers(rollout, &loaded.snapshot));
    }
    if config.source == SourceKind::Inbox {
        folder_is_writable("inbox.directory", &config.inbox.directory, &mut findings);
    }
    if config.alerts.kind == AlertsKind::File {
        file_is_writable("alerts.file", &config.alerts.file, &mut findings);
        file_is_writable("alerts.quarantine_file", &config.alerts.quarantine_file, &mut findings);
    }
    if let Some(address) = config.http
        && let Err(error) = TcpListener::bind(address)
    {
        findings.push(Finding::of("http.listen", format_args!("{address} cannot be listened on: {error}")));
    }
    if let Some(gate) = &config.gate {
        findings.extend(crate::gate::problems(gate));
    }
    for root in &config.references.file_roots {
        if !root.is_dir() {
            let what = format_args!("{} is no folder that can be entered", root.display());
            findings.push(Finding::of("references.file_roots", what));
        }
    }
    if let Some(ca_file) = &config.references.ca_file
        && let Err(error) = fs::read(ca_file)
    {
        findings.push(Finding::of("references.ca_file", format_args!("{}: {error}", ca_file.display())));
    }
    findings.extend(wiring::probe(config));
    findings.into_iter().map(|finding| config.places.mark(finding)).collect()
}

/// The folder, or the nearest one above it that exists: `run` makes the rest.
fn nearest_folder(path: &Path) -> PathBuf {
    let start = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let above = start.ancestors().find(|above| above.exists());
    match above {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writing is tried: rights alone do not tell about read-only and full file systems.
fn folder_is_writable(key: &str, folder: &Path, findings: &mut Vec<Finding>) {
    let existing = nearest_folder(folder);
    let probe = existing.join(format!(".hashward-validate-{}", std::process::id()));
    match OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => {
            if let Err(error) = fs::remove_file(&probe) {
                findings.push(Finding::of(key, format_args!("{}: {error}", probe.display())));
            }
        }
        Err(error) => {
            findings
                .push(Finding::of(key, format_args!("{} cannot be written to: {error}", existing.display())));
        }
    }
}

fn file_is_writable(key: &str, file: &Path, findings: &mut Vec<Finding>) {
    if !file.exists() {
        folder_is_writable(key, file.parent().unwrap_or(Path::new(".")), findings);
        return;
    }
    if let Err(error) = OpenOptions::new().append(true).open(file) {
        findings.push(Finding::of(key, format_args!("{} cannot be appended to: {error}", file.display())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_do_not_exist_are_looked_for_above() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(nearest_folder(&dir.path().join("a/b/c")), dir.path());
        assert_eq!(nearest_folder(Path::new("no/such/folder")), Path::new("."));
        let mut findings = Vec::new();
        folder_is_writable("inbox.directory", &dir.path().join("new"), &mut findings);
        file_is_writable("alerts.file", &dir.path().join("new/alerts.ndjson"), &mut findings);
        assert_eq!(findings, []);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        file_is_writable("alerts.file", dir.path(), &mut findings);
        assert_eq!(findings.len(), 1);
    }
}
