//! What a client sends, as events: a state machine over bytes that knows no socket and no clock.
//!
//! A request is its head, the encapsulated heads, and perhaps a chunked body (RFC 3507). With a preview the first bytes of
//! the body come as a chunked body of their own; then the client waits for what it is told.

use std::mem;

use super::chunks::{Chunk, Chunks};
use super::head::Head;

/// The longest head of an ICAP request, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 << 10;
/// The longest encapsulated heads, in bytes, both together.
pub const ENCAPSULATED_BYTES_MAX: usize = 256 << 10;

/// A request, without its body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Its head.
    pub head: Head,
    /// The head of the HTTP request, as it came; empty if there is none.
    pub request_head: Vec<u8>,
    /// The head of the HTTP response, as it came; empty if there is none.
    pub response_head: Vec<u8>,
}

/// Something that a client sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// A request. If it has a body, that follows, up to [`Event::BodyEnd`].
    Request(Box<Request>),
    /// The next bytes of the body.
    Data(&'a [u8]),
    /// The preview is over, and more of the body exists. The client waits: see [`Parser::go_on`] and [`Parser::abandon`].
    PreviewEnd,
    /// The body is whole.
    BodyEnd,
}

/// Why nothing that follows on a connection can be understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// The request line or a header is none.
    #[error("malformed head: expected a request line and headers as in RFC 3507, section 4.3")]
    Head,
    /// The heads are longer than what is taken.
    #[error("the heads are longer than what is taken")]
    HeadTooLarge,
    /// A version that nobody speaks.
    #[error("expected ICAP/1.0")]
    Version,
    /// A method that nobody knows.
    #[error("expected OPTIONS, REQMOD or RESPMOD")]
    Method,
    /// `Encapsulated` is missing or says what cannot be.
    #[error("malformed Encapsulated header: see RFC 3507, section 4.4.1")]
    Encapsulated,
    /// The body is not chunked as it should be.
    #[error("malformed chunk")]
    Chunk,
    /// More bytes came before the preview's end than it announced.
    #[error("the preview is longer than it said")]
    PreviewTooLong,
}

/// Makes events of bytes, in whatever pieces they come.
#[derive(Debug)]
pub struct Parser {
    state: State,
}

#[derive(Debug)]
enum State {
    /// In the head: what has come of it.
    Head(Vec<u8>),
    /// In the encapsulated heads.
    Sections { head: Head, bytes: Vec<u8> },
    /// In the body. While in a preview, how many bytes of it may still come.
    Body { chunks: Chunks, preview_left: Option<u64> },
    /// Behind a preview.
    Waiting,
}

impl Default for Parser {
    fn default() -> Self {
        Self { state: State::between() }
    }
}

impl State {
    fn between() -> Self {
        Self::Head(Vec::new())
    }
}

impl Parser {
    /// Whether the client is between two requests.
    pub fn is_idle(&self) -> bool {
        matches!(&self.state, State::Head(head) if head.is_empty())
    }

    /// Takes bytes off the front of `input` until they make an event; None when all are taken, or when the client should be
    /// waiting behind its preview.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, Malformed> {
        while let Some((&byte, rest)) = input.split_first() {
            match &mut self.state {
                State::Head(head) => {
                    *input = rest;
                    head.push(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        let head = Head::parse(head, ENCAPSULATED_BYTES_MAX)?;
                        if head.sections.heads_bytes() == 0 {
                            return Ok(Some(self.request(head, Vec::new())));
                        }
                        self.state = State::Sections { head, bytes: Vec::new() };
                    } else if head.len() >= HEAD_BYTES_MAX {
                        return Err(Malformed::HeadTooLarge);
                    }
                }
                State::Sections { head, bytes } => {
                    let expected = head.sections.heads_bytes();
                    let (piece, rest) = input.split_at(input.len().min(expected - bytes.len()));
                    *input = rest;
                    bytes.extend_from_slice(piece);
                    if bytes.len() == expected {
                        let bytes = mem::take(bytes);
                        let State::Sections { head, .. } = mem::replace(&mut self.state, State::between())
                        else {
                            unreachable!("the state was matched above")
                        };
                        return Ok(Some(self.request(head, bytes)));
                    }
                }
                State::Body { chunks, preview_left } => match chunks.next(input)? {
                    None => {}
                    Some(Chunk::Data(data)) => {
                        if let Some(left) = preview_left {
                            *left = left.checked_sub(data.len() as u64).ok_or(Malformed::PreviewTooLong)?;
                        }
                        return Ok(Some(Event::Data(data)));
                    }
                    Some(Chunk::Last { is_eof }) => {
                        let is_preview = preview_left.is_some() && !is_eof;
                        self.state = if is_preview { State::Waiting } else { State::between() };
                        return Ok(Some(if is_preview { Event::PreviewEnd } else { Event::BodyEnd }));
                    }
                },
                State::Waiting => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The client was told to send the rest of the body.
    pub fn go_on(&mut self) {
        if matches!(self.state, State::Waiting) {
            self.state = State::Body { chunks: Chunks::new(), preview_left: None };
        }
    }

    /// The client was answered at its preview: it sends no more of this body.
    pub fn abandon(&mut self) {
        if matches!(self.state, State::Waiting) {
            self.state = State::between();
        }
    }

    fn request(&mut self, head: Head, mut request_head: Vec<u8>) -> Event<'static> {
        let response_head = request_head.split_off(head.sections.request_head_bytes.unwrap_or_default());
        self.state = if head.sections.has_body {
            State::Body { chunks: Chunks::new(), preview_left: head.preview_bytes }
        } else {
            State::between()
        };
        Event::Request(Box::new(Request { head, request_head, response_head }))
    }
}

#[cfg(test)]
#[path = "framing/tests.rs"]
mod tests;
