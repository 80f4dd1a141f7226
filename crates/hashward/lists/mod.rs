//! The configured lists: loaded once, or watched and swapped while content flows.

pub(crate) mod kept;
pub(crate) mod key;
mod loader;
mod source;
mod teller;
mod warnings;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use hashward_engine::Snapshot;

use crate::config::Config;

pub(crate) use loader::{First, Keeping, Loader};
pub(crate) use source::Kind;
pub(crate) use teller::Teller;
pub(crate) use watch::{Told, Waker, watch};

/// A snapshot, and what is to be said about how it came about.
pub(crate) struct Loaded {
    /// The lists, ready to be asked.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Each skipped line that is known, as `file:line: what is wrong`, and what was held back.
    pub(crate) warnings: Vec<String>,
}

/// What to do about having no list.
pub(crate) const NO_LIST: &str = "\
no list to match against: an engine without a list protects nobody
  name one:       hashward … --list FILE
  or in a file:   [lists] files = [\"FILE\"]
  or just look:   hashward demo";

/// Loads every configured list, for this process alone.
pub(crate) fn load(config: &Config) -> Result<Loaded> {
    let mut loader = Loader::new(config, Keeping::Nothing)?;
    let snapshot = loader.first()?.snapshot;
    Ok(Loaded { snapshot, warnings: loader.take_warnings() })
}

/// Everything that keeps the configured lists from being loaded.
pub(crate) fn problems(config: &Config) -> Vec<String> {
    let alone = |path: &PathBuf| {
        let mut alone = config.clone();
        alone.lists.files = vec![path.clone()];
        load(&alone).err()
    };
    let each: Vec<String> = config.lists.files.iter().filter_map(alone).map(|error| told(&error)).collect();
    if each.is_empty() { load(config).err().iter().map(told).collect() } else { each }
}

/// An error with everything behind it.
pub(crate) fn told(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
