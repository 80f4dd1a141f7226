//! Why nothing was published.

use std::io;
use std::path::PathBuf;

use crate::{Role, TufError};

/// What went wrong at the maintainer's desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A file of the repository, or of a draft, is not trusted.
    #[error(transparent)]
    Trust(#[from] TufError),
    /// Too few have signed.
    #[error(
        "{role} {version} is not signed by enough: {} of {threshold} ({authority}); missing: {}",
        signed_by.len(), names(missing)
    )]
    SignatureMissing {
        /// Which role's file.
        role: Role,
        /// Its version.
        version: u64,
        /// Whose keys are asked, such as `root in root 3`.
        authority: String,
        /// How many must sign.
        threshold: u32,
        /// Who has.
        signed_by: Vec<String>,
        /// Who may, and has not.
        missing: Vec<String>,
    },
    /// A key that no role of the draft lists.
    #[error("this key signs for nothing in this draft; those that do: {}", names(signers))]
    NotASigner {
        /// Who signs.
        signers: Vec<String>,
    },
    /// The draft does not follow what is published.
    #[error(
        "the draft makes {role} {draft}, and {published} is published: it does not follow; make a new draft"
    )]
    Superseded {
        /// Which role.
        role: Role,
        /// The version in the draft.
        draft: u64,
        /// The version that is published.
        published: u64,
    },
    /// The terms cannot be kept.
    #[error("{role}: {why}")]
    Terms {
        /// Which role.
        role: Role,
        /// What is wrong.
        why: String,
    },
    /// The folder holds a repository already.
    #[error("{path} holds a repository already")]
    Present {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no repository.
    #[error("{path} holds no repository: `metadata/1.root.json` is not there")]
    Absent {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what was said of it.
    #[error("{path} has not the length and SHA-256 that were stated for target {target}")]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
    },
    /// A target that is to be removed is not there.
    #[error("target {target} is not published: it cannot be removed")]
    NoSuchTarget {
        /// The target.
        target: String,
    },
    /// The file is no draft.
    #[error("it is no draft: {why}")]
    NoDraft {
        /// What is wrong.
        why: String,
    },
    /// Another process changes the repository.
    #[error("{path} is being changed by another process")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A disk failed.
    #[error("{path}: {source}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

fn names(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
