//! Lists as their maintainers work on them: folders with a manifest, entries and a journal. See [`Store`].

mod bits;
mod change;
mod check;
mod commit;
mod entry;
mod error;
mod folder;
mod history;
mod intake;
mod journal;
mod lookup;
mod manifest;
mod mark;
mod merge;
mod names;
mod reader;
mod refusal;
mod row;
mod schema;
mod selector;
mod stats;
mod step;
mod summary;
mod tables;
mod target;
#[cfg(test)]
mod tests;

pub use change::{ChangeKind, EntryChange, FieldChange};
pub use check::{CheckReport, check};
pub use entry::{Dispute, StoredEntry, Tombstone};
pub use error::StoreError;
pub use folder::{Store, is_list_folder};
pub use intake::{
    KEY_BYTES_MAX, KIND_BYTES_MAX, KINDS_MAX, NOTE_BYTES_MAX, REFERENCE_BYTES_MAX, UNMATCHED_BYTES_MAX,
};
pub use journal::{Counts, State, StateHash, StepInfo, Totals, WHO_BYTES_MAX, WHY_BYTES_MAX};
pub use mark::REASON_BYTES_MAX;
pub use reader::{Diff, Entries, Which};
pub use refusal::Refusal;
pub use selector::{BadSelector, SELECTED_MAX, Selector};
pub use stats::{STATS_KINDS_MAX, Stats};
pub use step::{SOURCE_BYTES_MAX, Step};
pub use summary::{Outcome, RefusedStatement, Summary};
