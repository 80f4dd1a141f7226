//! `release sign`.

use anyhow::{Context as _, Result, bail};
use hashward_tuf::desk::Repository;
use jiff::Timestamp;

use super::args::Sign;
use super::{draft, evidence, keys};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::Style;

/// Adds signatures, and publishes if that was asked.
pub(super) fn sign(config: &Config, arguments: &Sign, style: Style) -> Result<Exit> {
    if arguments.key.is_empty() && arguments.merge.is_empty() && arguments.repository.is_none() {
        bail!("there is nothing to do: name a --key to sign with, a draft to --merge, or the --repository");
    }
    let mut signed = draft::read(&arguments.draft)?;
    let before = signed.clone();
    for other in &arguments.merge {
        signed.merge(&draft::read(other)?).with_context(|| other.display().to_string())?;
    }
    for path in &arguments.key {
        let key = keys::read_private(path, &arguments.passphrase)?;
        signed.sign(&key).with_context(|| path.display().to_string())?;
        evidence::signed(config, &arguments.who, &signed, key.id())?;
    }
    if signed != before {
        draft::replace(&arguments.draft, &signed)?;
    }
    let Some(repository) = &arguments.repository else {
        draft::tell(&arguments.draft, &signed, style)?;
        return Ok(Exit::Success);
    };
    let online = keys::read_privates(&arguments.online_key, &arguments.passphrase)?;
    let at = Repository::at(repository);
    // A repository that is founded by this has none.
    evidence::published(config, &arguments.who, &signed, at.targets().ok().flatten().as_ref())?;
    let published = at.finish(&signed, &online, Timestamp::now())?;
    draft::tell_published(repository, published, style)?;
    Ok(Exit::Success)
}
