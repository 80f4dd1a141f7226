//! JSON of any length, cut into items that fit into memory.
//!
//! The scanner knows just enough of JSON (RFC 8259) to find where values begin and end. An item is then read by
//! `serde_json`. So a bad item is one bad item, and neither a long string nor deep nesting takes memory.

pub(super) mod hashes;
pub(super) mod scalar;

use std::io::BufRead;

use super::out::{Out, Step, Stop};
use super::{At, DEPTH_MAX, ITEM_BYTES_MAX, Place};
use crate::Problem;

/// The longest name of a field that is looked at, in bytes.
const KEY_BYTES_MAX: usize = 1024;

pub(super) struct Scanner<'r> {
    reader: &'r mut dyn BufRead,
    /// How many bytes were read.
    offset: u64,
    key: Vec<u8>,
}

/// How an element or a member is read: it must leave the scanner behind the value.
type Visit<'v> = &'v mut dyn FnMut(&mut Scanner<'_>) -> Step;

impl<'r> Scanner<'r> {
    pub(super) fn new(reader: &'r mut dyn BufRead) -> Self {
        Self { reader, offset: 0, key: Vec::new() }
    }

    pub(super) fn malformed<T>(&self, problem: Problem) -> Step<T> {
        Err(Stop::Malformed(Place { at: At::Byte(self.offset), field: None }, problem))
    }

    /// The next byte that is no white space, left where it is.
    pub(super) fn peek(&mut self) -> Step<Option<u8>> {
        loop {
            let Some(byte) = self.reader.fill_buf()?.first().copied() else { return Ok(None) };
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(Some(byte));
            }
            self.bump();
        }
    }

    fn bump(&mut self) {
        self.reader.consume(1);
        self.offset += 1;
    }

    /// Passes over the byte, which must come next.
    fn take(&mut self, byte: u8, right: &'static str) -> Step {
        match self.peek()? {
            Some(next) if next == byte => {
                self.bump();
                Ok(())
            }
            Some(_) => self.malformed(Problem::Syntax(right)),
            None => self.malformed(Problem::Truncated),
        }
    }

    /// Reads values one after another to the file's end: at least one.
    pub(super) fn documents(&mut self, visit: Visit<'_>) -> Step {
        for byte in b"\xef\xbb\xbf" {
            if self.reader.fill_buf()?.first() != Some(byte) {
                break;
            }
            self.bump();
        }
        if self.peek()?.is_none() {
            return self.malformed(Problem::Truncated);
        }
        while self.peek()?.is_some() {
            visit(self)?;
        }
        Ok(())
    }

    /// Reads an array, element by element.
    pub(super) fn elements(&mut self, visit: Visit<'_>) -> Step {
        self.take(b'[', "an array")?;
        if self.peek()? == Some(b']') {
            self.bump();
            return Ok(());
        }
        loop {
            visit(self)?;
            if self.peek()? == Some(b',') {
                self.bump();
            } else {
                return self.take(b']', "',' or ']' after an element");
            }
        }
    }

    /// Reads an object, member by member.
    pub(super) fn members(&mut self, visit: &mut dyn FnMut(&mut Scanner<'_>, &str) -> Step) -> Step {
        self.take(b'{', "an object")?;
        if self.peek()? == Some(b'}') {
            self.bump();
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.take(b':', "':' after a field's name")?;
            visit(self, &key)?;
            if self.peek()? == Some(b',') {
                self.bump();
            } else {
                return self.take(b'}', "',' or '}' after a field");
            }
        }
    }

    fn key(&mut self) -> Step<String> {
        match self.peek()? {
            Some(b'"') => {}
            Some(_) => return self.malformed(Problem::Syntax("a field's name in quotes")),
            None => return self.malformed(Problem::Truncated),
        }
        let mut key = std::mem::take(&mut self.key);
        let fits = self.value(&mut key, KEY_BYTES_MAX)?;
        let text = fits.ok().and_then(|()| serde_json::from_slice(&key).ok());
        self.key = key;
        text.map_or_else(|| self.malformed(Problem::Syntax("a field's name in quotes")), Ok)
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self) -> Step {
        self.value(&mut Vec::new(), 0).map(|_| ())
    }

    /// Passes over a value and copies it into `copy`, unless it is longer than that or too deep.
    pub(super) fn value(&mut self, copy: &mut Vec<u8>, bytes_max: usize) -> Step<Result<(), Problem>> {
        copy.clear();
        let mut end = match self.peek()? {
            None => return self.malformed(Problem::Truncated),
            Some(b',' | b':' | b']' | b'}') => return self.malformed(Problem::Syntax("a value")),
            Some(_) => End::default(),
        };
        let mut bytes = 0;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                // A number may end with the file.
                return if end.depth == 0 && !end.in_string {
                    Ok(Ok(()))
                } else {
                    self.malformed(Problem::Truncated)
                };
            }
            let found = end.find(chunk);
            let piece = &chunk[..found.unwrap_or(chunk.len())];
            bytes += piece.len();
            if bytes <= bytes_max {
                copy.extend_from_slice(piece);
            }
            let piece = piece.len();
            self.reader.consume(piece);
            self.offset += piece as u64;
            if found.is_some() {
                break;
            }
        }
        Ok(if bytes > bytes_max {
            Err(Problem::TooLarge)
        } else if end.deepest > DEPTH_MAX {
            Err(Problem::TooDeep)
        } else {
            Ok(())
        })
    }
}

