//! The wish to stay at a release of a list: releases are not followed until it is taken back.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hashward_core::ListId;
use serde::{Deserialize, Serialize};

use super::folder::Subscription;

/// The longest file that says a wish, in bytes.
const WISH_BYTES_MAX: u64 = 64 * 1024;

/// The wish to stay at a release.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub(crate) struct Held {
    /// The release.
    pub(crate) release: u64,
    /// Who wished it.
    pub(crate) who: String,
    /// Why.
    pub(crate) why: String,
    /// When, RFC 3339.
    pub(crate) since: String,
}

impl Subscription {
    /// Whether there is a wish to stay at a release of `list`.
    pub(crate) fn is_held(&self, list: &ListId) -> Result<bool> {
        let path = self.wish(list);
        path.try_exists().with_context(|| path.display().to_string())
    }

    /// The wish to stay at a release of `list`, if there is one.
    pub(crate) fn held(&self, list: &ListId) -> Result<Option<Held>> {
        let path = self.wish(list);
        let text = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if metadata.len() > WISH_BYTES_MAX => {
                bail!("{}: larger than {WISH_BYTES_MAX} bytes: expected what Hashward wrote", path.display())
            }
            _ => fs::read_to_string(&path).with_context(|| path.display().to_string())?,
        };
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }

    /// Wishes to stay at a release of `list`.
    pub(crate) fn hold(&self, list: &ListId, held: &Held) -> Result<()> {
        let path = self.wish(list);
        let folder = path.parent().expect("a wish stands in its subscription's folder");
        let text = serde_json::to_vec(held).expect("plain data is JSON");
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|failed| failed.error)?;
            sync(folder)
        };
        write().with_context(|| path.display().to_string())
    }

    /// Wishes to follow the releases of `list` again. Says whether it was otherwise.
    pub(crate) fn resume(&self, list: &ListId) -> Result<bool> {
        let path = self.wish(list);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed
                .and_then(|()| sync(path.parent().expect("a wish stands in its subscription's folder")))
                .map(|()| true)
                .with_context(|| path.display().to_string()),
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
