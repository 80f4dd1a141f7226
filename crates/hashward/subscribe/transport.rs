//! Where a publisher's files are read.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use hashward_fetch::{Web, WebOptions};
use hashward_tuf::{FolderTransport, Transport};

use crate::config::Subscriptions;
use crate::release::WebTransport;

/// How long resolving a server's name may take, and then connecting to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What reads at `from`: `https://…`, `http://` on this machine, or a folder.
pub(super) fn of(from: &str, config: &Subscriptions) -> Result<Box<dyn Transport>> {
    if from.starts_with("https://") || from.starts_with("http://") {
        let web = Web::new(&WebOptions {
            ca_file: config.ca_file.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            transfer_timeout: config.pull_timeout,
            plain_http: false,
        })?;
        let base = from.trim_end_matches('/');
        return Ok(Box::new(WebTransport::new(web, &format!("{base}/metadata"), &format!("{base}/targets"))));
    }
    if from.contains("://") || !Path::new(from).is_absolute() {
        bail!("{from:?}: expected https://…, http:// on this machine, or a folder as an absolute path");
    }
    Ok(Box::new(FolderTransport::new(from)))
}