/// Finds where a value ends.
#[derive(Default)]
struct End {
    depth: usize,
    deepest: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl End {
    /// How many bytes of the chunk belong to the value, if it ends here.
    fn find(&mut self, chunk: &[u8]) -> Option<usize> {
        for (i, byte) in chunk.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(i + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if self.depth > 0 || !self.begun => self.in_string = true,
                b'{' | b'[' if self.depth > 0 || !self.begun => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(i + 1);
                    }
                }
                // What follows a number, `true`, `false` or `null`, or should not.
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'"' | b'{' | b'[' | b'}' | b']'
                    if self.depth == 0 =>
                {
                    return Some(i);
                }
                _ => {}
            }
            self.begun = true;
        }
        None
    }
}

/// Counts items and hands each on, or tells why it cannot be read.
pub(super) struct Items<'o, 's> {
    pub(super) out: &'o mut Out<'s>,
    number: u64,
    item: Vec<u8>,
}

/// How an item is read: its bytes and its place.
pub(super) type ReadItem<'f> = &'f mut dyn FnMut(&[u8], At, &mut Out<'_>) -> Step;

impl<'o, 's> Items<'o, 's> {
    pub(super) fn new(out: &'o mut Out<'s>) -> Self {
        Self { out, number: 0, item: Vec::new() }
    }

    /// Reads one value as an item.
    pub(super) fn item(&mut self, scanner: &mut Scanner<'_>, read_item: ReadItem<'_>) -> Step {
        self.number += 1;
        let at = At::Item(self.number);
        match scanner.value(&mut self.item, ITEM_BYTES_MAX)? {
            Ok(()) => read_item(&self.item, at, self.out),
            Err(problem) => self.out.put(at, Err(problem.into())),
        }
    }
}

/// Reads files whose items are the elements of one array: the file's only value, or the named field of it.
pub(super) fn each_item(
    reader: &mut dyn BufRead,
    array: &str,
    right: &'static str,
    out: &mut Out<'_>,
    read_item: ReadItem<'_>,
) -> Step {
    let mut items = Items::new(out);
    Scanner::new(reader).documents(&mut |scanner| {
        if scanner.peek()? == Some(b'[') {
            return scanner.elements(&mut |scanner| items.item(scanner, read_item));
        }
        let mut found = false;
        scanner.members(&mut |scanner, key| {
            if key != array {
                return scanner.skip();
            }
            found = true;
            scanner.elements(&mut |scanner| items.item(scanner, read_item))
        })?;
        if found { Ok(()) } else { scanner.malformed(Problem::Syntax(right)) }
    })
}
