//! Subscriptions on disk: what was subscribed to, and what was taken of it.

mod folder;
mod held;

use std::path::{Path, PathBuf};

use anyhow::Result;
use hashward_release::replica_state;

pub(crate) use folder::{Manifest, Subscription};
pub(crate) use held::Held;

/// The replicas in `directory` that hold a release, of all subscriptions.
pub(crate) fn replicas(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut replicas = Vec::new();
    for subscription in Subscription::all(directory)? {
        for list in subscription.taken()? {
            let replica = subscription.replica(&list);
            if subscription.manifest.takes(&list)
                && replica_state(&replica).is_ok_and(|state| state.is_some())
            {
                replicas.push(replica);
            }
        }
    }
    Ok(replicas)
}
