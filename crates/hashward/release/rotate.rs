//! `release rotate-root`.

use anyhow::{Result, bail};
use hashward_tuf::Role;
use hashward_tuf::desk::Repository;
use jiff::Timestamp;

use super::args::RotateRoot;
use super::init::named;
use super::{draft, keys};
use crate::exit::Exit;
use crate::output::Style;

/// Writes the draft of the next root.
pub(super) fn rotate(arguments: &RotateRoot, style: Style) -> Result<Exit> {
    let repository = Repository::at(&arguments.repository);
    let mut terms = repository.terms()?;
    let added = named(&arguments.add)?;
    let online = arguments.online.as_ref().map(std::slice::from_ref).map(named).transpose()?;
    for (role, terms) in &mut terms.roles {
        match role {
            Role::Root | Role::Targets => {
                for name in &arguments.remove {
                    if terms.keys.remove(name).is_none() {
                        bail!("{role}: no key is named {name}");
                    }
                }
                for (name, key) in &added {
                    if terms.keys.insert(name.clone(), key.clone()).is_some() {
                        bail!(
                            "{role}: a key is named {name} already; remove it first, or name the new one otherwise"
                        );
                    }
                }
                terms.threshold = arguments.threshold.unwrap_or(terms.threshold);
            }
            Role::Snapshot | Role::Timestamp => {
                if let Some(online) = &online {
                    terms.keys.clone_from(online);
                }
            }
        }
    }
    arguments.lifetimes.apply(&mut terms);
    let made = repository.rotate(&terms, Timestamp::now())?;
    keys::write_new(&arguments.draft, &made.to_bytes())?;
    draft::tell(&arguments.draft, &made, style)?;
    Ok(Exit::Success)
}
