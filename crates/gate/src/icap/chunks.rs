//! Chunked bodies as ICAP has them: RFC 3507, section 4.5, over RFC 9112, section 7.1.

use super::framing::Malformed;

/// The longest line before a chunk, extensions included, and the longest trailer.
const LINE_BYTES_MAX: usize = 1024;
/// A chunk's size has so many hexadecimal digits at most.
const SIZE_DIGITS_MAX: usize = 15;

/// Takes a chunked body apart.
#[derive(Debug)]
pub(crate) struct Chunks {
    state: State,
}

#[derive(Debug)]
enum State {
    /// In the line before a chunk.
    Size(Vec<u8>),
    /// In a chunk, of which so many bytes are to come.
    Data(u64),
    /// Behind a chunk, with its line end before us, or the half of it.
    DataEnd { has_return: bool },
    /// Behind the last chunk: the trailer's bytes so far in the line, and in all.
    Trailer { line: Vec<u8>, bytes: usize, is_eof: bool },
}

/// Something in a chunked body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Chunk<'a> {
    /// The next bytes.
    Data(&'a [u8]),
    /// The last chunk, and whether it said `ieof`: nothing more follows the preview.
    Last { is_eof: bool },
}

impl Chunks {
    pub(crate) fn new() -> Self {
        Self { state: State::Size(Vec::new()) }
    }

    /// Takes bytes off the front of `input` until they make something; None when all are taken.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Chunk<'a>>, Malformed> {
        while let Some((&byte, rest)) = input.split_first() {
            match &mut self.state {
                State::Size(line) => {
                    *input = rest;
                    line.push(byte);
                    if !is_line(line)? {
                        continue;
                    }
                    let (size, is_eof) = size(line)?;
                    self.state = match size {
                        0 => State::Trailer { line: Vec::new(), bytes: 0, is_eof },
                        _ => State::Data(size),
                    };
                }
                State::Data(left) => {
                    let length = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let (data, rest) = input.split_at(length);
                    *input = rest;
                    *left -= length as u64;
                    if *left == 0 {
                        self.state = State::DataEnd { has_return: false };
                    }
                    return Ok(Some(Chunk::Data(data)));
                }
                State::DataEnd { has_return } => {
                    *input = rest;
                    match (byte, *has_return) {
                        (b'\r', false) => *has_return = true,
                        (b'\n', true) => self.state = State::Size(Vec::new()),
                        _ => return Err(Malformed::Chunk),
                    }
                }
                State::Trailer { line, bytes, is_eof } => {
                    *input = rest;
                    line.push(byte);
                    *bytes += 1;
                    if *bytes > LINE_BYTES_MAX {
                        return Err(Malformed::Chunk);
                    }
                    if !is_line(line)? {
                        continue;
                    }
                    if line == b"\r\n" {
                        return Ok(Some(Chunk::Last { is_eof: *is_eof }));
                    }
                    line.clear();
                }
            }
        }
        Ok(None)
    }
}

/// Whether this is a whole line, end included.
fn is_line(line: &[u8]) -> Result<bool, Malformed> {
    if line.ends_with(b"\r\n") {
        return Ok(true);
    }
    let is_broken = line.ends_with(b"\n") || line.len() >= 2 && line[line.len() - 2] == b'\r';
    if is_broken || line.len() > LINE_BYTES_MAX { Err(Malformed::Chunk) } else { Ok(false) }
}

/// The size in a chunk's line, and whether it has the extension `ieof`.
fn size(line: &[u8]) -> Result<(u64, bool), Malformed> {
    let line = str::from_utf8(line).map_err(|_| Malformed::Chunk)?.trim_end_matches("\r\n");
    let (digits, extensions) = line.split_once(';').unwrap_or((line, ""));
    let digits = digits.trim_end_matches([' ', '\t']);
    let is_number =
        (1..=SIZE_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = u64::from_str_radix(digits, 16).ok().filter(|_| is_number).ok_or(Malformed::Chunk)?;
    let is_eof = extensions.split(';').any(|extension| extension.trim() == "ieof");
    Ok((size, is_eof))
}
