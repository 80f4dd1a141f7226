//! What a file says of one item, before a list takes it up.

use std::collections::BTreeMap;
use std::fmt;

use hashward_core::{Category, Digests};
use jiff::Timestamp;

/// What a statement asks of the list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Change {
    /// The item belongs in the list, with these signals.
    #[default]
    Put,
    /// The item is withdrawn: a deletion in the source's feed, an entry marked as revoked.
    Withdraw,
}

/// What a file says of one item: its signals, and what else the format carries.
///
/// Every format is read into statements, one at a time, and every list is written from them. So a format knows
/// nothing of how a list is kept, and a list nothing of formats.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Statement {
    /// Whether the item is put in or withdrawn.
    pub change: Change,
    /// The source's own name for the item, such as NCMEC's member and id, or the file name of a text line. Statements
    /// of one source with the same key speak of the same item; without a key, the digests name the item.
    pub key: Option<String>,
    /// The digests that Hashward can match.
    pub digests: Digests,
    /// Signals of kinds that Hashward does not match yet, by the kind's word (`photodna`, `pdq`, …): kept and reported,
    /// never dropped.
    pub unmatched_signals: BTreeMap<String, String>,
    /// The content's length, in bytes.
    pub size_bytes: Option<u64>,
    /// What the entry is about, if that is not what the whole list is about.
    pub category: Option<Category>,
    /// The source's reference number.
    pub reference: Option<String>,
    /// From when the entry is in force.
    pub valid_from: Option<Timestamp>,
    /// Until when the entry is in force.
    pub valid_until: Option<Timestamp>,
    /// What people should know of the entry.
    pub note: Option<String>,
}

/// Shows what there is, and not what it says: signals are secret, and keys and notes may hold a person's name.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("change", &self.change)
            .field("digests", &self.digests)
            .field("unmatched_signals", &self.unmatched_signals.keys())
            .field("size_bytes", &self.size_bytes)
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hashward_core::{Algorithm, Digest};

    use super::*;

    #[test]
    fn debug_shows_no_signal_and_no_name() {
        let mut statement = Statement {
            key: Some("somebody".into()),
            note: Some("somewhere".into()),
            ..Statement::default()
        };
        statement.digests.insert(&Digest::new(Algorithm::Md5, &[0xab; 16]).unwrap());
        statement.unmatched_signals.insert("pdq".into(), "cdcdcdcd".into());
        let shown = format!("{statement:?}");
        assert!(shown.contains("md5") && shown.contains("pdq"), "{shown}");
        for secret in ["abab", "171", "cdcd", "some"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
