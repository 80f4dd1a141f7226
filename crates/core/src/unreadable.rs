use std::fmt;

use crate::word::words;

words! {
    /// Why content could not be judged.
    pub enum UnreadableKind ("reason") {
        /// The digests that the provider stated are no digests.
        BadDigests = "bad-digests",
        /// The provider stated digests, and no loaded list holds any of their algorithms.
        NoUsableDigest = "no-usable-digest",
        /// The reference is no URL of a scheme that Hashward opens.
        BadReference = "bad-reference",
        /// The reference leads where the configuration does not allow.
        ReferenceRefused = "reference-refused",
        /// There is nothing where the reference leads.
        NotFound = "not-found",
        /// Opening or reading it failed, also after the configured number of attempts.
        ReadFailed = "read-failed",
        /// It is larger than the configured limit.
        TooLarge = "too-large",
        /// It is a folder, a symbolic link, a pipe or a device.
        NotAFile = "not-a-file",
        /// The index of the lists is damaged where the content's digests would stand.
        IndexDamaged = "index-damaged",
    }
}

/// Content that could not be judged, and why. This is data, not an error: it has a verdict like any other content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable {
    /// The reason's class, for metrics and programs.
    pub kind: UnreadableKind,
    /// The reason, for people.
    pub detail: String,
}

impl Unreadable {
    /// A reason with its class.
    pub fn new(kind: UnreadableKind, detail: impl fmt::Display) -> Self {
        Self { kind, detail: detail.to_string() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Unreadable {}
