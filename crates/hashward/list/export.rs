//! `list export`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use hashward_list::format::{self, Format, FormatError, Written};
use hashward_list::store::{Entries, Store, StoreError, StoredEntry, Which};
use hashward_list::{Change, Statement};
use tempfile::NamedTempFile;

use super::args::Export;
use crate::exit::Exit;
use crate::output::{Output, Style, counted};

/// Writes the list for others.
pub(super) fn export(arguments: &Export, style: Style) -> Result<Exit> {
    let store = Store::open_read_only(&arguments.at.folder)?;
    let info = store.info()?;
    let which = if arguments.withdrawn { Which::All } else { Which::InForce };
    let mut said = Said::new(store.entries(which)?);
    let format = arguments.format;
    let mut write = |out: &mut dyn Write| -> Result<Written> {
        let written = format::write(format, &info, &mut said, out);
        // What the list could not give is the reason of an export that seems whole.
        said.failure.take().map_or(Ok(()), Err)?;
        Ok(written?)
    };
    let written = match &arguments.out {
        Some(path) => replace(path, write)?,
        None => match write(&mut io::stdout().lock()) {
            Err(error) if is_broken_pipe(&error) => return Ok(Exit::Success),
            written => written?,
        },
    };
    match (style.json, &arguments.out) {
        (false, _) => said.tell(format, written),
        (true, Some(_)) => Output::stdout(style.color).json(&said.json(written))?,
        // Standard output has the list.
        (true, None) => eprintln!("{}", said.json(written)),
    }
    Ok(Exit::Success)
}

/// Whether nobody reads any more: that is no error, as with every other command.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    matches!(error.downcast_ref(), Some(FormatError::Write(error)) if pipe(error))
}

/// Makes a file that is there whole, or not at all: only its owner may read it, as lists are secret.
fn replace<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let named = || path.display().to_string();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).with_context(named)?;
    let written = write(&mut file)?;
    file.as_file().sync_all().with_context(named)?;
    file.persist(path).with_context(named)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(named)?;
    Ok(written)
}

/// What the list says, entry by entry, and what of it is worth telling. It ends at the first failure.
struct Said {
    entries: Entries,
    state: u64,
    failure: Option<StoreError>,
    disputed: u64,
    bounded: u64,
}

impl Said {
    fn new(entries: Entries) -> Self {
        Self { state: entries.state_number(), entries, failure: None, disputed: 0, bounded: 0 }
    }

    /// Tells on standard error what was written, and what whoever reads it cannot know.
    fn tell(&self, format: Format, written: Written) {
        let entries = |count| counted(count, "entry", "entries");
        eprintln!("state {}: {} written as {format}", self.state, entries(written.statements));
        if written.incomplete > 0 {
            eprintln!("{} written without signals that {format} cannot carry", entries(written.incomplete));
        }
        if written.left_out > 0 {
            eprintln!("{} left out, of which {format} can carry nothing", entries(written.left_out));
        }
        if self.disputed > 0 {
            eprintln!("{} disputed, which no format carries", entries(self.disputed));
        }
        if self.bounded > 0 && !matches!(format, Format::Vics | Format::Stix) {
            eprintln!("{} not valid for ever, which {format} does not carry", entries(self.bounded));
        }
    }

    fn json(&self, written: Written) -> serde_json::Value {
        serde_json::json!({
            "state": self.state, "entries": written.statements, "incomplete": written.incomplete,
            "left_out": written.left_out, "disputed": self.disputed, "not_valid_for_ever": self.bounded,
        })
    }
}

impl Iterator for Said {
    type Item = Statement;

    fn next(&mut self) -> Option<Statement> {
        let entry = match self.entries.next()? {
            Ok(entry) => entry,
            Err(error) => {
                self.failure = Some(error);
                return None;
            }
        };
        self.disputed += u64::from(entry.is_in_force() && entry.disputed.is_some());
        self.bounded += u64::from(entry.valid_from.is_some() || entry.valid_until.is_some());
        Some(statement(entry))
    }
}

fn statement(entry: StoredEntry) -> Statement {
    Statement {
        change: if entry.is_in_force() { Change::Put } else { Change::Withdraw },
        key: entry.key,
        digests: entry.digests,
        unmatched_signals: entry.unmatched_signals,
        size_bytes: entry.size_bytes,
        category: entry.category,
        reference: entry.reference,
        valid_from: entry.valid_from,
        valid_until: entry.valid_until,
        note: entry.withdrawn.map_or(entry.note, |tombstone| Some(tombstone.reason)),
    }
}
