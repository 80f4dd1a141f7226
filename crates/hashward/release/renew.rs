//! `release renew`.

use anyhow::Result;
use hashward_tuf::desk::Repository;
use jiff::Timestamp;

use super::args::Renew;
use super::{draft, keys};
use crate::exit::Exit;
use crate::output::Style;

/// Signs a new timestamp.
pub(super) fn renew(arguments: &Renew, style: Style) -> Result<Exit> {
    let online = keys::read_privates(&arguments.online_key, &arguments.passphrase)?;
    let published = Repository::at(&arguments.repository).renew(&online, Timestamp::now())?;
    draft::tell_published(&arguments.repository, published, style)?;
    Ok(Exit::Success)
}
