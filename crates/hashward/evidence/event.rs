//! An alert as it was delivered, and where the log names it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hashward_core::AlertId;
use hashward_evidence::{Hash, LogFolder, Record, What, alert_hash, alert_id};
use serde_json::Value;

/// The longest alert that is read.
const EVENT_BYTES_MAX: u64 = 16 << 20;
/// So many entries of one alert are told.
const FOUND_MAX: usize = 10;

/// What binds an alert to its entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Event {
    /// The alert's id.
    pub(super) alert: AlertId,
    /// The hash of the whole alert.
    pub(super) sha256: Hash,
}

impl Event {
    /// Reads an alert, or the event that carries one.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = || path.display().to_string();
        let mut text = Vec::new();
        if path == Path::new("-") {
            io::stdin().lock().take(EVENT_BYTES_MAX + 1).read_to_end(&mut text)
        } else {
            File::open(path).and_then(|file| file.take(EVENT_BYTES_MAX + 1).read_to_end(&mut text))
        }
        .with_context(shown)?;
        if text.len() as u64 > EVENT_BYTES_MAX {
            bail!("{}: more than {EVENT_BYTES_MAX} bytes: expected one alert", shown());
        }
        let event: Value = serde_json::from_slice(&text)
            .with_context(|| format!("{}: expected the JSON of one alert", shown()))?;
        let alert =
            alert_id(&event).with_context(|| format!("{}: expected an alert with its alert_id", shown()))?;
        Ok(Self { alert, sha256: alert_hash(&event) })
    }

    /// Whether an entry is about just this alert.
    pub(super) fn is_in(&self, entry: &[u8]) -> bool {
        let about = |record: Record| match record.what {
            What::Alert { alert, sha256 } => Self { alert, sha256 } == *self,
            _ => false,
        };
        Record::from_entry(entry).is_some_and(about)
    }
}

/// The number of the one entry for which `is_it` holds.
pub(super) fn find(folder: &LogFolder, size: u64, is_it: impl Fn(&[u8]) -> bool) -> Result<u64> {
    let mut found = Vec::new();
    for entry in folder.entries(0, size) {
        let (index, entry) = entry?;
        if is_it(&entry) {
            found.push(index);
        }
    }
    match found[..] {
        [] => bail!("{}: no entry is about this alert", folder.path().display()),
        [index] => Ok(index),
        _ => {
            let numbers: Vec<String> = found.iter().take(FOUND_MAX).map(u64::to_string).collect();
            let (count, numbers) = (found.len(), numbers.join(", "));
            bail!(
                "{count} entries are about this alert, which was judged again after a crash: {numbers}; name the one with \
                 --event FILE, or with --index N"
            )
        }
    }
}

/// Whether an entry is about an alert of this id.
pub(super) fn names(entry: &[u8], id: AlertId) -> bool {
    let about = |record: Record| matches!(record.what, What::Alert { alert, .. } if alert == id);
    Record::from_entry(entry).is_some_and(about)
}
