//! One line of a text list.

use std::borrow::Cow;
use std::ops::Range;

use hashward_core::{Algorithm, Digest};

use crate::Problem;

/// The longest word before a bracket that can be an algorithm's name, in bytes.
const TAG_BYTES_MAX: usize = 24;

/// Algorithms that other tools print and Hashward does not compute.
const FOREIGN: [&str; 26] = [
    "BLAKE2b",
    "BLAKE2b-256",
    "BLAKE2b512",
    "BLAKE2s",
    "BLAKE2s256",
    "CRC32",
    "MD2",
    "MD4",
    "RIPEMD160",
    "RMD160",
    "SHA224",
    "SHA2-224",
    "SHA384",
    "SHA2-384",
    "SHA2-512/256",
    "SHA512/256",
    "SHA3-224",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
    "SM3",
    "Tiger",
    "Whirlpool",
    "XXH32",
    "XXH64",
    "XXH128",
];

/// Signals that are compared by distance.
const FINGERPRINTS: [&str; 7] = ["PDQ", "PhotoDNA", "PDNA", "TMK", "ssdeep", "TLSH", "vPDQ"];

/// What a line says.
pub(crate) enum Line<'a> {
    /// Nothing: it is empty or a comment.
    Nothing,
    /// A digest, and the name of what it was made from: empty if there is none.
    Digest {
        digest: Digest,
        name: Cow<'a, [u8]>,
        /// Nothing but the number of digits tells the algorithm.
        by_length: bool,
    },
    /// A signal that Hashward does not match, and what is wrong with it for those who only take digests.
    Other { kind: &'static str, value: &'a [u8], name: Cow<'a, [u8]>, problem: Problem },
}

/// What a line holds, before its name is unescaped.
enum Found {
    Digest { digest: Digest, by_length: bool },
    Other { kind: &'static str, value: Range<usize>, problem: Problem },
}

/// Reads one line, given without its LF or CRLF.
pub(crate) fn parse(line: &[u8]) -> Result<Line<'_>, Problem> {
    // Before anything else: in a comment or a name, these could hide the rest of the list.
    if let Some(at) = line.iter().position(|byte| matches!(byte, 0 | b'\r')) {
        let character = character(line, at);
        let nul = line[at] == 0;
        return Err(if nul { Problem::NulByte { character } } else { Problem::CarriageReturn { character } });
    }
    let indent = line.len() - line.trim_ascii_start().len();
    let escaped = match line.get(indent) {
        None | Some(b'#') => return Ok(Line::Nothing),
        Some(first) => *first == b'\\',
    };
    let start = indent + usize::from(escaped);
    let (found, name) = match tag(line, start) {
        Some(bracket) => named(line, start, bracket)?,
        None => unnamed(line, start)?,
    };
    if let Found::Digest { digest, .. } = found
        && digest == Digest::of_empty_content(digest.algorithm())
    {
        return Err(Problem::EmptyContent(digest.algorithm()));
    }
    let name = if escaped { unescape(line, name)? } else { Cow::Borrowed(&line[name]) };
    // Tools write this for content that came through a pipe: it names nothing.
    let name = if *name == *b"-" { Cow::Borrowed(&b""[..]) } else { name };
    Ok(match found {
        Found::Digest { digest, by_length } => Line::Digest { digest, name, by_length },
        Found::Other { kind, value, problem } => Line::Other { kind, value: &line[value], name, problem },
    })
}

/// Where the bracket stands after what may be an algorithm's name: one word that is no number, then at most a
/// space.
fn tag(line: &[u8], start: usize) -> Option<usize> {
    let bracket = start + line[start..].iter().position(|byte| *byte == b'(')?;
    let word = &line[start..bracket];
    let word = word.strip_suffix(b" ").unwrap_or(word);
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_hexdigit);
    let one_word = word.len() <= TAG_BYTES_MAX && !word.iter().any(u8::is_ascii_whitespace);
    (one_word && !digits).then_some(bracket)
}

/// Reads `MD5 (name) = HEX` and `MD5(name)= HEX`, the bracket given.
fn named(line: &[u8], start: usize, bracket: usize) -> Result<(Found, Range<usize>), Problem> {
    let named = named_kind(line[start..bracket].trim_ascii_end())?;
    // The last bracket: a name may hold more of them, a digest none.
    let close = line.iter().rposition(|byte| *byte == b')').ok_or(Problem::NamedForm)?;
    let after = line[close + 1..].trim_ascii();
    let hex = after.strip_prefix(b"=").ok_or(Problem::NamedForm)?.trim_ascii_start();
    if hex.is_empty() {
        return Err(Problem::NamedForm);
    }
    let end = line.trim_ascii_end().len();
    let value = end - hex.len()..end;
    let found = match named {
        Named::Algorithm(algorithm) => {
            Found::Digest { digest: digest(line, value, algorithm)?, by_length: false }
        }
        Named::Other(kind, problem) => Found::Other { kind, value, problem },
    };
    let name = bracket + 1..close;
    // What OpenSSL prints for content that came through a pipe.
    let name = if line[name.clone()] == *b"stdin" { close..close } else { name };
    Ok((found, name))
}

