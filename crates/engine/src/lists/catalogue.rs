//! What an index file says of its lists. It is written into the file, so that the file stands alone.

use std::path::Path;
use std::sync::Arc;

use hashward_core::{EntryId, ListInfo};
use hashward_list::FolderState;
use serde::{Deserialize, Serialize};

use super::{ListIndexError, LoadedList, Quarantined};

/// The version of the catalogue that is written, and the only one that is read.
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
struct Catalogue {
    version: u32,
    /// The fingerprint of what was known as good, if anything was.
    known_good: Option<String>,
    /// In the order of the numbers by which records name them.
    lists: Vec<Listing>,
}

#[derive(Deserialize, Serialize)]
struct Listing {
    info: ListInfo,
    entries: u64,
    skipped_lines: u64,
    quarantined: u64,
    quarantined_first: Vec<u64>,
    state: Option<State>,
}

#[derive(Deserialize, Serialize)]
struct State {
    number: u64,
    hash: String,
}

/// The bytes to keep. The lists' paths are not kept: they say something of the machine that built the file.
pub(super) fn write(lists: &[LoadedList], known_good: Option<&str>) -> Vec<u8> {
    let listing = |list: &LoadedList| Listing {
        info: (*list.info).clone(),
        entries: list.entries,
        skipped_lines: list.skipped_lines,
        quarantined: list.quarantined.count,
        quarantined_first: list.quarantined.first.iter().map(|entry| entry.0).collect(),
        state: list.state.clone().map(|state| State { number: state.number, hash: state.hash }),
    };
    let known_good = known_good.map(str::to_owned);
    let catalogue = Catalogue { version: VERSION, known_good, lists: lists.iter().map(listing).collect() };
    serde_json::to_vec(&catalogue).expect("plain data is JSON")
}

/// The lists of the index file at `path`, and the fingerprint of what was known as good.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(Vec<LoadedList>, Option<String>), ListIndexError> {
    let bad = |problem: String| ListIndexError::Catalogue { path: path.to_owned(), problem };
    let catalogue: Catalogue = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    if catalogue.version != VERSION {
        return Err(bad(format!("version {}, expected {VERSION}", catalogue.version)));
    }
    let loaded = |listing: Listing| LoadedList {
        info: Arc::new(listing.info),
        path: path.to_owned(),
        entries: listing.entries,
        skipped_lines: listing.skipped_lines,
        quarantined: Quarantined {
            count: listing.quarantined,
            first: listing.quarantined_first.into_iter().map(EntryId).collect(),
        },
        state: listing.state.map(|State { number, hash }| FolderState { number, hash }),
    };
    Ok((catalogue.lists.into_iter().map(loaded).collect(), catalogue.known_good))
}
