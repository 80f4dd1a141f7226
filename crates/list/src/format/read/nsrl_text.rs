//! NSRL's Reference Data Set as text: quoted, comma-separated, with a header that says which column is which (1.5 and
//! 2.0 order them differently).

use std::io::BufRead;

use hashward_core::Algorithm;

use crate::format::At;
use crate::format::csv;
use crate::format::draft::Draft;
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

struct Header {
    columns: usize,
    sha1: Option<usize>,
    md5: Option<usize>,
    size: Option<usize>,
    special: Option<usize>,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    let mut header: Option<Header> = None;
    super::each_line(reader, &mut |number, line| {
        let said = match (line, &header) {
            (Ok(line), Some(header)) => parse(line, header),
            (Ok(line), None) => match parse_header(line) {
                Ok(read) => {
                    header = Some(read);
                    return Ok(());
                }
                Err(fault) => Err(fault),
            },
            (Err(fault), _) => Err(fault),
        };
        out.put(At::Line(number), said)
    })
}

fn parse_header(line: &[u8]) -> Result<Header, Fault> {
    let names = csv::split(line, b',')?;
    let place = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted.as_bytes()));
    let header = Header {
        columns: names.len(),
        sha1: place("SHA-1"),
        md5: place("MD5"),
        size: place("FileSize"),
        special: place("SpecialCode"),
    };
    if header.sha1.is_none() && header.md5.is_none() {
        return Err(Fault::of("header", Problem::Missing));
    }
    Ok(header)
}

fn parse(line: &[u8], header: &Header) -> Result<Statement, Fault> {
    let fields = csv::split(line, b',')?;
    if fields.len() != header.columns {
        return Err(Problem::Columns { header: header.columns, row: fields.len() }.into());
    }
    let field = |place: Option<usize>| {
        place.map_or(Ok(""), |place| {
            std::str::from_utf8(&fields[place]).map(str::trim).map_err(|_| Problem::NotUtf8)
        })
    };
    // The data set marks what it knows to be malicious; that is no known-good file.
    if field(header.special)?.eq_ignore_ascii_case("M") {
        return Err(Fault::of("SpecialCode", Problem::NotListed("NSRL marks the file as malicious")));
    }
    let mut draft = Draft::default();
    draft.digest("SHA-1", Algorithm::Sha1, field(header.sha1)?)?;
    draft.digest("MD5", Algorithm::Md5, field(header.md5)?)?;
    let size = field(header.size)?;
    if !size.is_empty() {
        let size = size.parse().map_err(|_| Fault::of("FileSize", Problem::NotA("a whole number")))?;
        draft.statement.size_bytes = Some(size);
    }
    draft.finish()
}
