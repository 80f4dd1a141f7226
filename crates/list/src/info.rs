//! The TOML file beside a list.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use hashward_core::{Action, Category, ListId, ListInfo, Priority, Territory};
use serde::Deserialize;

use crate::ListError;

/// The largest TOML file that is read: 64 KiB.
pub const METADATA_BYTES_MAX: u64 = 64 * 1024;

/// The longest deadline that a list can set, in minutes: a year of 365 days.
pub const DEADLINE_MINUTES_MAX: u32 = 365 * 24 * 60;

/// The file as it is written. What is not in it is as in [`ListInfo::bare`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    id: Option<ListId>,
    owner: Option<String>,
    category: Option<Category>,
    legal_basis: Option<String>,
    reference: Option<String>,
    territories: Option<Vec<Territory>>,
    action: Option<Action>,
    priority: Option<Priority>,
    contact: Option<String>,
    deadline_minutes: Option<DeadlineMinutes>,
}

/// 1 to [`DEADLINE_MINUTES_MAX`].
#[derive(Deserialize)]
#[serde(try_from = "i64")]
struct DeadlineMinutes(u32);

impl TryFrom<i64> for DeadlineMinutes {
    type Error = String;

    fn try_from(minutes: i64) -> Result<Self, String> {
        let checked = u32::try_from(minutes).ok().filter(|m| (1..=DEADLINE_MINUTES_MAX).contains(m));
        checked.map(Self).ok_or_else(|| {
            format!(
                "deadline_minutes = {minutes} is out of range: expected 1 to {DEADLINE_MINUTES_MAX} (a year)"
            )
        })
    }
}

/// What is true of the list at `list_path`: as the TOML file says that has the same name but for the
/// extension, in the same folder; without such a file, the list's id is the file's name without its
/// extension.
pub(crate) fn read_info(list_path: &Path) -> Result<ListInfo, ListError> {
    let path = list_path.with_extension("toml");
    if path == list_path {
        return Err(ListError::NotAList(path));
    }
    let mut metadata = parse(&path, read_bounded(&path)?.unwrap_or_default())?;
    let id = match metadata.id.take() {
        Some(id) => id,
        None => id_from_name(list_path, &path)?,
    };
    Ok(metadata.into_info(id))
}

/// What the manifest at `path` says, which must name the list. `None` if there is no such file.
pub(crate) fn read_manifest(path: &Path) -> Result<Option<ListInfo>, ListError> {
    read_bounded(path)?.map(|bytes| parse_manifest(path, bytes)).transpose()
}

/// Reads the bytes of a manifest; `path` is where they come from.
pub(crate) fn parse_manifest(path: &Path, bytes: Vec<u8>) -> Result<ListInfo, ListError> {
    let mut metadata = parse(path, bytes)?;
    let problem = "no `id`: expected `id = \"…\"`, the name by which the list is known";
    let nameless = || ListError::BadMetadata { path: path.into(), line: 1, problem: problem.to_owned() };
    let id = metadata.id.take().ok_or_else(nameless)?;
    Ok(metadata.into_info(id))
}

impl Metadata {
    fn into_info(self, id: ListId) -> ListInfo {
        let bare = ListInfo::bare(id);
        ListInfo {
            owner: self.owner,
            category: self.category.unwrap_or(bare.category),
            legal_basis: self.legal_basis,
            reference: self.reference,
            territories: self.territories.unwrap_or(bare.territories),
            action: self.action.unwrap_or(bare.action),
            priority: self.priority.unwrap_or(bare.priority),
            contact: self.contact,
            deadline_minutes: self.deadline_minutes.map(|minutes| minutes.0),
            id: bare.id,
        }
    }
}

fn id_from_name(list_path: &Path, metadata: &Path) -> Result<ListId, ListError> {
    let stem = list_path.file_stem().unwrap_or_default().to_string_lossy();
    stem.parse().map_err(|error| ListError::BadId {
        path: list_path.into(),
        metadata: metadata.into(),
        problem: format!("{error}"),
    })
}

/// The file's bytes, or `None` if there is no such file.
fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, ListError> {
    let io = |source| ListError::Io { path: path.into(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(ListError::NotAFile(path.into())),
        // A link that leads nowhere is a fault: its list would be loaded with somebody else's idea of what to
        // do.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => return Ok(None),
        Err(error) => return Err(io(error)),
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(METADATA_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > METADATA_BYTES_MAX {
        return Err(ListError::MetadataTooLarge(path.into()));
    }
    Ok(Some(bytes))
}

fn parse(path: &Path, bytes: Vec<u8>) -> Result<Metadata, ListError> {
    let bad = |line, problem: &str| ListError::BadMetadata {
        path: path.into(),
        line,
        // One error, one line: the span is told by the line's number already.
        problem: problem.trim().replace('\n', "; "),
    };
    let line_of =
        |bytes: &[u8], at: usize| 1 + bytes[..at.min(bytes.len())].split(|b| *b == b'\n').count() - 1;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        bad(line_of(error.as_bytes(), at), "a byte that is no UTF-8: expected TOML, which is UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        bad(line_of(text.as_bytes(), at), error.message())
    })
}
