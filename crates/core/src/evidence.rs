use crate::word::words;

words! {
    /// What an entry of the evidence log records.
    pub enum EvidenceKind ("kind of evidence") {
        /// An alert was made, and is about to leave.
        Alert = "alert",
        /// A release was published.
        ReleasePublished = "release-published",
        /// Somebody signed a release.
        ReleaseSigned = "release-signed",
        /// A release was fetched and verified.
        ReleasePulled = "release-pulled",
        /// A worker matches by a new state of a list.
        ReleaseApplied = "release-applied",
        /// An operator went back to an earlier state.
        RolledBack = "rolled-back",
        /// An operator gave up a list that was subscribed to: nothing is matched against it any more.
        ListRemoved = "list-removed",
        /// An operator ended a rollback: the lists are followed again.
        Resumed = "resumed",
    }
}
