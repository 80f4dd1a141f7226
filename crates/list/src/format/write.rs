//! Lists written for others.
//!
//! What is written reads back as the same statements, as far as the format goes:
//!
//! | Format | Carries | Does not carry |
//! |---|---|---|
//! | text | digests, the key | signals of other kinds, withdrawals, everything else |
//! | hashdeep | MD5, SHA-1, SHA-256, the size, the key if it is one line | other signals, withdrawals, everything else |
//! | signal lines | each signal, apart from the others | which of them belong together, withdrawals, everything else |
//! | VICS 2.0 | everything but withdrawals; what Project VIC has no field for is in an annotation, `@hashward.item` | withdrawals |
//! | STIX 2.1 | everything | withdrawals that name no signal |
//!
//! [`Written`] tells how much was left out.

mod hashdeep;
mod signal_lines;
mod stix;
mod text;
mod vics;

use std::io::{self, BufWriter, Write};

use hashward_core::ListInfo;

use super::{Format, FormatError};
use crate::{Change, Statement};

/// How much of a list was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// How many statements were written.
    pub statements: u64,
    /// How many of them without one or more of their signals.
    pub incomplete: u64,
    /// How many were not written, because the format can carry nothing of them.
    pub left_out: u64,
}

impl Written {
    /// Counts a statement of which `written` of `signals` signals were written.
    fn count(&mut self, written: usize, signals: usize) {
        if written == 0 {
            self.left_out += 1;
            return;
        }
        self.statements += 1;
        self.incomplete += u64::from(written < signals);
    }
}

/// Writes a list in one of [`Format::WRITABLE`], statement by statement, and flushes it.
///
/// Whoever writes a file must still sync it.
pub fn write(
    format: Format,
    info: &ListInfo,
    mut statements: impl Iterator<Item = Statement>,
    out: &mut dyn Write,
) -> Result<Written, FormatError> {
    let out = &mut BufWriter::new(out);
    let mut written = Written::default();
    let statements: &mut dyn Iterator<Item = Statement> = &mut statements;
    let done = match format {
        Format::Text => text::write(statements, out, &mut written),
        Format::Hashdeep => hashdeep::write(statements, out, &mut written),
        Format::SignalLines => signal_lines::write(statements, out, &mut written),
        Format::Vics => vics::write(info, statements, out, &mut written),
        Format::Stix => stix::write(info, statements, out, &mut written),
        other => return Err(FormatError::NotWritable(other)),
    };
    done.and_then(|()| out.flush()).map_err(FormatError::Write)?;
    Ok(written)
}

/// How many signals a statement has.
fn signals(statement: &Statement) -> usize {
    statement.digests.algorithms().len() + statement.unmatched_signals.len()
}

/// The statements that are no withdrawals; those are counted as left out.
fn puts(
    statements: &mut dyn Iterator<Item = Statement>,
    written: &mut Written,
    mut write: impl FnMut(Statement, &mut Written) -> io::Result<()>,
) -> io::Result<()> {
    for statement in statements {
        match statement.change {
            Change::Put => write(statement, written)?,
            Change::Withdraw => written.left_out += 1,
        }
    }
    Ok(())
}

/// Writes an element of an array behind what was written before.
fn json_element(out: &mut dyn Write, first: &mut bool, element: &impl serde::Serialize) -> io::Result<()> {
    out.write_all(if *first { b"\n" } else { b",\n" })?;
    *first = false;
    serde_json::to_writer(out, element).map_err(io::Error::from)
}
