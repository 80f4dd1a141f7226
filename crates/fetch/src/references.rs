use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hashward_engine::Open;
use hashward_engine::core::Unreadable;

use crate::FetchError;
use crate::file::FileRoots;
use crate::https::Https;
use crate::url::{self, bad};

/// The longest reference that is read, in bytes. Signed URLs of object stores have up to two thousand.
pub const URL_BYTES_MAX: usize = 8192;

/// Where references may lead, and how much patience they are given.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The folders below which `file://` opens files. None: no `file://` at all.
    pub file_roots: Vec<PathBuf>,
    /// The hosts that `https://` asks, as [`crate::HostPattern`] reads them: `media.example.org`,
    /// `*.example.org`, `media.example.org:8443`. None: no `https://` at all.
    pub https_hosts: Vec<String>,
    /// Certificates in PEM that are trusted instead of the bundled ones of the public web: for servers whose
    /// certificates a provider makes itself. To trust both, put both into the file.
    pub ca_file: Option<PathBuf>,
    /// How long resolving a host's name may take, and then connecting to it.
    pub connect_timeout: Duration,
    /// How long one `https://` reference may take in all, from resolving the name to the last byte of the content:
    /// every attempt and the pauses between them, however slowly bytes come.
    pub transfer_timeout: Duration,
    /// How often a server that does not answer, or answers with 429 or 5xx, is asked in all, while there is time.
    /// Once the content has begun to come there is no further attempt.
    pub attempts_max: u32,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            file_roots: Vec::new(),
            https_hosts: Vec::new(),
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            transfer_timeout: Duration::from_mins(5),
            attempts_max: 3,
        }
    }
}

/// Opens what references name. Shared by all threads; connections are kept for the next reference to the same
/// host.
#[derive(Debug)]
pub struct References {
    files: FileRoots,
    https: Https,
}

impl References {
    /// Checks the options, and reads the certificates.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        let limits = [
            ("connect_timeout", options.connect_timeout.is_zero()),
            ("transfer_timeout", options.transfer_timeout.is_zero()),
            ("attempts_max", options.attempts_max == 0),
        ];
        if let Some((what, _)) = limits.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(FetchError::Zero { what });
        }
        let https = Https::new(&options)?;
        Ok(Self { files: FileRoots::new(options.file_roots)?, https })
    }

    /// Opens the content that `url` names, from its first byte.
    ///
    /// Waits for a server up to the configured limits, also between attempts. Reading fails if the content
    /// does not come to its end, so that a part is never taken for the whole.
    pub fn open(&self, url: &str) -> Result<Box<dyn Read + Send>, Unreadable> {
        let reference = url::parse(url, URL_BYTES_MAX)?;
        match reference.scheme.as_str() {
            "file" => Ok(Box::new(self.files.open(reference.rest)?)),
            "https" => self.https.open(reference.rest),
            scheme => Err(bad(format_args!("{scheme}:// is not opened: file:// and https:// are"))),
        }
    }
}

/// A reference as deferred content.
#[derive(Clone, Debug)]
pub struct ReferenceContent {
    /// What opens it.
    pub references: Arc<References>,
    /// The reference as the provider wrote it.
    pub url: String,
}

impl Open for ReferenceContent {
    fn open(&self) -> Result<Box<dyn Read + Send>, Unreadable> {
        self.references.open(&self.url)
    }
}
