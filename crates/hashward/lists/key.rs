//! The key under which lists are sealed.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};
use hashward_index::SealKey;
use hashward_release::{REPLICA_PURPOSE, ReplicaKey};

/// The variable that holds the key where no file does.
pub(crate) const KEY_VARIABLE: &str = "HASHWARD_SEAL_KEY";

/// What to do about having no key.
pub(crate) const NO_KEY: &str = "\
no key: expected the one that seals this deployment's lists
  make one:       hashward list key FILE
  name its file:  lists.key_file = \"FILE\", or --key-file FILE
  or give it in:  HASHWARD_SEAL_KEY";

/// The deployment's key: from `file`, else from the environment, else there is none.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<SealKey>> {
    if let Some(file) = file {
        return Ok(Some(SealKey::from_file(file)?));
    }
    match env::var(KEY_VARIABLE) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(SealKey::from_text(&text, KEY_VARIABLE)?)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("{KEY_VARIABLE}: expected 64 hexadecimal digits"),
    }
}

/// The key of the replicas of a deployment.
pub(crate) fn of_replicas(key: &SealKey) -> ReplicaKey {
    ReplicaKey::new(key.derive(REPLICA_PURPOSE))
}
