//! What the targets `clamd` and `icap` check: whatever a client sends, in whatever pieces, it is understood or refused alike,
//! nothing is taken without an event or an end, and no more is taken than was announced.

use hashward_gate::{clamd, icap};

/// The first byte says how long the pieces are, the rest is what a client sends.
fn pieces(input: &[u8]) -> Option<(&[u8], usize)> {
    let (&length, sent) = input.split_first()?;
    Some((sent, usize::from(length).max(1)))
}

/// Events as text, data as its bytes: what stands side by side is one.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: Vec<String>,
    data: Vec<u8>,
}

impl Told {
    fn data(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "an event without anything");
        if self.events.last().is_none_or(|event| event != "data") {
            self.events.push("data".to_owned());
        }
        self.data.extend_from_slice(bytes);
    }
}

/// clamd's framing.
pub fn clamd(input: &[u8]) {
    if let Some((sent, length)) = pieces(input) {
        assert_eq!(told_by_clamd(sent.chunks(length)), told_by_clamd([sent].into_iter()));
    }
}

const STREAM_BYTES_MAX: u64 = 1000;

fn told_by_clamd<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Told {
    use clamd::framing::{Event, Parser};
    let (mut told, mut parser, mut stream) = (Told::default(), Parser::new(STREAM_BYTES_MAX), 0);
    for mut piece in pieces {
        loop {
            match parser.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Event::Data(data))) => {
                    stream += data.len() as u64;
                    assert!(stream <= STREAM_BYTES_MAX, "a stream is longer than what is taken");
                    told.data(data);
                }
                Ok(Some(event)) => {
                    stream = 0;
                    told.events.push(format!("{event:?} {:?}", parser.terminator()));
                }
                Err(malformed) => {
                    told.events.push(format!("{malformed:?}"));
                    return told;
                }
            }
        }
        assert!(piece.is_empty(), "bytes are left and no event comes");
    }
    told
}

/// ICAP's framing, to somebody who wants the rest of every second preview.
pub fn icap(input: &[u8]) {
    if let Some((sent, length)) = pieces(input) {
        let (mut by_pieces, mut whole) =
            (told_by_icap(sent.chunks(length)), told_by_icap([sent].into_iter()));
        // How much is told of data before it turns out to be too much depends on the pieces.
        if whole.events.last().is_some_and(|event| event == "PreviewTooLong") {
            for told in [&mut by_pieces, &mut whole] {
                told.data.clear();
                told.events.retain(|event| event != "data");
            }
        }
        assert_eq!(by_pieces, whole);
    }
}

fn told_by_icap<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Told {
    use icap::framing::{Event, Parser};
    let (mut told, mut parser, mut goes_on) = (Told::default(), Parser::default(), false);
    for mut piece in pieces {
        loop {
            match parser.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Event::Data(data))) => told.data(data),
                Ok(Some(Event::PreviewEnd)) => {
                    goes_on = !goes_on;
                    if goes_on {
                        parser.go_on();
                    } else {
                        parser.abandon();
                    }
                    told.events.push("PreviewEnd".to_owned());
                }
                Ok(Some(event)) => told.events.push(format!("{event:?}")),
                Err(malformed) => {
                    told.events.push(format!("{malformed:?}"));
                    return told;
                }
            }
        }
        assert!(piece.is_empty(), "bytes are left and no event comes");
    }
    told
}
