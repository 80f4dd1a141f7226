//! Repositories on web servers.

use std::io::Read;

use hashward_fetch::{Web, WebError};
use hashward_tuf::{Area, RepoPath, Transport, TransportError};

/// Reads a repository from a web server.
pub(crate) struct WebTransport {
    web: Web,
    metadata: String,
    targets: String,
}

impl WebTransport {
    /// With the URLs of its two folders.
    pub(crate) fn new(web: Web, metadata: &str, targets: &str) -> Self {
        let folder = |url: &str| format!("{}/", url.trim_end_matches('/'));
        Self { web, metadata: folder(metadata), targets: folder(targets) }
    }
}

impl Transport for WebTransport {
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError> {
        let folder = match path.area() {
            Area::Metadata => &self.metadata,
            Area::Targets => &self.targets,
        };
        self.web.get(&format!("{folder}{}", path.url()), offset_bytes).map_err(|error| match error {
            WebError::NotFound { .. } => TransportError::NotFound,
            WebError::Refused { why } => TransportError::Refused { why },
            WebError::Unavailable { why } => TransportError::Unavailable { why },
        })
    }
}
