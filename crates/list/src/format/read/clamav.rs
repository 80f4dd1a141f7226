//! `ClamAV` signatures of whole files, `.hdb` and `.hsb`: `Hash:Size:Name`, with the engine's version behind.
//! <https://docs.clamav.net/manual/Signatures/HashSignatures.html>

use std::io::BufRead;

use hashward_core::Algorithm;

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

/// Whether a line has the form of a signature.
pub(in crate::format) fn looks_like(line: &[u8]) -> bool {
    let mut fields = line.split(|byte| *byte == b':');
    let hash = fields.next().unwrap_or_default();
    let size = fields.next().unwrap_or_default();
    matches!(hash.len(), 32 | 40 | 64)
        && hash.iter().all(u8::is_ascii_hexdigit)
        && (size == b"*" || !size.is_empty() && size.iter().all(u8::is_ascii_digit))
        && fields.next().is_some()
}

fn parse(line: &[u8]) -> Result<Statement, Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Problem::NotUtf8)?.trim();
    let mut fields = line.split(':');
    let hash = fields.next().unwrap_or_default();
    let algorithm = match hash.chars().count() {
        32 => Algorithm::Md5,
        40 => Algorithm::Sha1,
        64 => Algorithm::Sha256,
        digits => return Err(Fault::of("hash", Problem::Length { digits })),
    };
    let mut draft = Draft::default();
    draft.digest("hash", algorithm, hash)?;
    draft.statement.size_bytes = match fields.next().ok_or(Fault::of("size", Problem::Missing))? {
        "*" => None,
        size => Some(size.parse().map_err(|_| Fault::of("size", Problem::NotA("a whole number or `*`")))?),
    };
    let name = fields.next().filter(|name| !name.is_empty()).ok_or(Fault::of("name", Problem::Missing))?;
    draft.statement.reference = Some(name.to_owned());
    draft.finish()
}
