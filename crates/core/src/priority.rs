use crate::word::words;

words! {
    /// How urgent an alert is. Ordered: the highest priority of all matches is the alert's.
    pub enum Priority ("priority") {
        /// When there is time.
        Low = "low",
        /// The usual.
        Normal = "normal",
        /// Before the usual.
        High = "high",
        /// At once; a legal deadline runs.
        Urgent = "urgent",
        /// Somebody's life or safety is in danger now (DSA art. 18).
        ImminentHarm = "imminent-harm",
    }
}
