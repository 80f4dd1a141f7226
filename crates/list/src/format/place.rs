use std::fmt;

use crate::{Problem, Statement};

/// What a number in a [`Place`] counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// Lines, from 1.
    Line(u64),
    /// Items, from 1, in the order in which they stand in the file.
    Item(u64),
    /// Rows of a table, by its own numbers.
    Row(i64),
    /// Bytes before the place.
    Byte(u64),
}

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The line, item, row or byte.
    pub at: At,
    /// The field of it, if one is meant.
    pub field: Option<&'static str>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Line(number) => write!(f, "line {number}")?,
            At::Item(number) => write!(f, "item {number}")?,
            At::Row(number) => write!(f, "row {number}")?,
            At::Byte(number) => write!(f, "after {number} bytes")?,
        }
        self.field.map_or(Ok(()), |field| write!(f, ", {field}"))
    }
}

/// What a reader tells of one item of a file.
#[derive(Debug)]
pub struct Item {
    /// Where the item stands.
    pub place: Place,
    /// What the file says of it, or why that cannot be taken up.
    pub said: Result<Statement, Problem>,
    /// How much of the file has been read, in bytes; see [`Source::total_bytes`](super::Source::total_bytes).
    pub read_bytes: u64,
}
