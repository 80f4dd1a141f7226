//! hashdeep 1.0, with the columns that it can have and Hashward matches.

use std::io::{self, Write};

use hashward_core::Algorithm;

use super::{Written, puts, signals};
use crate::{LINE_BYTES_MAX, Statement};

/// The longest part of a line beside its name, in bytes.
const REST_BYTES_MAX: usize = 256;

pub(super) fn write(
    statements: &mut dyn Iterator<Item = Statement>,
    out: &mut dyn Write,
    written: &mut Written,
) -> io::Result<()> {
    const COLUMNS: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];
    out.write_all(b"%%%% HASHDEEP-1.0\n%%%% size,md5,sha1,sha256,filename\n")?;
    puts(statements, written, |statement, written| {
        let digests = COLUMNS.map(|algorithm| statement.digests.get(algorithm));
        let carried = digests.iter().flatten().count();
        written.count(carried, signals(&statement));
        if carried == 0 {
            return Ok(());
        }
        if let Some(size) = statement.size_bytes {
            write!(out, "{size}")?;
        }
        for digest in digests {
            write!(out, ",{}", digest.map(|digest| digest.to_hex()).unwrap_or_default())?;
        }
        // A name that is not one line has no place here.
        let name = statement.key.as_deref().unwrap_or_default();
        let fits = name.len() + REST_BYTES_MAX <= LINE_BYTES_MAX && !name.contains(['\0', '\n', '\r']);
        writeln!(out, ",{}", if fits { name } else { "" })
    })
}
