//! INTERPOL's ICSE baseline: `MD5;SHA1;PhotoDNA;Image ID;…;Baseline`, with a header that says which column is which.

use std::collections::HashMap;
use std::io::BufRead;

use hashward_core::Algorithm;

use crate::format::At;
use crate::format::csv;
use crate::format::draft::Draft;
use crate::format::json::scalar::flag;
use crate::format::out::{Fault, Out, Step};
use crate::{Problem, Statement};

/// What is told to people as it is.
const TOLD: [&str; 6] = [
    "Is distributed",
    "Victim identified",
    "Offender identified",
    "Series name",
    "Number of submissions",
    "Media Type",
];

/// Where each column stands, by its name in lower case.
type Header = HashMap<String, usize>;

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
    let names = csv::split(line, b';')?;
    let header: Header =
        (0..).zip(names).map(|(place, name)| (csv::text(&name).to_lowercase(), place)).collect();
    if header.contains_key("md5") || header.contains_key("sha1") {
        Ok(header)
    } else {
        Err(Fault::of("header", Problem::Missing))
    }
}

fn parse(line: &[u8], header: &Header) -> Result<Statement, Fault> {
    let fields = csv::split(line, b';')?;
    // Rows may leave out the last columns, or end in further separators.
    let value = |name: &str| {
        let field = header.get(&name.to_lowercase()).and_then(|place| fields.get(*place));
        field.map(|field| csv::text(field)).unwrap_or_default()
    };
    let key = value("Image ID");
    let mut draft = Draft::of(Some(key).filter(|key| !key.is_empty()));
    draft.digest("MD5", Algorithm::Md5, &value("MD5"))?;
    draft.digest("SHA1", Algorithm::Sha1, &value("SHA1"))?;
    draft.unmatched("PhotoDNA", "photodna", &value("PhotoDNA"))?;
    let baseline = value("Baseline");
    if !baseline.is_empty() && flag(&baseline).map_err(|problem| Fault::of("Baseline", problem))? {
        draft.category("csam-baseline");
    } else {
        draft.note("not in the baseline");
    }
    for name in TOLD {
        draft.note_value(name, Some(&value(name)));
    }
    draft.finish()
}
