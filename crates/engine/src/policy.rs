use std::time::Duration;

use hashward_core::{Action, Territory};

use crate::Rollout;

/// Whether content is public already when Hashward sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Content is judged before it is published: the strictest action is `block`.
    Upload,
    /// Content is public already: the strictest action is `takedown`.
    Published,
}

/// What the provider decided about deciding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The territories whose law binds the provider. Empty: every loaded list is followed.
    pub jurisdictions: Vec<Territory>,
    /// The strictest action that a match on MD5 or SHA-1 alone may call for.
    pub weak_digest_action: Action,
    /// Whether content is public already.
    pub stage: Stage,
    /// For how long an entry that is new in its list is observed only. An entry of which nobody knows since when it is
    /// listed counts as old.
    pub observe_new: Duration,
    /// Which share of each list's entries acts.
    pub rollout: Rollout,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            jurisdictions: Vec::new(),
            weak_digest_action: Action::Review,
            stage: Stage::Upload,
            observe_new: Duration::ZERO,
            rollout: Rollout::default(),
        }
    }
}
