//! The configured log, opened to be appended to.

use anyhow::{Context as _, Result};
use hashward_evidence::{AuditLog, EvidenceError, LogFolder, PrivateKey, Record, What};
use jiff::Timestamp;

use crate::config::Evidence;

/// Opens the log.
pub(super) fn open(at: &Evidence) -> Result<AuditLog, EvidenceError> {
    AuditLog::open(&at.directory, PrivateKey::from_file(&at.key_file)?)
}

/// Records what somebody does now, if there is a log; returns when it is durable. To be called before it is done: what
/// is not on record does not happen.
pub(crate) fn record(at: Option<&Evidence>, who: &str, what: What) -> Result<()> {
    let Some(at) = at else { return Ok(()) };
    let record = Record { when: Timestamp::now(), who: who.to_owned(), what };
    open(at)
        .and_then(|mut log| log.append(&[record]))
        .map(drop)
        .context("nothing was changed, because it cannot be recorded in the evidence log")
}

/// What is wrong with the configured log, for whoever only looks.
pub(crate) fn problem(at: &Evidence) -> Option<EvidenceError> {
    let look = || {
        let private = PrivateKey::from_file(&at.key_file)?;
        let checkpoint = LogFolder::open(&at.directory)?.checkpoint()?;
        let key = private.verifier(checkpoint.claim().origin.clone());
        checkpoint.signed_by(&key, at.directory.display().to_string()).map(drop)
    };
    look().err()
}
