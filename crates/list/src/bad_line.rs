use std::fmt;

use crate::Problem;

/// A line that gives no digest, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadLine {
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: expected {}", self.line, self.problem, self.problem.expected())
    }
}

/// The bad lines of a file: how many there are, and the first of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BadLines {
    /// How many lines are bad.
    pub count: u64,
    /// The first of them, at most [`BadLines::FIRST_MAX`].
    pub first: Vec<BadLine>,
}

impl BadLines {
    /// How many bad lines are told one by one.
    pub const FIRST_MAX: usize = 10;

    /// Whether no line is bad.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts one more, and keeps it if it is among the first.
    pub(crate) fn push(&mut self, line: u64, problem: Problem) {
        self.count += 1;
        if self.first.len() < Self::FIRST_MAX {
            self.first.push(BadLine { line, problem });
        }
    }
}
