//! One reader per format.

pub(super) mod clamav;
mod hashdeep;
mod icse;
mod misp;
mod ncmec;
pub(super) mod nsrl_sqlite;
mod nsrl_text;
mod signal_lines;
pub(super) mod stix;
mod stopncii;
mod tech_against_terrorism;
pub(super) mod text;
mod threatexchange;
mod vics;

use std::io::BufRead;

use super::out::{Fault, Out, Step};
use super::{Format, ReadOptions};
use crate::text::{BYTE_ORDER_MARK, read_line};
use crate::{LINE_BYTES_MAX, Problem};

/// Reads a file that is a stream of bytes: every format but [`Format::NsrlSqlite`].
pub(super) fn read(
    format: Format,
    reader: &mut dyn BufRead,
    options: ReadOptions,
    out: &mut Out<'_>,
) -> Step {
    match format {
        Format::Text => text::read(reader, options, out),
        Format::Hashdeep => hashdeep::read(reader, out),
        Format::SignalLines => signal_lines::read(reader, out),
        Format::ClamAv => clamav::read(reader, out),
        Format::NsrlText => nsrl_text::read(reader, out),
        Format::NsrlSqlite => unreachable!("a database is no stream of bytes"),
        Format::Vics => vics::read(reader, out),
        Format::Icse => icse::read(reader, out),
        Format::Ncmec => ncmec::read(reader, out),
        Format::StopNcii => stopncii::read(reader, out),
        Format::TechAgainstTerrorism => tech_against_terrorism::read(reader, out),
        Format::ThreatExchange => threatexchange::read(reader, out),
        Format::Stix => stix::read(reader, out),
        Format::Misp => misp::read(reader, out),
    }
}

/// How a line is read: its number from 1, and its bytes without the line end, or what is wrong with it as a line.
type ReadLine<'f> = &'f mut dyn FnMut(u64, Result<&[u8], Fault>) -> Step;

/// Reads a file line by line, empty ones left out.
fn each_line(mut reader: &mut dyn BufRead, read: ReadLine<'_>) -> Step {
    let mut line = Vec::new();
    let mut number = 0;
    while read_line(&mut reader, &mut line)? {
        number += 1;
        if line.len() > LINE_BYTES_MAX {
            read(number, Err(Problem::TooLong { carriage_returns: line.contains(&b'\r') }.into()))?;
            continue;
        }
        let text = if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line) } else { &line };
        let text = text.strip_suffix(b"\n").map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
        if text.trim_ascii().is_empty() {
            continue;
        }
        read(number, plain(text))?;
    }
    Ok(())
}

/// The line, if no byte in it could hide the rest of the file.
fn plain(line: &[u8]) -> Result<&[u8], Fault> {
    let Some(at) = line.iter().position(|byte| matches!(byte, 0 | b'\r')) else { return Ok(line) };
    let character = String::from_utf8_lossy(&line[..at]).chars().count() + 1;
    let nul = line[at] == 0;
    Err(if nul { Problem::NulByte { character } } else { Problem::CarriageReturn { character } }.into())
}