/// What the word before the bracket names.
enum Named {
    Algorithm(Algorithm),
    Other(&'static str, Problem),
}

fn named_kind(word: &[u8]) -> Result<Named, Problem> {
    let word = std::str::from_utf8(word).map_err(|_| Problem::UnknownAlgorithm)?;
    if let Some(algorithm) = Algorithm::from_tool_name(word) {
        return Ok(Named::Algorithm(algorithm));
    }
    // The table's own words go into the problem, never the line's: those could be part of a digest.
    let same = |known: &&&str| known.eq_ignore_ascii_case(word);
    if let Some(name) = FINGERPRINTS.iter().find(same) {
        return Ok(Named::Other(name, Problem::Fingerprint(name)));
    }
    let foreign = FOREIGN.iter().find(same).ok_or(Problem::UnknownAlgorithm)?;
    Ok(Named::Other(foreign, Problem::ForeignAlgorithm(foreign)))
}

/// Reads `HEX`, `HEX  name`, `HEX *name`, and the same after `XXH3_`.
fn unnamed(line: &[u8], start: usize) -> Result<(Found, Range<usize>), Problem> {
    const XXH3: &[u8] = b"XXH3_";
    let xxh3 = line[start..].starts_with(XXH3);
    let start = if xxh3 { start + XXH3.len() } else { start };
    let digits = line[start..].iter().position(u8::is_ascii_whitespace).unwrap_or(line.len() - start);
    let end = start + digits;
    if let Some(format) = other_format(&line[start..]) {
        return Err(Problem::OtherFormat(format));
    }
    check_alphabet(line, start..end)?;
    let algorithm = match digits {
        _ if xxh3 => Algorithm::Xxh3,
        32 => Algorithm::Md5,
        40 => Algorithm::Sha1,
        64 => Algorithm::Sha256,
        128 => Algorithm::Sha512,
        _ => return Err(Problem::Length { digits }),
    };
    let found = Found::Digest { digest: digest(line, start..end, algorithm)?, by_length: !xxh3 };
    let rest = &line[end..];
    if rest.trim_ascii().is_empty() {
        return Ok((found, end..end));
    }
    if rest.starts_with(b"  ") || rest.starts_with(b" *") {
        return Ok((found, end + 2..line.len()));
    }
    let bad = if rest[0] == b' ' { end + 1 } else { end };
    Err(Problem::Separator { character: character(line, bad) })
}

/// Formats that no digest can be taken for, told by how their lines begin.
fn other_format(line: &[u8]) -> Option<&'static str> {
    match line {
        [b'%', b'%', b'%', b'%', ..] => Some("a hashdeep file"),
        [b'{' | b'[', ..] => Some("JSON"),
        [b'<', ..] => Some("XML"),
        [b'"', ..] => Some("CSV"),
        _ => None,
    }
}

fn check_alphabet(line: &[u8], hex: Range<usize>) -> Result<(), Problem> {
    match line[hex.clone()].iter().position(|byte| !byte.is_ascii_hexdigit()) {
        Some(at) => Err(Problem::NotHex { character: character(line, hex.start + at) }),
        None => Ok(()),
    }
}

fn digest(line: &[u8], hex: Range<usize>, algorithm: Algorithm) -> Result<Digest, Problem> {
    check_alphabet(line, hex.clone())?;
    let digits = hex.len();
    let hex = std::str::from_utf8(&line[hex]).expect("hexadecimal digits are ASCII");
    Digest::from_hex(algorithm, hex).map_err(|_| Problem::NamedLength { algorithm, digits })
}

/// The name that GNU coreutils escaped: `\\`, `\n` and `\r` stand for a backslash, a line feed, a carriage
/// return.
fn unescape(line: &[u8], name: Range<usize>) -> Result<Cow<'_, [u8]>, Problem> {
    if !line[name.clone()].contains(&b'\\') {
        return Ok(Cow::Borrowed(&line[name]));
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = line[name.clone()].iter().zip(name);
    while let Some((byte, at)) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some((b'\\', _)) => b'\\',
                Some((b'n', _)) => b'\n',
                Some((b'r', _)) => b'\r',
                _ => return Err(Problem::Escape { character: character(line, at) }),
            },
            byte => *byte,
        });
    }
    Ok(Cow::Owned(plain))
}

/// The number, from 1, of the character of which a byte is part.
fn character(line: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(&line[..at]).chars().count() + 1
}
