//! NCMEC's hash sharing v2: pages of `queryResult`, with `images` and `videos`.
//!
//! XML with a document type or with entities of its own is refused: both can make a small file grow without end
//! ("billion laughs") or fetch others, and no page has them.

mod entry;

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use self::entry::Entry;
use crate::Problem;
use crate::format::out::{Out, Step, Stop};
use crate::format::{At, DEPTH_MAX, ITEM_BYTES_MAX, Place};

pub(super) fn read(reader: &mut dyn BufRead, out: &mut Out<'_>) -> Step {
    let budget = Budget::default();
    let mut reader = Reader::from_reader(Bounded { reader, budget: budget.clone() });
    let mut pages = Pages { out, number: 0, path: Vec::new(), entry: None, found: false };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        budget.refill();
        let event = reader.read_event_into(&mut buffer).map_err(|error| pages.stop(error))?;
        match event {
            Event::Start(start) => pages.start(&start)?,
            Event::Empty(start) => {
                pages.start(&start)?;
                pages.end()?;
            }
            Event::End(_) => pages.end()?,
            Event::Text(text) => pages.text(text.as_ref()),
            Event::CData(text) => pages.text(text.as_ref()),
            Event::GeneralRef(reference) => pages.reference(&reference)?,
            Event::DocType(_) => return pages.malformed(Problem::Markup("a document type")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if pages.path.is_empty() && pages.found => return Ok(()),
            Event::Eof => return pages.malformed(Problem::Truncated),
        }
    }
}

struct Pages<'o, 's> {
    out: &'o mut Out<'s>,
    /// How many entries there were.
    number: u64,
    /// The names of the elements that are open.
    path: Vec<String>,
    /// The entry that is open.
    entry: Option<Entry>,
    /// There was a `queryResult`.
    found: bool,
}

impl Pages<'_, '_> {
    fn malformed<T>(&self, problem: Problem) -> Step<T> {
        let place = Place { at: At::Byte(self.out.progress.get()), field: None };
        Err(Stop::Malformed(place, problem))
    }

    fn stop(&self, error: quick_xml::Error) -> Stop {
        let problem = match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => Problem::TooLarge,
            quick_xml::Error::Io(error) => {
                return Stop::Io(io::Error::new(error.kind(), error.to_string()));
            }
            quick_xml::Error::Syntax(_) => Problem::Truncated,
            quick_xml::Error::Encoding(_) => Problem::NotUtf8,
            _ => Problem::Syntax("well-formed XML"),
        };
        Stop::Malformed(Place { at: At::Byte(self.out.progress.get()), field: None }, problem)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Step {
        if self.path.len() >= DEPTH_MAX {
            return self.malformed(Problem::TooDeep);
        }
        let name = start.local_name().as_ref().to_owned();
        if self.path.is_empty() {
            if name != "queryResult" {
                return self.malformed(Problem::Syntax("`queryResult` as the outermost element"));
            }
            self.found = true;
        }
        match &mut self.entry {
            Some(entry) => entry.start(&name, start),
            None if self.path.len() == 2 => self.entry = Entry::begin(&name),
            None => {}
        }
        self.path.push(name);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(entry) = &mut self.entry {
            entry.text(text);
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Step {
        let text = match reference.resolve_char_ref() {
            Ok(Some(character)) => character.to_string(),
            Ok(None) => match resolve_predefined_entity(reference) {
                Some(text) => text.to_owned(),
                None => return self.malformed(Problem::Markup("an entity of the file's own")),
            },
            Err(_) => return self.malformed(Problem::Markup("a character that there is not")),
        };
        self.text(&text);
        Ok(())
    }

    fn end(&mut self) -> Step {
        let name = self.path.pop();
        let Some(mut entry) = self.entry.take() else { return Ok(()) };
        if self.path.len() > 2 {
            entry.end(&name.unwrap_or_default());
            self.entry = Some(entry);
            return Ok(());
        }
        self.number += 1;
        self.out.put(At::Item(self.number), entry.finish())
    }
}

/// How many bytes may be read before the next refill.
#[derive(Clone, Default)]
struct Budget(Rc<Cell<usize>>);

impl Budget {
    fn refill(&self) {
        self.0.set(ITEM_BYTES_MAX);
    }
}

/// A reader that ends with an error where a piece of markup or text does not end.
struct Bounded<'r> {
    reader: &'r mut dyn BufRead,
    budget: Budget,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.budget.0.get();
        let bytes = self.reader.fill_buf()?;
        if left == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(&bytes[..bytes.len().min(left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.budget.0.set(self.budget.0.get() - bytes);
    }
}
