//! The search for a target through delegations (section 5.6.7).

use std::collections::BTreeSet;

use crate::client::Session;
use crate::hashes::hex;
use crate::metadata::DelegatedRole;
use crate::pattern::matches;
use crate::trusted::Target;
use crate::{Client, Role, TargetPath, TufError};

/// The longest name of a delegated role, in bytes: what remains a file's name when it is percent-encoded.
const ROLE_NAME_BYTES_MAX: usize = 80;

impl Client {
    /// Depth first, in the order in which delegations stand (5.6.7.2).
    pub(crate) fn search(
        &self,
        session: &mut Session,
        path: &TargetPath,
    ) -> Result<Option<Target>, TufError> {
        let Session { trusted, start } = session;
        let mut visited = BTreeSet::new();
        // The next one is the last.
        let mut waiting: Vec<(String, Option<String>)> = vec![("targets".to_owned(), None)];
        while let Some((role, delegator)) = waiting.pop() {
            // 5.6.7.1: a role is not asked twice, which ends cycles, and not more than so many.
            if !visited.insert(role.clone()) {
                continue;
            }
            if visited.len() > self.limits.delegations_max + 1 {
                let max = self.limits.delegations_max;
                return Err(TufError::TooManyDelegations { target: path.to_string(), max });
            }
            if let Some(delegator) = &delegator {
                if trusted.targets_due(&role).is_none() {
                    // What the snapshot does not list belongs to no state of the repository.
                    continue;
                }
                if trusted.targets.contains_key(&role) {
                    trusted.verify_again(&role, delegator)?;
                } else {
                    self.load_targets(trusted, &role, Some(delegator), *start)?;
                }
            }
            let targets = &trusted.targets[&role].signed;
            if let Some(file) = targets.targets.get(path.as_str()) {
                return Ok(Some(Target::new(path.clone(), file)));
            }
            let delegated =
                targets.delegations.iter().flat_map(|delegations| delegations.roles.iter().flatten());
            let mut children = Vec::new();
            for child in delegated.filter(|child| child.covers(path)) {
                child.verify_name()?;
                children.push((child.name.clone(), Some(role.clone())));
                if child.terminating {
                    // 5.6.7.2.1: nobody but this role and those below it is asked any more.
                    waiting.clear();
                    break;
                }
            }
            waiting.extend(children.into_iter().rev());
        }
        Ok(None)
    }
}

impl DelegatedRole {
    /// Whether it may speak about `path` (section 4.5).
    fn covers(&self, path: &TargetPath) -> bool {
        match (&self.paths, &self.path_hash_prefixes) {
            (Some(patterns), _) => patterns.iter().any(|pattern| matches(pattern, path.as_str())),
            (None, Some(prefixes)) => {
                let digest = ring::digest::digest(&ring::digest::SHA256, path.as_str().as_bytes());
                let digest = hex(digest.as_ref());
                prefixes.iter().any(|prefix| digest.starts_with(prefix.as_str()))
            }
            (None, None) => false,
        }
    }

    /// A role that is called like a top-level one would be kept in its place.
    fn verify_name(&self) -> Result<(), TufError> {
        let wrong = |why| Err(TufError::malformed(&crate::path::tame(&self.name), why));
        if Role::of_name(&self.name).is_some() {
            return wrong("a delegated role is called like a top-level one");
        }
        if self.name.is_empty() || self.name.len() > ROLE_NAME_BYTES_MAX {
            return wrong("a delegated role's name must have 1 to 80 bytes");
        }
        Ok(())
    }
}
