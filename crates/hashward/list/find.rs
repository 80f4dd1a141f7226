//! `list show` and `list find`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use hashward_core::{AlgorithmSet, Digests, EntryId};
use hashward_digest::{CHUNK_BYTES, digest_reader};
use hashward_list::store::{Selector, Store, StoredEntry};

use super::args::{Find, Show};
use super::tell;
use crate::exit::Exit;
use crate::explain::subject::{Subject, open};
use crate::output::{Output, Style};

/// How much of a file is held at a time, in bytes.
const BUFFER_BYTES: usize = 4 * CHUNK_BYTES;

/// Shows the selected entries.
pub(super) fn show(arguments: &Show, style: Style) -> Result<Exit> {
    let selector: Selector = arguments.selector.parse()?;
    tell(&Store::open_read_only(&arguments.at.folder)?.show(&selector)?, style)?;
    Ok(Exit::Success)
}

/// Shows the entries that have a digest, or one of a file's.
pub(super) fn find(arguments: &Find, style: Style) -> Result<Exit> {
    let store = Store::open_read_only(&arguments.at.folder)?;
    let digests = match Subject::parse(&arguments.subject)? {
        Subject::Digest(digest) => Digests::from_iter([digest]),
        Subject::File(path) => digests_of(&path)?,
    };
    // By id, each once: an entry may have several of the digests.
    let mut found: BTreeMap<EntryId, StoredEntry> = BTreeMap::new();
    for digest in digests.iter() {
        found.extend(store.find(&digest)?.into_iter().map(|entry| (entry.id, entry)));
    }
    if found.is_empty() {
        eprintln!("not in the list");
        return Ok(Exit::Success);
    }
    tell(&found.into_values().collect::<Vec<_>>(), style)?;
    Ok(Exit::Matched)
}

fn digests_of(path: &Path) -> Result<Digests> {
    let mut file = open(path)?;
    let read = digest_reader(AlgorithmSet::ALL, &mut file, &mut vec![0; BUFFER_BYTES], u64::MAX);
    Ok(read.with_context(|| path.display().to_string())?.0)
}

fn tell(entries: &[StoredEntry], style: Style) -> Result<()> {
    let mut output = Output::stdout(style.color);
    for entry in entries {
        if style.json { output.json(&tell::object(entry))? } else { tell::entry(&mut output, entry)? }
    }
    Ok(())
}
