use std::collections::HashMap;
use std::io;
use std::path::Path;

use hashward_core::Category;

use crate::IndexError;
use crate::spool::{SPOOL_BYTES_MAX, Spool};

/// The longest reference of an entry.
pub const REFERENCE_BYTES_MAX: usize = 4096;
/// How many different categories an index may name.
pub const CATEGORIES_MAX: usize = 4096;
/// How many references are remembered, so that one that many entries share is written once.
const REFERENCES_REMEMBERED_MAX: usize = 4096;

/// Gives references and categories the numbers by which records name them.
pub(crate) struct Texts {
    references: Spool,
    remembered: HashMap<Box<str>, u64>,
    categories: HashMap<Category, u16>,
    /// The words of the categories in the order of their numbers, each ended by a line feed.
    words: String,
}

impl Texts {
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        let references = Spool::new(folder, SPOOL_BYTES_MAX);
        Self { references, remembered: HashMap::new(), categories: HashMap::new(), words: String::new() }
    }

    /// The place of a reference among the texts. The inner error is the disk's.
    pub(crate) fn reference(&mut self, text: &str) -> Result<io::Result<u64>, IndexError> {
        let (bytes, max) = (text.len(), REFERENCE_BYTES_MAX);
        if bytes > max {
            return Err(IndexError::TooLong { what: "a reference", bytes, max });
        }
        if let Some(place) = self.remembered.get(text) {
            return Ok(Ok(*place));
        }
        let place = self.references.bytes();
        let length = u16::try_from(bytes).expect("REFERENCE_BYTES_MAX fits");
        let written =
            self.references.push(&length.to_le_bytes()).and_then(|()| self.references.push(text.as_bytes()));
        if self.remembered.len() < REFERENCES_REMEMBERED_MAX {
            self.remembered.insert(text.into(), place);
        }
        Ok(written.map(|()| place))
    }

    /// The number of a category.
    pub(crate) fn category(&mut self, category: &Category) -> Result<u16, IndexError> {
        if let Some(number) = self.categories.get(category) {
            return Ok(*number);
        }
        if self.categories.len() == CATEGORIES_MAX {
            return Err(IndexError::TooMany { what: "categories", max: CATEGORIES_MAX as u64 });
        }
        let number = u16::try_from(self.categories.len()).expect("CATEGORIES_MAX fits");
        self.categories.insert(category.clone(), number);
        self.words.push_str(category.word());
        self.words.push('\n');
        Ok(number)
    }

    /// The references, and the categories' words.
    pub(crate) fn into_parts(self) -> (Spool, String) {
        (self.references, self.words)
    }
}

/// Reads the categories' words back; `None` if they are not what [`Texts`] writes.
pub(crate) fn categories_of(words: &[u8]) -> Option<Vec<Category>> {
    let words = str::from_utf8(words).ok()?;
    if words.is_empty() {
        return Some(Vec::new());
    }
    let categories: Option<Vec<Category>> = words
        .strip_suffix('\n')?
        .split('\n')
        .take(CATEGORIES_MAX + 1)
        .map(|word| word.parse().ok())
        .collect();
    categories.filter(|categories| categories.len() <= CATEGORIES_MAX)
}
