mod coreutils;
mod streams;
mod vectors;

use std::io::{self, Read};

use hashward_core::{AlgorithmSet, Digests};

use crate::{Digester, digest_bytes, digest_reader};

/// A reader that hands out at most `step` bytes at a time, and is interrupted before each read.
struct Stepwise<'a> {
    content: &'a [u8],
    step: usize,
    interrupt_next: bool,
}

impl<'a> Stepwise<'a> {
    fn new(content: &'a [u8], step: usize) -> Self {
        Self { content, step, interrupt_next: true }
    }
}

impl Read for Stepwise<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt_next = !self.interrupt_next;
        if !self.interrupt_next {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let bytes = self.step.min(buffer.len());
        self.content.read(&mut buffer[..bytes])
    }
}

/// The digests of `content` by way of each entry point, with the way's name.
fn by_every_way(wanted: AlgorithmSet, content: &[u8]) -> Vec<(String, Digests)> {
    // Byte by byte, unless that would take long.
    let least = if content.len() > 200_000 { 61 } else { 1 };
    let mut ways = vec![("digest_bytes".to_owned(), digest_bytes(wanted, content))];
    for piece_bytes in [least, 63, 4_096, usize::MAX] {
        let mut digester = Digester::new(wanted);
        content.chunks(piece_bytes).for_each(|piece| digester.update(piece));
        ways.push((format!("Digester, pieces of {piece_bytes}"), digester.finish()));
    }
    for (buffer_bytes, step) in [(least, 1), (100, 7), (64 * 1024, least), (64 * 1024, usize::MAX)] {
        let mut buffer = vec![0xa5; buffer_bytes];
        let mut reader = Stepwise::new(content, step);
        let (digests, bytes) = digest_reader(wanted, &mut reader, &mut buffer, content.len() as u64).unwrap();
        assert_eq!(bytes, content.len() as u64);
        ways.push((format!("digest_reader, buffer of {buffer_bytes}, steps of {step}"), digests));
    }
    ways
}
