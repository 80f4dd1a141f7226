use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Action, Category, Priority, Territory};

/// The name by which a list is known everywhere: in configuration, alerts, metrics.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListId(String);

impl ListId {
    /// The longest id, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is no list id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadListId(String);

impl fmt::Display for BadListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = ListId::BYTES_MAX;
        write!(f, "bad list id {:?}: expected 1 to {max} of A-Z, a-z, 0-9, '.', '_' and '-'", self.0)
    }
}

impl std::error::Error for BadListId {}

impl FromStr for ListId {
    type Err = BadListId;

    fn from_str(id: &str) -> Result<Self, BadListId> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=Self::BYTES_MAX).contains(&id.len()) && id.bytes().all(good) {
            Ok(Self(id.to_owned()))
        } else {
            Err(BadListId(id.to_owned()))
        }
    }
}

impl TryFrom<String> for ListId {
    type Error = BadListId;
    fn try_from(id: String) -> Result<Self, BadListId> {
        id.parse()
    }
}

impl From<ListId> for String {
    fn from(id: ListId) -> Self {
        id.0
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of one entry of a list. It says nothing about the entry's digests, and stays the same while the entry does.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryId(pub u64);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e-{:016x}", self.0)
    }
}

impl Serialize for EntryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The number of what is loaded: it grows by one each time a new state of the lists goes live.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is true of a whole list: who answers for it, on what legal ground, and what it asks for.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct ListInfo {
    /// The list's name.
    pub id: ListId,
    /// The authority or body that publishes the list.
    pub owner: Option<String>,
    /// What the list is about.
    pub category: Category,
    /// The law that makes the content illegal, such as `Directive 2011/93/EU art. 25`.
    pub legal_basis: Option<String>,
    /// The owner's reference number.
    pub reference: Option<String>,
    /// Where the list applies; empty means everywhere.
    pub territories: Vec<Territory>,
    /// What the list asks for when content matches it.
    pub action: Action,
    /// How urgent a match is.
    pub priority: Priority,
    /// Who answers questions about the list, also out of hours.
    pub contact: Option<String>,
    /// How long the provider has to act, in minutes from the verdict (TERREG: 60).
    pub deadline_minutes: Option<u32>,
}

impl ListInfo {
    /// The information about a list that comes without any: people review what matches it.
    pub fn bare(id: ListId) -> Self {
        Self {
            id,
            owner: None,
            category: Category::default(),
            legal_basis: None,
            reference: None,
            territories: Vec::new(),
            action: Action::Review,
            priority: Priority::Normal,
            contact: None,
            deadline_minutes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert_eq!("eu-csam.2026_01".parse::<ListId>().unwrap().as_str(), "eu-csam.2026_01");
        for id in ["", "a b", "a/b", "ü", &"x".repeat(65)] {
            assert!(id.parse::<ListId>().is_err(), "{id:?} is no list id");
        }
        assert_eq!(EntryId(0xab).to_string(), "e-00000000000000ab");
    }
}
