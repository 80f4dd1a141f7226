use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hashward_core::ListInfo;

use crate::info::read_info;
use crate::{BadLines, ListEntry, ListError, parse_text};

/// How many bytes of a file are read at a time.
const READ_BYTES: usize = 256 * 1024;

/// How a list is loaded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LoadOptions {
    /// Load a list without its bad lines, and count them, rather than not at all.
    pub skip_bad_lines: bool,
}

/// A list as it was read: at least one entry.
#[derive(Clone, Debug)]
pub struct List {
    /// What is true of the whole list.
    pub info: ListInfo,
    /// The entries, in the order of the lines on which they begin.
    pub entries: Vec<ListEntry>,
    /// The text file.
    pub path: PathBuf,
    /// The bad lines that are not in the list. None, unless [`LoadOptions::skip_bad_lines`] is set.
    pub skipped: BadLines,
}

/// Loads the text list at `path`, with the metadata from the TOML file beside it: `lists/foo.toml` for `lists/foo.txt`.
/// Without one, the list's id is the file's name without its extension, and people review what matches.
///
/// The text is read as a stream, so that memory holds the entries and not the file.
pub fn load(path: &Path, options: &LoadOptions) -> Result<List, ListError> {
    let io = |source| ListError::Io { path: path.into(), source };
    // A pipe would block, and a device may have no end.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(ListError::NotAFile(path.into()));
    }
    let info = read_info(path)?;
    let file = File::open(path).map_err(io)?;
    let text = parse_text(BufReader::with_capacity(READ_BYTES, file), path, &info.id)?;
    if !text.bad.is_empty() && !options.skip_bad_lines {
        return Err(ListError::BadLines { path: path.into(), bad: text.bad });
    }
    if text.entries.is_empty() {
        return Err(ListError::Empty { path: path.into(), skipped: text.bad });
    }
    Ok(List { info, entries: text.entries, path: path.into(), skipped: text.bad })
}
