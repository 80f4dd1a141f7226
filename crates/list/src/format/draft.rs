//! A statement in the making: every signal is checked in one place.

use hashward_core::{Algorithm, Digest, DigestError};

use super::kind::{Kind, kind};
use super::out::Fault;
use super::{SIGNALS_MAX, TEXT_BYTES_MAX};
use crate::{Change, Problem, Statement};

#[derive(Clone, Default)]
pub(super) struct Draft {
    pub(super) statement: Statement,
    notes: Vec<String>,
}

impl Draft {
    /// A draft of the item that the source calls `key`.
    pub(super) fn of(key: Option<String>) -> Self {
        Self { statement: Statement { key, ..Statement::default() }, notes: Vec::new() }
    }

    /// Takes a signal of the kind that the source names.
    pub(super) fn named(&mut self, field: &'static str, name: &str, value: &str) -> Result<(), Fault> {
        match kind(name) {
            Some(Kind::Digest(algorithm)) => self.digest(field, algorithm, value),
            Some(Kind::Unmatched(word)) => self.unmatched(field, &word, value),
            None if is_sha256_or_pdq(value) => Err(Fault::of(field, Problem::Ambiguous)),
            None => Err(Fault::of(field, Problem::UnknownKind)),
        }
    }

    /// Takes a digest as hexadecimal digits; an empty value is none.
    pub(super) fn digest(
        &mut self,
        field: &'static str,
        algorithm: Algorithm,
        hex: &str,
    ) -> Result<(), Fault> {
        let hex = hex.trim();
        if hex.is_empty() {
            return Ok(());
        }
        let digest = digest(algorithm, hex).map_err(|problem| Fault::of(field, problem))?;
        match self.statement.digests.get(algorithm) {
            Some(held) if held != digest => Err(Fault::of(field, Problem::TwoDigests(algorithm))),
            _ => {
                self.statement.digests.insert(&digest);
                Ok(())
            }
        }
    }

    /// Keeps a signal of a kind that Hashward does not match; an empty value is none.
    pub(super) fn unmatched(&mut self, field: &'static str, word: &str, value: &str) -> Result<(), Fault> {
        let signals = &mut self.statement.unmatched_signals;
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        let mut place = word.to_owned();
        for number in 2.. {
            match signals.get(&place) {
                None => break,
                Some(held) if held == value => return Ok(()),
                Some(_) => place = format!("{word}#{number}"),
            }
        }
        if signals.len() >= SIGNALS_MAX {
            return Err(Fault::of(field, Problem::TooManySignals));
        }
        signals.insert(place, value.to_owned());
        Ok(())
    }

    /// Adds to what people should know.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Says `name: value` if there is a value.
    pub(super) fn note_value(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
            self.note(format!("{name}: {value}"));
        }
    }

    pub(super) fn category(&mut self, word: &str) {
        self.statement.category = Some(word.parse().expect("readers name categories that exist"));
    }

    pub(super) fn withdraw(&mut self) {
        self.statement.change = Change::Withdraw;
    }

    /// The statement, if there is something to say: a signal, or the withdrawal of an item that has a key.
    pub(super) fn finish(mut self) -> Result<Statement, Fault> {
        let statement = &self.statement;
        let named = statement.change == Change::Withdraw && statement.key.is_some();
        let empty = statement.digests.algorithms().is_empty() && statement.unmatched_signals.is_empty();
        if empty && !named {
            return Err(Problem::NoSignal.into());
        }
        if !self.notes.is_empty() {
            debug_assert!(self.statement.note.is_none(), "a reader sets a note, or adds to it");
            self.statement.note = Some(self.notes.join("; "));
        }
        let Statement { key, reference, note, .. } = &self.statement;
        for (field, text) in [("key", key), ("reference", reference), ("note", note)] {
            if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
                return Err(Fault::of(field, Problem::TextTooLong));
            }
        }
        Ok(self.statement)
    }
}

fn is_sha256_or_pdq(value: &str) -> bool {
    let value = value.trim();
    value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A digest from hexadecimal digits; that of empty content is none.
pub(super) fn digest(algorithm: Algorithm, hex: &str) -> Result<Digest, Problem> {
    let digest = Digest::from_hex(algorithm, hex).map_err(|error| match error {
        DigestError::Length(algorithm, digits) => Problem::NamedLength { algorithm, digits },
        DigestError::Alphabet(character) => Problem::NotHex { character },
    })?;
    if digest == Digest::of_empty_content(algorithm) {
        return Err(Problem::EmptyContent(algorithm));
    }
    Ok(digest)
}
