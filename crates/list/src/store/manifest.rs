//! `list.toml`: what is true of the whole list, for people to read and to edit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hashward_core::{ListInfo, Territory};
use serde::Serialize;

use super::error::StoreError;
use crate::METADATA_BYTES_MAX;
use crate::info::{parse_manifest, read_manifest};

/// The manifest's name in a list folder.
pub(super) const FILE: &str = "list.toml";

#[derive(Serialize)]
struct Manifest<'a> {
    id: &'a str,
    owner: Option<&'a str>,
    category: &'a str,
    legal_basis: Option<&'a str>,
    reference: Option<&'a str>,
    territories: Vec<&'a str>,
    action: &'a str,
    priority: &'a str,
    contact: Option<&'a str>,
    deadline_minutes: Option<u32>,
}

/// The one text for some information, as it is written to `list.toml` in `folder` and recorded in the journal. It is
/// read back first: what cannot be read again is not written.
pub(super) fn render(folder: &Path, info: &ListInfo) -> Result<String, StoreError> {
    let manifest = Manifest {
        id: info.id.as_str(),
        owner: info.owner.as_deref(),
        category: info.category.word(),
        legal_basis: info.legal_basis.as_deref(),
        reference: info.reference.as_deref(),
        territories: info.territories.iter().map(Territory::code).collect(),
        action: info.action.word(),
        priority: info.priority.word(),
        contact: info.contact.as_deref(),
        deadline_minutes: info.deadline_minutes,
    };
    let text = toml::to_string(&manifest).expect("words and texts are TOML");
    if text.len() as u64 > METADATA_BYTES_MAX {
        return Err(StoreError::ManifestTooLarge { path: folder.join(FILE), bytes: text.len() });
    }
    parse(folder, &text)?;
    Ok(text)
}

/// What a recorded text says.
pub(super) fn parse(folder: &Path, text: &str) -> Result<ListInfo, StoreError> {
    Ok(parse_manifest(&folder.join(FILE), text.as_bytes().to_vec())?)
}

/// What `list.toml` in `folder` says.
pub(super) fn read(folder: &Path) -> Result<ListInfo, StoreError> {
    let missing = StoreError::NotAListFolder { path: folder.to_owned(), problem: "it has no list.toml" };
    read_manifest(&folder.join(FILE))?.ok_or(missing)
}

/// Puts `text` in place of `list.toml` in one step: after a kill it is there whole, or not at all.
pub(super) fn write(folder: &Path, text: &str) -> Result<(), StoreError> {
    let temporary = folder.join("list.toml.new");
    let put = || -> io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(FILE))
    };
    put().map_err(|source| StoreError::Io { path: temporary.clone(), source })?;
    sync_folder(folder)
}

/// Makes the folder's names outlast a loss of power.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(|source| StoreError::Io { path: PathBuf::from(folder), source })
}

/// A recorded text, field by field, each as TOML.
pub(super) fn facts(folder: &Path, text: &str) -> Result<BTreeMap<String, String>, StoreError> {
    // What `render` made is a table of plain fields; what anybody else made is told by `parse`.
    parse(folder, text)?;
    let table: toml::Table = text.parse().unwrap_or_default();
    Ok(table.into_iter().map(|(field, value)| (field, value.to_string())).collect())
}
