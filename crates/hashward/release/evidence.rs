//! What is recorded of a publisher's work, if there is an evidence log: who signed what, and what was published.

use anyhow::{Context as _, Result};
use hashward_evidence::{Hash, Release, What};
use hashward_release::Header;
use hashward_tuf::Targets;
use hashward_tuf::desk::{Draft, Pending};

use crate::config::Config;
use crate::evidence::record;
use crate::list::Who;

/// Records that a key signs what is in a draft.
pub(super) fn signed(config: &Config, who: &Who, draft: &Draft, key: &str) -> Result<()> {
    for release in metadata(draft)? {
        let what = What::ReleaseSigned { release, key: key.to_owned() };
        by(config, who, what)?;
    }
    Ok(())
}

/// Records that what is in a draft is published: its metadata, and of each list of which there is something in it that is
/// not in the targets `before`, the newest release.
pub(super) fn published(config: &Config, who: &Who, draft: &Draft, before: Option<&Targets>) -> Result<()> {
    if !draft.pending()?.iter().all(Pending::is_done) {
        // It will not be published.
        return Ok(());
    }
    let mut releases = metadata(draft)?;
    let targets = draft.targets()?.map(|targets| targets.targets).unwrap_or_default();
    let mut newest: Vec<Header> = Vec::new();
    for (path, target) in targets {
        if before.is_some_and(|before| before.targets.contains_key(&path)) {
            continue;
        }
        let Some(custom) = &target.custom else { continue };
        let parsed = Header::parse_ours(custom).with_context(|| format!("target {path}"))?;
        let Some(header) = parsed else { continue };
        match newest.iter_mut().find(|newest| newest.list.id == header.list.id) {
            Some(newest) if newest.release < header.release => *newest = header,
            Some(_) => {}
            None => newest.push(header),
        }
    }
    releases.extend(newest.iter().map(of_list));
    releases.into_iter().try_for_each(|release| by(config, who, What::ReleasePublished(release)))
}

/// A release of a list, as evidence names it.
pub(crate) fn of_list(header: &Header) -> Release {
    let checksum = Hash::from_hex(&header.checksum.to_string()).expect("a checksum is a SHA-256");
    Release { list: Some(header.list.id.clone()), role: None, number: header.release, checksum }
}

fn metadata(draft: &Draft) -> Result<Vec<Release>> {
    let releases = draft.messages()?.into_iter().map(|(role, number, message)| Release {
        list: None,
        role: Some(role.name().to_owned()),
        number,
        checksum: Hash::of(&message),
    });
    Ok(releases.collect())
}

fn by(config: &Config, who: &Who, what: What) -> Result<()> {
    if config.evidence.is_none() {
        // Nobody needs to be named where nothing is recorded.
        return Ok(());
    }
    record(config.evidence.as_ref(), &who.step(String::new())?.who, what)
}
