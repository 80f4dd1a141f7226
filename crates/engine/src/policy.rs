use hashward_core::{Action, Territory};

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
}

impl Default for Policy {
    fn default() -> Self {
        Self { jurisdictions: Vec::new(), weak_digest_action: Action::Review, stage: Stage::Upload }
    }
}
