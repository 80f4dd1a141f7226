//! What is wrong with a configuration: where, which key, and what would be right.

use std::collections::BTreeMap;
use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    /// Where it was written: `file:line`, a variable, or a flag. Unknown if a default is at fault with
    /// another field.
    pub(crate) place: Option<String>,
    /// The dotted key.
    pub(crate) key: Option<String>,
    /// What is wrong and what would be right.
    pub(crate) what: String,
}

impl Finding {
    /// Something wrong with the value of `key`.
    pub(crate) fn of(key: &str, what: impl fmt::Display) -> Self {
        Self { place: None, key: Some(key.to_owned()), what: what.to_string() }
    }

    /// Something wrong at a place rather than with a key.
    pub(crate) fn at(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: Some(place.to_string()), key: None, what: what.to_string() }
    }
}

/// Where each key was set that some layer above the defaults sets: `file:line`, a variable, or a flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<String, String>);

impl Places {
    /// Notes where `key` was set. The last layer wins, as its value does.
    pub(crate) fn set(&mut self, key: &str, place: &str) {
        self.0.insert(key.to_owned(), place.to_owned());
    }

    /// Adds the place of its key to a finding that names none.
    pub(crate) fn mark(&self, finding: Finding) -> Finding {
        let place = finding.key.as_ref().and_then(|key| self.0.get(key)).cloned();
        Finding { place: finding.place.or(place), ..finding }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.key].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ConfigError(pub(crate) Vec<Finding>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            write!(f, "{}{finding}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl std::error::Error for Finding {}

impl From<Finding> for ConfigError {
    fn from(finding: Finding) -> Self {
        Self(vec![finding])
    }
}
