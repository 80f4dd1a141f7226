//! `signal_type value`, one signal per line.

use std::io::{self, Write};

use super::{Written, puts, signals};
use crate::format::kind::{Kind, kind};
use crate::{LINE_BYTES_MAX, Statement};

pub(super) fn write(
    statements: &mut dyn Iterator<Item = Statement>,
    out: &mut dyn Write,
    written: &mut Written,
) -> io::Result<()> {
    puts(statements, written, |statement, written| {
        let mut carried = 0;
        for digest in statement.digests.iter() {
            writeln!(out, "{} {}", digest.algorithm(), digest.to_hex())?;
            carried += 1;
        }
        for (word, value) in &statement.unmatched_signals {
            if fits(word, value) {
                writeln!(out, "{word} {value}")?;
                carried += 1;
            }
        }
        written.count(carried, signals(&statement));
        Ok(())
    })
}

/// Whether the signal reads back as it is.
fn fits(word: &str, value: &str) -> bool {
    kind(word) == Some(Kind::Unmatched(word.to_owned()))
        && !value.contains(['\0', '\n', '\r'])
        && value.trim() == value
        && word.len() + value.len() + 2 <= LINE_BYTES_MAX
}
