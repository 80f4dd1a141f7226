use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::{At, Item, Place};
use crate::{Problem, Statement};

/// Why an item gives no statement, and in which of its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) field: Option<&'static str>,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) const fn of(field: &'static str, problem: Problem) -> Self {
        Self { field: Some(field), problem }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

/// Why a reader stops before the file's end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Whoever takes the items wants no more.
    Enough,
    Io(io::Error),
    Malformed(Place, Problem),
    /// `SQLite`'s words for the kind of error.
    Database(&'static str),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        Self::Database(code.map_or("something else than expected is in it", rusqlite::ffi::code_to_str))
    }
}

pub(super) type Step<T = ()> = Result<T, Stop>;

/// How many bytes have been read, known to whoever reads and to whoever tells.
#[derive(Clone, Default)]
pub(super) struct Progress(Rc<Cell<u64>>);

impl Progress {
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }

    pub(super) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// Where readers put what they find.
pub(super) struct Out<'a> {
    sink: &'a mut dyn FnMut(Item) -> ControlFlow<()>,
    pub(super) progress: Progress,
}

impl<'a> Out<'a> {
    pub(super) fn new(sink: &'a mut dyn FnMut(Item) -> ControlFlow<()>, progress: Progress) -> Self {
        Self { sink, progress }
    }

    pub(super) fn put(&mut self, at: At, said: Result<Statement, Fault>) -> Step {
        let (field, said) = match said {
            Ok(statement) => (None, Ok(statement)),
            Err(fault) => (fault.field, Err(fault.problem)),
        };
        let item = Item { place: Place { at, field }, said, read_bytes: self.progress.get() };
        match (self.sink)(item) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Enough),
        }
    }
}
