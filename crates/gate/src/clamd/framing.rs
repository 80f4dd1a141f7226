//! What a client sends, as events: a state machine over bytes that knows no socket and no clock.
//!
//! clamd(8) frames commands in three ways: `z` before and a zero byte behind, `n` before and a newline behind, or neither
//! prefix and a newline, or not even that. Chunks of a stream are a length of four bytes, most significant first, and as many
//! bytes; a length of zero ends the stream. A descriptor comes beside one byte that means nothing.

use std::mem;

use super::Command;

/// The longest command: the longest path of Linux, and the word before it.
pub const COMMAND_BYTES_MAX: usize = 4096 + 64;

/// What ends a command, and its replies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Terminator {
    /// A newline.
    #[default]
    Newline,
    /// A zero byte.
    Zero,
}

impl Terminator {
    /// The byte itself.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Newline => b'\n',
            Self::Zero => 0,
        }
    }
}

/// Something that a client sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// A command.
    Command(Command),
    /// The next bytes of a stream.
    Data(&'a [u8]),
    /// The stream is whole.
    DataEnd,
    /// The byte beside which a descriptor came.
    Descriptor,
}

/// Why nothing that follows on a connection can be understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// A command that nobody knows, or that never ends.
    #[error("unknown command")]
    UnknownCommand,
    /// A stream that announces more bytes than are taken.
    #[error("a stream is longer than what is taken")]
    StreamTooLarge,
}

/// Makes events of bytes, in whatever pieces they come.
#[derive(Debug)]
pub struct Parser {
    stream_bytes_max: u64,
    terminator: Terminator,
    state: State,
}

#[derive(Debug)]
enum State {
    /// In a command: what has come of it.
    Command(Vec<u8>),
    /// In the length of a chunk: how many bytes of it have come, and their value. `taken` is the length of all chunks before.
    Length { digits: u8, value: u32, taken: u64 },
    /// In a chunk.
    Chunk { left: u32, taken: u64 },
    /// Before the byte beside a descriptor.
    Descriptor,
}

impl Parser {
    /// A parser that takes streams of so many bytes at most.
    pub fn new(stream_bytes_max: u64) -> Self {
        Self { stream_bytes_max, terminator: Terminator::default(), state: State::Command(Vec::new()) }
    }

    /// How the last command was framed, as far as it is known: replies end the same way.
    pub fn terminator(&self) -> Terminator {
        self.terminator
    }

    /// Whether the client is between two commands.
    pub fn is_idle(&self) -> bool {
        matches!(&self.state, State::Command(line) if line.is_empty())
    }

    /// Takes bytes off the front of `input` until they make an event; None when all are taken.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, Malformed> {
        while let Some((&byte, rest)) = input.split_first() {
            match &mut self.state {
                State::Command(line) => {
                    *input = rest;
                    if line.is_empty() {
                        self.terminator = if byte == b'z' { Terminator::Zero } else { Terminator::Newline };
                    }
                    if byte == self.terminator.byte() {
                        return self.command().map(Some);
                    }
                    if line.len() == COMMAND_BYTES_MAX {
                        return Err(Malformed::UnknownCommand);
                    }
                    line.push(byte);
                }
                State::Length { digits, value, taken } => {
                    *input = rest;
                    *value = *value << 8 | u32::from(byte);
                    *digits += 1;
                    if *digits < 4 {
                        continue;
                    }
                    let (left, taken) = (*value, *taken);
                    if left == 0 {
                        self.state = State::Command(Vec::new());
                        return Ok(Some(Event::DataEnd));
                    }
                    if u64::from(left) > self.stream_bytes_max - taken {
                        return Err(Malformed::StreamTooLarge);
                    }
                    self.state = State::Chunk { left, taken };
                }
                State::Chunk { left, taken } => {
                    let length = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let (data, rest) = input.split_at(length);
                    *input = rest;
                    // `length` is `left` at the most, which is a u32.
                    *left -= u32::try_from(length).unwrap_or(*left);
                    *taken += length as u64;
                    if *left == 0 {
                        self.state = State::Length { digits: 0, value: 0, taken: *taken };
                    }
                    return Ok(Some(Event::Data(data)));
                }
                State::Descriptor => {
                    *input = rest;
                    self.state = State::Command(Vec::new());
                    return Ok(Some(Event::Descriptor));
                }
            }
        }
        Ok(None)
    }

    /// Whether what has come is a command if nothing more comes: one without prefix needs no end.
    pub fn ends_at_pause(&self) -> bool {
        let State::Command(line) = &self.state else { return false };
        line.first().is_some_and(|&byte| !matches!(byte, b'n' | b'z'))
    }

    /// Called when the client seems to wait; see [`Parser::ends_at_pause`].
    pub fn pause(&mut self) -> Result<Option<Event<'static>>, Malformed> {
        if self.ends_at_pause() { self.command().map(Some) } else { Ok(None) }
    }

    fn command(&mut self) -> Result<Event<'static>, Malformed> {
        let State::Command(line) = &mut self.state else { return Err(Malformed::UnknownCommand) };
        let line = mem::take(line);
        let (line, is_bare) = match line.split_first() {
            Some((b'n' | b'z', rest)) => (rest, false),
            _ => (line.as_slice(), true),
        };
        let line = match self.terminator {
            Terminator::Newline => line.strip_suffix(b"\r").unwrap_or(line),
            Terminator::Zero => line,
        };
        let command = Command::parse(line, is_bare).ok_or(Malformed::UnknownCommand)?;
        self.state = match command {
            Command::InStream => State::Length { digits: 0, value: 0, taken: 0 },
            Command::Descriptor => State::Descriptor,
            _ => State::Command(Vec::new()),
        };
        Ok(Event::Command(command))
    }
}

#[cfg(test)]
#[path = "framing/tests.rs"]
mod tests;
