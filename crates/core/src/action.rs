use crate::word::words;

words! {
    /// What a list asks for, and what an alert tells the provider to do. Ordered from mild to strict.
    pub enum Action ("action") {
        /// Count and record the match; the content stays as it is.
        Observe = "observe",
        /// A person decides.
        Review = "review",
        /// Do not let the content through.
        Block = "block",
        /// The content is public already: remove it, or disable access to it.
        Takedown = "takedown",
    }
}
