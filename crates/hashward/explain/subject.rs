//! What `explain` is asked about: a file, or a digest.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hashward_core::Digest;

use crate::digest_text::parse_digest;
use crate::output::tame;

/// A file or a digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    /// A file.
    File(PathBuf),
    /// A digest.
    Digest(Digest),
}

impl Subject {
    /// A file of that name goes before a digest.
    pub(crate) fn parse(argument: &Path) -> Result<Self> {
        if fs::metadata(argument).is_ok() {
            return Ok(Self::File(argument.to_owned()));
        }
        let shown = tame(&argument.to_string_lossy());
        match argument.to_str().map(parse_digest) {
            Some(Ok(digest)) => Ok(Self::Digest(digest)),
            Some(Err(problem)) => bail!("{shown}: there is no such file, and it is no digest: {problem}"),
            None => bail!("{shown}: there is no such file"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Digest(digest) => write!(f, "{}:{}", digest.algorithm(), digest.to_hex()),
        }
    }
}

/// Opens a file that the user named, through links.
pub(crate) fn open(path: &Path) -> Result<File> {
    let real = fs::canonicalize(path).with_context(|| path.display().to_string())?;
    hashward_local::open_file(&real).with_context(|| path.display().to_string())
}
