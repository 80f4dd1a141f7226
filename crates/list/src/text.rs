use std::io::{BufRead, Read};
use std::path::Path;

use hashward_core::ListId;

use crate::grouping::Grouping;
use crate::line::{Line, parse};
use crate::{BadLines, ListEntry, ListError, Problem};

/// The longest line that is read, in bytes with its end: 64 KiB. A longer one is one bad line, and what is
/// beyond is passed over without being held, so that a file without line ends takes no more memory than any
/// other.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a text list holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ParsedText {
    /// The entries, in the order of the lines on which they begin. There may be none.
    pub entries: Vec<ListEntry>,
    /// How many lines the text has.
    pub lines: u64,
    /// The lines that give no digest and should.
    pub bad: BadLines,
}

/// Reads a text list to its end, line by line; bad lines are collected, whatever their number.
///
/// `path` only names the text in errors: [`ListError::Io`] and [`ListError::TooManyEntries`].
pub fn parse_text(reader: impl BufRead, path: &Path, id: &ListId) -> Result<ParsedText, ListError> {
    parse_text_limited(reader, path, id, u32::MAX)
}

/// Reads a text list that is in memory: the door for fuzzing, and for tests.
pub fn parse_text_bytes(text: &[u8], id: &ListId) -> Result<ParsedText, ListError> {
    parse_text(text, Path::new("(memory)"), id)
}

pub(crate) fn parse_text_limited(
    mut reader: impl BufRead,
    path: &Path,
    id: &ListId,
    entries_max: u32,
) -> Result<ParsedText, ListError> {
    let mut grouping = Grouping::new(id, entries_max);
    let mut bad = BadLines::default();
    let mut lines = 0;
    let mut line = Vec::new();
    while read_line(&mut reader, &mut line).map_err(|source| ListError::Io { path: path.into(), source })? {
        let text = if lines == 0 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line) } else { &line };
        lines += 1;
        if line.len() > LINE_BYTES_MAX {
            bad.push(lines, Problem::TooLong { carriage_returns: line.contains(&b'\r') });
            continue;
        }
        let text = text.strip_suffix(b"\n").map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
        match parse(text) {
            Ok(Line::Nothing) => {}
            Ok(Line::Digest { digest, name, .. }) => {
                let full = |_| ListError::TooManyEntries { path: path.into(), entries_max };
                grouping.add(lines, &digest, &name).map_err(full)?;
            }
            Ok(Line::Other { problem, .. }) | Err(problem) => bad.push(lines, problem),
        }
    }
    Ok(ParsedText { entries: grouping.into_entries(), lines, bad })
}

/// Reads the next line with its end into `line`, or says that there is none. If it is longer than
/// [`LINE_BYTES_MAX`], `line` holds one byte more than that, and the rest is passed over.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    reader.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', line)?;
    if line.len() > LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}
