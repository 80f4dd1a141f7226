//! hashdeep: `%%%% HASHDEEP-1.0`, then `%%%% size,md5,sha256,filename`, then such lines.
//! A file's name stands last and unquoted, so that further commas belong to it.

use std::io::BufRead;

use crate::Problem;
use crate::format::At;
use crate::format::draft::Draft;
use crate::format::kind::{Kind, kind};
use crate::format::out::{Fault, Out, Step};

enum Column {
    Size,
    Kind(Kind),
    Name,
}

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    let mut columns = Vec::new();
    super::each_line(reader, &mut |number, line| {
        let said = match line {
            Ok([b'#', ..]) => return Ok(()),
            Ok(line) => match line.strip_prefix(b"%%%%") {
                Some(header) => match parse_header(header, &mut columns) {
                    Ok(()) => return Ok(()),
                    Err(fault) => Err(fault),
                },
                None => parse_row(line, &columns),
            },
            Err(fault) => Err(fault),
        };
        out.put(At::Line(number), said)
    })
}

fn parse_header(header: &[u8], columns: &mut Vec<Column>) -> Result<(), Fault> {
    let header = std::str::from_utf8(header).map_err(|_| Problem::NotUtf8)?.trim();
    if header.starts_with("HASHDEEP-") {
        return Ok(());
    }
    let column = |name: &str| match name.trim() {
        "size" => Ok(Column::Size),
        "filename" => Ok(Column::Name),
        name => kind(name).map(Column::Kind).ok_or(Fault::of("header", Problem::UnknownKind)),
    };
    *columns = header.split(',').map(column).collect::<Result<_, _>>()?;
    Ok(())
}

fn parse_row(line: &[u8], columns: &[Column]) -> Result<crate::Statement, Fault> {
    if columns.is_empty() {
        return Err(Fault::of("header", Problem::Missing));
    }
    let fields: Vec<&[u8]> = line.splitn(columns.len(), |byte| *byte == b',').collect();
    if fields.len() != columns.len() {
        return Err(Problem::Columns { header: columns.len(), row: fields.len() }.into());
    }
    let mut draft = Draft::default();
    for (column, field) in columns.iter().zip(fields) {
        let text = || std::str::from_utf8(field).map(str::trim).map_err(|_| Problem::NotUtf8);
        match column {
            Column::Name => {
                // Names may be in any encoding, everything else is ASCII.
                let name = String::from_utf8_lossy(field).into_owned();
                draft.statement.key = Some(name).filter(|name| !name.is_empty());
            }
            Column::Size => {
                let whole =
                    |text: &str| text.parse().map_err(|_| Fault::of("size", Problem::NotA("a whole number")));
                draft.statement.size_bytes =
                    Some(text()?).filter(|text| !text.is_empty()).map(whole).transpose()?;
            }
            Column::Kind(Kind::Digest(algorithm)) => draft.digest(algorithm.word(), *algorithm, text()?)?,
            Column::Kind(Kind::Unmatched(word)) => draft.unmatched("digest", word, text()?)?,
        }
    }
    draft.finish()
}
