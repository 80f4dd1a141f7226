//! Where a publisher's files are read.

use std::path::Path;

use anyhow::{Result, bail};
use hashward_tuf::{FolderTransport, Transport};

use crate::config::Subscriptions;

/// What reads at `from`: `https://…`, `http://` on this machine, or a folder.
pub(super) fn of(from: &str, _config: &Subscriptions) -> Result<Box<dyn Transport>> {
    if from.contains("://") {
        bail!("{from}: expected a folder");
    }
    if !Path::new(from).is_absolute() {
        bail!("{from}: expected https://…, or a folder as an absolute path");
    }
    Ok(Box::new(FolderTransport::new(from)))
}
