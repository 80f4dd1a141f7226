//! What every target of a list's format checks: whatever a file holds, it is read without a crash, nothing that is told of it shows a
//! digest, and what was understood survives being written and read again.
//!
//! `cargo install cargo-fuzz`, then in this folder `cargo +nightly fuzz run --fuzz-dir . vics`; the targets are called
//! like the formats, and `auto` recognises them. The targets `digests`, `evidence`, `release` and those of doors are about something else; see
//! there.

pub mod digests;
pub mod doors;
pub mod evidence;
pub mod releases;

use std::ops::ControlFlow;

use hashward_core::ListInfo;
use hashward_list::format::{Format, ReadOptions, in_memory, write};
use hashward_list::{Change, Statement};

/// How many statements of a file are kept to be written again.
const STATEMENTS_MAX: usize = 100;

/// Reads a file as one format, or as what it seems to be.
pub fn read(file: &[u8], format: Option<Format>) {
    let mut statements = Vec::new();
    let source = match in_memory(file, format) {
        Ok(source) => source,
        Err(error) => return shows_no_digest(&error.to_string()),
    };
    let read = source.read(&ReadOptions::default(), &mut |item| {
        match item.said {
            Ok(statement) if statements.len() < STATEMENTS_MAX => statements.push(statement),
            Ok(_) => {}
            Err(problem) => shows_no_digest(&format!("{}: {problem}: {}", item.place, problem.expected())),
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = read {
        shows_no_digest(&error.to_string());
    }
    survives(&statements);
}

fn shows_no_digest(told: &str) {
    let digits = told.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
    assert!(digits.unwrap_or_default() < 16, "this shows a digest: {told}");
}

/// VICS carries everything but withdrawals and statements without signals.
fn survives(statements: &[Statement]) {
    let carried = |statement: &&Statement| {
        let signals = statement.digests.algorithms().len() + statement.unmatched_signals.len();
        statement.change == Change::Put && signals > 0
    };
    let expected: Vec<Statement> = statements.iter().filter(carried).cloned().collect();
    let info = ListInfo::bare("fuzz".parse().expect("a word is a list id"));
    let mut file = Vec::new();
    write(Format::Vics, &info, statements.iter().cloned(), &mut file).expect("memory takes everything");
    let mut read = Vec::new();
    let source = in_memory(&file, Some(Format::Vics)).expect("the format is given");
    let result = source.read(&ReadOptions::default(), &mut |item| {
        read.push(item.said.expect("what was written is right"));
        ControlFlow::Continue(())
    });
    result.expect("what was written is whole");
    assert_eq!(read, expected);
}
