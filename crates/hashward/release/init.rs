//! `release init`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use hashward_tuf::desk::{Repository, Terms};
use hashward_tuf::{Key, Role};
use jiff::Timestamp;

use super::args::{Init, Lifetimes};
use super::{draft, keys};
use crate::exit::Exit;
use crate::output::Style;

/// Writes the draft of a new repository.
pub(super) fn init(arguments: &Init, style: Style) -> Result<Exit> {
    let offline = named(&arguments.offline)?;
    let online = named(std::slice::from_ref(&arguments.online))?;
    let mut terms = Terms::usual(&offline, arguments.threshold, &online);
    arguments.lifetimes.apply(&mut terms);
    let made = Repository::at(&arguments.repository).create(&terms, Timestamp::now())?;
    keys::write_new(&arguments.draft, &made.to_bytes())?;
    draft::tell(&arguments.draft, &made, style)?;
    Ok(Exit::Success)
}

/// Public keys by name. Two of one name are refused.
pub(super) fn named(paths: &[PathBuf]) -> Result<BTreeMap<String, Key>> {
    let mut named = BTreeMap::new();
    for path in paths {
        let (name, key) = keys::read_public(path)?;
        if named.insert(name.clone(), key).is_some() {
            bail!("{}: there is another key named {name}", path.display());
        }
    }
    Ok(named)
}

impl Lifetimes {
    /// Puts what was asked for into the terms.
    pub(super) fn apply(&self, terms: &mut Terms) {
        let days = |days: Option<u32>| days.map(|days| days.saturating_mul(24));
        let asked = [
            (Role::Root, days(self.root_days)),
            (Role::Targets, days(self.targets_days)),
            (Role::Snapshot, self.snapshot_hours),
            (Role::Timestamp, self.timestamp_hours),
        ];
        for (role, hours) in asked {
            if let (Some(hours), Some(terms)) = (hours, terms.roles.get_mut(&role)) {
                terms.hours = hours;
            }
        }
    }
}
