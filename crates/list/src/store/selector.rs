use std::fmt;
use std::str::FromStr;

use hashward_core::{Algorithm, Digest, EntryId};

use super::error::{Fault, StoreError};
use super::names::Names;
use super::row::Numbered;
use super::{KEY_BYTES_MAX, StoredEntry};

/// How many entries a selector may take in.
pub const SELECTED_MAX: usize = 1000;

/// Names entries of a list.
///
/// As text: `e-00112233445566aa` is an entry's id; `sha256:HEX`, or hexadecimal digits alone as many as MD5, SHA-1,
/// SHA-256 or SHA-512 have, is a digest; `key:TEXT`, or any other text, is a source's key.
#[derive(Clone, Eq, PartialEq)]
pub enum Selector {
    /// The entry of that id.
    Id(EntryId),
    /// All entries with that digest.
    Digest(Digest),
    /// The entries that a source names so: one for each source.
    Key(String),
}

/// Text that selects nothing. It is not shown: it may be a part of a digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "no selector: expected an entry's id (e- and 16 hexadecimal digits), a digest (32, 40, 64 or 128 of them, or \
     ALGORITHM:HEX), or a source's key of at most {KEY_BYTES_MAX} bytes"
)]
pub struct BadSelector;

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        let key = |key: &str| match key.len() {
            1..=KEY_BYTES_MAX => Ok(Self::Key(key.to_owned())),
            _ => Err(BadSelector),
        };
        if let Some(text) = text.strip_prefix("key:") {
            return key(text);
        }
        if let Some(digits) = text.strip_prefix("e-").filter(|digits| digits.len() == 16)
            && let Some(id) = hex_number(digits)
        {
            return Ok(Self::Id(EntryId(id)));
        }
        if let Some((name, hex)) = text.split_once(':')
            && let Some(algorithm) = Algorithm::from_tool_name(name)
        {
            return Digest::from_hex(algorithm, hex).map(Self::Digest).map_err(|_| BadSelector);
        }
        let algorithm = match text.len() {
            32 => Algorithm::Md5,
            40 => Algorithm::Sha1,
            64 => Algorithm::Sha256,
            128 => Algorithm::Sha512,
            _ => return key(text),
        };
        Digest::from_hex(algorithm, text).map(Self::Digest).or_else(|_| key(text))
    }
}

fn hex_number(digits: &str) -> Option<u64> {
    let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

impl fmt::Debug for Selector {
    /// Shows neither digest nor key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({})", self.what())
    }
}

impl Selector {
    /// What is looked at, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Id(_) => "this id",
            Self::Digest(_) => "this digest",
            Self::Key(_) => "this key",
        }
    }

    fn name(&self, names: &Names) -> u64 {
        match self {
            Self::Id(id) => id.0,
            Self::Digest(digest) => names.of_digest(digest),
            Self::Key(key) => names.of_key(key),
        }
    }

    fn selects(&self, entry: &StoredEntry) -> bool {
        match self {
            Self::Id(id) => entry.id == *id,
            Self::Digest(digest) => entry.digests.get(digest.algorithm()).as_ref() == Some(digest),
            Self::Key(key) => entry.key.as_ref() == Some(key),
        }
    }

    /// The selected entries, in the order of their numbers, at most [`SELECTED_MAX`]. `holders` gives a page of those
    /// that a name may lead to, with numbers above another.
    pub(super) fn select(
        &self,
        names: &Names,
        mut holders: impl FnMut(u64, u64) -> Result<Vec<Numbered>, Fault>,
    ) -> Result<Vec<Numbered>, Fault> {
        let name = self.name(names);
        let mut selected = Vec::new();
        let mut last = 0;
        loop {
            let page = holders(name, last)?;
            let Some(end) = page.last() else { return Ok(selected) };
            last = end.number;
            selected.extend(page.into_iter().filter(|numbered| self.selects(&numbered.entry)));
            if selected.len() > SELECTED_MAX {
                return Err(StoreError::TooManySelected { selector: self.what(), max: SELECTED_MAX }.into());
            }
        }
    }
}
