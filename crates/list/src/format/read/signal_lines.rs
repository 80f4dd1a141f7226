//! Signal lines: `signal_type value`, as python-threatexchange's `local_file` exchange reads and appends them.

use std::io::BufRead;

use crate::format::At;
use crate::format::draft::Draft;
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    super::each_line(reader, &mut |number, line| match line {
        Ok([b'#', ..]) => Ok(()),
        Ok(line) => out.put(At::Line(number), parse(line)),
        Err(fault) => out.put(At::Line(number), Err(fault)),
    })
}

fn parse(line: &[u8]) -> Result<Statement, Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Problem::NotUtf8)?.trim();
    let (kind, value) = line.split_once([' ', '\t']).ok_or(Fault::of("value", Problem::Missing))?;
    let mut draft = Draft::default();
    draft.named("value", kind, value)?;
    draft.finish()
}
