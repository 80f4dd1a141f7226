//! Text: the lines of [`crate::parse_text`], and PDQ where the options say so.

use std::fmt::Write;
use std::io::BufRead;

use crate::format::draft::Draft;
use crate::format::out::{Fault, Out, Step};
use crate::format::{At, ReadOptions};
use crate::line::{self, Line};
use crate::{Problem, Statement};

/// Names that [`write`](crate::format::write()) gives to items without one, so that their digests stay together.
pub(in crate::format) const NAMELESS_PREFIX: &str = "hashward-item-";

/// The lines of one name that have followed each other so far.
struct Group {
    line: u64,
    name: String,
    draft: Draft,
}

pub(super) fn read(reader: &mut dyn BufRead, options: ReadOptions, out: &mut Out<'_>) -> Step {
    let mut group: Option<Group> = None;
    super::each_line(reader, &mut |number, text| {
        let line = match text.and_then(|text| line::parse(text).map_err(Fault::from)) {
            Ok(line) => line,
            Err(fault) => {
                close(&mut group, out)?;
                return out.put(At::Line(number), Err(fault));
            }
        };
        let name = match &line {
            Line::Nothing => return Ok(()),
            Line::Digest { name, .. } | Line::Other { name, .. } => name_text(name),
        };
        let joins = group.as_ref().is_some_and(|group| !name.is_empty() && group.name == name);
        if joins && group.as_mut().is_some_and(|group| add(&mut group.draft, &line, options).is_ok()) {
            return Ok(());
        }
        // Another name, or the same name for another item: it holds another digest of that algorithm.
        close(&mut group, out)?;
        let key = (!name.is_empty() && !name.starts_with(NAMELESS_PREFIX)).then(|| name.clone());
        let mut draft = Draft::of(key);
        match add(&mut draft, &line, options) {
            Ok(()) => group = Some(Group { line: number, name, draft }),
            Err(fault) => out.put(At::Line(number), Err(fault))?,
        }
        Ok(())
    })?;
    close(&mut group, out)
}

fn close(group: &mut Option<Group>, out: &mut Out<'_>) -> Step {
    match group.take() {
        Some(group) => out.put(At::Line(group.line), group.draft.finish()),
        None => Ok(()),
    }
}

fn add(draft: &mut Draft, line: &Line<'_>, options: ReadOptions) -> Result<(), Fault> {
    match line {
        Line::Nothing => Ok(()),
        Line::Digest { digest, by_length: true, .. } if options.pdq && digest.as_bytes().len() == 32 => {
            draft.unmatched("PDQ", "pdq", &digest.to_hex())
        }
        Line::Digest { digest, .. } => insert(&mut draft.statement, digest),
        Line::Other { kind, value, .. } => {
            let value = std::str::from_utf8(value).map_err(|_| Problem::NotUtf8)?;
            draft.named("value", kind, value)
        }
    }
}

fn insert(statement: &mut Statement, digest: &hashward_core::Digest) -> Result<(), Fault> {
    let algorithm = digest.algorithm();
    match statement.digests.get(algorithm) {
        Some(held) if held != *digest => Err(Problem::TwoDigests(algorithm).into()),
        _ => {
            statement.digests.insert(digest);
            Ok(())
        }
    }
}

/// A name as text: bytes that are no UTF-8 as `\xff`.
fn name_text(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
