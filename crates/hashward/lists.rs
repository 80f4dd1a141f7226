//! From list files to a snapshot.

use std::path::PathBuf;

use anyhow::{Result, bail};
use hashward_core::Generation;
use hashward_engine::Snapshot;
use hashward_list::{BadLines, LoadOptions};

use crate::config::Config;

/// A snapshot, and what is to be said about how it came about.
pub(crate) struct Loaded {
    /// The lists, ready to be asked.
    pub(crate) snapshot: Snapshot,
    /// Each skipped line that is known, as `file:line: what is wrong`.
    pub(crate) warnings: Vec<String>,
}

/// What to do about having no list.
pub(crate) const NO_LIST: &str = "\
no list to match against: an engine without a list protects nobody
  name one:       hashward … --list FILE
  or in a file:   [lists] files = [\"FILE\"]
  or just look:   hashward demo";

/// Loads every configured list.
pub(crate) fn load(config: &Config) -> Result<Loaded> {
    if config.list_files.is_empty() {
        bail!(NO_LIST);
    }
    let options = LoadOptions { skip_bad_lines: config.skip_bad_lines };
    let mut lists = Vec::with_capacity(config.list_files.len());
    let mut warnings = Vec::new();
    for path in &config.list_files {
        let list = hashward_list::load(path, &options)?;
        warnings.extend(skipped(&path.display().to_string(), &list.skipped));
        lists.push(list);
    }
    Ok(Loaded { snapshot: Snapshot::build(Generation(1), lists)?, warnings })
}

/// Everything that keeps the configured lists from being loaded.
pub(crate) fn problems(config: &Config) -> Vec<String> {
    let options = LoadOptions { skip_bad_lines: config.skip_bad_lines };
    let failed = |path: &PathBuf| hashward_list::load(path, &options).err();
    let each: Vec<String> =
        config.list_files.iter().filter_map(failed).map(|error| told(&error.into())).collect();
    if each.is_empty() { load(config).err().iter().map(told).collect() } else { each }
}

/// An error with everything behind it.
fn told(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

fn skipped(path: &str, bad: &BadLines) -> Vec<String> {
    let told = bad.first.iter().map(|line| format!("{path}:{}: skipped: {}", line.line, line.problem));
    let mut warnings: Vec<String> = told.collect();
    let more = bad.count - bad.first.len() as u64;
    if more > 0 {
        warnings.push(format!("{path}: and {more} more bad lines skipped"));
    }
    warnings
}
