//! Subscriptions on disk: what was subscribed to, and what was taken of it.

mod folder;
mod held;

use std::path::{Path, PathBuf};

use anyhow::Result;
use hashward_core::ListId;
use hashward_release::replica_state;

pub(crate) use folder::{Manifest, Subscription};
pub(crate) use held::Held;

/// What a folder of subscriptions holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// How many subscriptions.
    pub(crate) subscriptions: usize,
    /// The replicas that hold a release.
    pub(crate) replicas: Vec<PathBuf>,
    /// The subscriptions of which not everything that they take was there yet.
    pub(crate) incomplete: Vec<String>,
    /// The lists that an operator holds at a release.
    pub(crate) held: Vec<ListId>,
}

/// Looks what `directory` holds. What cannot be read is an error: it must not look like nothing.
pub(crate) fn look(directory: &Path) -> Result<Found> {
    let mut found = Found::default();
    for subscription in Subscription::all(directory)? {
        found.subscriptions += 1;
        let is_complete = subscription.is_complete()?;
        for list in subscription.taken()? {
            let replica = subscription.replica(&list);
            match replica_state(&replica) {
                Ok(Some(_)) if subscription.manifest.takes(&list) => found.replicas.push(replica),
                Err(error) if is_complete => return Err(error.into()),
                // Without a release, or being made right now; if it is neither, the subscription stays incomplete.
                Ok(_) | Err(_) => {}
            }
            if subscription.is_held(&list)? {
                found.held.push(list);
            }
        }
        if !is_complete {
            found.incomplete.push(subscription.name);
        }
    }
    Ok(found)
}

/// Whether the subscription was removed in whose folder `replica` was.
pub(crate) fn is_removed(directory: &Path, replica: &Path) -> bool {
    let inside = replica.strip_prefix(directory).ok().and_then(|inside| inside.iter().next()?.to_str());
    inside.is_some_and(|name| Subscription::is_removed(directory, name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_lost_is_no_removal() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("subscriptions");
        assert!(look(&directory).is_err(), "a folder that is not there is not an empty one");
        let manifest = Manifest { from: "/srv/repo".to_owned(), lists: Vec::new(), since: String::new() };
        let add = |name: &str| Subscription::add(&directory, name, manifest.clone(), |_| Ok(()));
        let (kept, lost) = (add("kept").unwrap(), add("lost").unwrap());
        let found = look(&directory).unwrap();
        assert_eq!((found.subscriptions, found.incomplete), (2, vec!["kept".to_owned(), "lost".to_owned()]));
        let replica = |subscription: &Subscription| subscription.replica(&"national".parse().unwrap());
        fs::rename(directory.join("lost"), folder.path().join("elsewhere")).unwrap();
        assert!(!is_removed(&directory, &replica(&lost)));
        Subscription::remove(&directory, "kept").unwrap();
        assert!(is_removed(&directory, &replica(&kept)));
        // Subscribed to again, it can be lost again.
        add("kept").unwrap();
        assert!(!is_removed(&directory, &replica(&kept)));
        fs::write(directory.join("kept/subscription.toml"), "from = 7").unwrap();
        assert!(look(&directory).is_err(), "what cannot be read is not nothing");
        Subscription::remove(&directory, "kept").unwrap();
    }
}
