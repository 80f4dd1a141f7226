//! Text, as `md5sum`, `sha256sum` and `b3sum` read it.

use std::io::{self, Write};

use hashward_core::{Algorithm, Digest};

use super::{Written, puts, signals};
use crate::format::read::text::NAMELESS_PREFIX;
use crate::{LINE_BYTES_MAX, Statement};

/// The longest part of a line beside its name, in bytes.
const REST_BYTES_MAX: usize = 256;

pub(super) fn write(
    statements: &mut dyn Iterator<Item = Statement>,
    out: &mut dyn Write,
    written: &mut Written,
) -> io::Result<()> {
    puts(statements, written, |statement, written| {
        let digests = statement.digests.algorithms().len();
        let name = match statement.key.as_deref().and_then(escape) {
            Some(name) => Some(name),
            None if digests > 1 => Some(Name { text: nameless(&statement), escaped: false }),
            None => None,
        };
        for digest in statement.digests.iter() {
            write_line(out, &digest, name.as_ref())?;
        }
        written.count(digests, signals(&statement));
        Ok(())
    })
}

struct Name {
    text: String,
    escaped: bool,
}

/// The key as a name on a line, if it reads back as it is.
fn escape(key: &str) -> Option<Name> {
    let says_nothing = key.trim_ascii().is_empty() || matches!(key, "-" | "stdin");
    if says_nothing || key.starts_with(NAMELESS_PREFIX) || key.contains('\0') {
        return None;
    }
    let escaped = key.contains(['\\', '\n', '\r']);
    let text = key.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    (text.len() + REST_BYTES_MAX <= LINE_BYTES_MAX).then_some(Name { text, escaped })
}

/// A name for digests of an item that has none, so that they stay together; it stays the same while they do.
fn nameless(statement: &Statement) -> String {
    let mut hasher = blake3::Hasher::new();
    for digest in statement.digests.iter() {
        hasher.update(digest.as_bytes());
    }
    format!("{NAMELESS_PREFIX}{}", &hasher.finalize().to_hex()[..16])
}

fn write_line(out: &mut dyn Write, digest: &Digest, name: Option<&Name>) -> io::Result<()> {
    let hex = digest.to_hex();
    let algorithm = digest.algorithm();
    if name.is_some_and(|name| name.escaped) {
        out.write_all(b"\\")?;
    }
    // The number of digits does not tell these from SHA-256 and from XXH64.
    let named = matches!(algorithm, Algorithm::Blake3 | Algorithm::Xxh3);
    let text = name.map_or("", |name| &name.text);
    if named {
        writeln!(out, "{} ({text}) = {hex}", algorithm.word().to_ascii_uppercase())
    } else if text.is_empty() {
        writeln!(out, "{hex}")
    } else {
        writeln!(out, "{hex}  {text}")
    }
}
