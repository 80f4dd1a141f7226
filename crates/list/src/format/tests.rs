//! Every format: good samples, hostile ones, and there and back.

mod broken;
mod good;
mod hostile;
mod mutations;
mod recognised;
mod round_trip;
mod text;

use std::ops::ControlFlow;

use super::{Format, FormatError, ReadOptions, in_memory};
use crate::{Change, Statement};

/// Digests that nobody's list holds.
const MD5: &str = "00112233445566778899aabbccddeeff";
const MD5_B: &str = "0123456789abcdef0123456789abcdef";
const SHA1: &str = "00112233445566778899aabbccddeeff00112233";
const SHA256: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// Everything that a reader told of a file: each item as text, then the error if there was one.
#[derive(Debug, Default)]
struct Told {
    statements: Vec<Statement>,
    /// Statements and problems in their order: `+ …`, `- …` for withdrawals, `! …` for problems.
    lines: Vec<String>,
    error: Option<String>,
}

fn read(bytes: impl AsRef<[u8]>, format: impl Into<Option<Format>>) -> Told {
    read_with(bytes, format, ReadOptions::default())
}

fn read_with(bytes: impl AsRef<[u8]>, format: impl Into<Option<Format>>, options: ReadOptions) -> Told {
    let bytes = bytes.as_ref();
    let mut told = Told::default();
    let mut before = 0;
    let result = in_memory(bytes, format.into()).and_then(|source| {
        let total = source.total_bytes();
        source.read(&options, &mut |item| {
            assert!(
                before <= item.read_bytes && item.read_bytes <= total,
                "progress goes on and not too far"
            );
            before = item.read_bytes;
            match item.said {
                Ok(statement) => {
                    told.lines.push(told_statement(&statement));
                    told.statements.push(statement);
                }
                Err(problem) => {
                    told.lines.push(format!("! {}: {problem}: expected {}", item.place, problem.expected()));
                }
            }
            ControlFlow::Continue(())
        })
    });
    told.error = result.err().map(|error| full(&error));
    told
}

/// An error with what it comes from.
fn full(error: &FormatError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

/// A statement in one line, what it does not say left out.
fn told_statement(statement: &Statement) -> String {
    let sign = match statement.change {
        Change::Put => "+",
        Change::Withdraw => "-",
    };
    let mut words = vec![sign.to_owned()];
    words.extend(statement.key.iter().map(|key| format!("key={key}")));
    words
        .extend(statement.digests.iter().map(|digest| format!("{}={}", digest.algorithm(), digest.to_hex())));
    words.extend(statement.unmatched_signals.iter().map(|(kind, value)| format!("({kind}={value})")));
    words.extend(statement.size_bytes.iter().map(|size| format!("size={size}")));
    words.extend(statement.category.iter().map(|category| format!("category={category}")));
    words.extend(statement.reference.iter().map(|reference| format!("reference={reference}")));
    words.extend(statement.valid_from.iter().map(|from| format!("from={from}")));
    words.extend(statement.valid_until.iter().map(|until| format!("until={until}")));
    words.extend(statement.note.iter().map(|note| format!("note={note}")));
    words.join(" ")
}

/// An NSRL database with these rows: digests, size.
fn nsrl_database(rows: &[[&str; 4]]) -> Vec<u8> {
    let mut database = rusqlite::Connection::open_in_memory().unwrap();
    database
        .execute_batch(
            "CREATE TABLE FILE (sha256, sha1, md5, crc32, file_name, file_size INTEGER, package_id)",
        )
        .unwrap();
    for [sha256, sha1, md5, size] in rows {
        let insert = "INSERT INTO FILE VALUES (?1, ?2, ?3, '00000000', 'name', ?4, 1)";
        database.execute(insert, [sha256, sha1, md5, size]).unwrap();
    }
    database.serialize(rusqlite::MAIN_DB).unwrap().to_vec()
}
