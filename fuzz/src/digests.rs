//! Digests of contents that come in any pieces, in any company: every path of ours equals the published crates.
//!
//! The tests of `hashward-digest` take in this file, too, and replay the corpus.

use std::collections::BTreeMap;

use hashward_core::{Algorithm, AlgorithmSet, Digests};
use hashward_digest::{Digester, Path, StreamId, StreamPool, digest_bytes, digest_many_on, digest_reader};
use sha2::Digest as _;

/// Streams that may be open at a time: more than there are lanes.
const STREAMS_MAX: usize = 40;
/// All contents of an input together have about so many bytes at most, so that a run stays short: 256 KiB.
const CONTENT_BYTES_MAX: usize = 256 * 1024;

/// What a pool is asked to do.
#[derive(Clone, Copy, Debug)]
enum Act {
    Push { stream: usize, length: usize },
    End { stream: usize },
    Finish { stream: usize },
    Close { stream: usize },
    Flush,
    AdvanceFull,
    AdvanceAll,
}

/// An input as a program: first the wanted algorithms and the length of buffers, one byte each; then acts of three bytes.
struct Program<'a> {
    wanted: AlgorithmSet,
    buffer_bytes: usize,
    acts: Vec<Act>,
    input: &'a [u8],
}

impl<'a> Program<'a> {
    fn parse(input: &'a [u8]) -> Self {
        let [first, second] = [0, 1].map(|i| input.get(i).copied().unwrap_or_default());
        let chosen = Algorithm::ALL.iter().enumerate().filter(|(i, _)| first >> i & 1 == 1);
        let acts = input.get(2..).unwrap_or_default().chunks_exact(3).map(|act| {
            let stream = usize::from(act[0] & 63) % STREAMS_MAX;
            match act[0] >> 6 {
                // Short pieces, and some that are longer than a buffer.
                0 | 1 => {
                    Act::Push { stream, length: usize::from(act[1]) << (act[2] % 7) | usize::from(act[2]) }
                }
                2 => [Act::End { stream }, Act::Finish { stream }, Act::Close { stream }]
                    [usize::from(act[1] % 3)],
                _ => [Act::Flush, Act::AdvanceFull, Act::AdvanceAll][usize::from(act[1] % 3)],
            }
        });
        Self {
            wanted: chosen.map(|(_, algorithm)| *algorithm).collect(),
            buffer_bytes: usize::from(second) * 16,
            acts: acts.collect(),
            input,
        }
    }

    /// `length` bytes: the input itself from `start` on, again and again.
    fn bytes(&self, start: usize, length: usize) -> Vec<u8> {
        self.input.iter().copied().cycle().skip(start % self.input.len().max(1)).take(length).collect()
    }

    /// Does the acts in a pool on `path`. Gives each content that came to its end, with its digests.
    fn run(&self, path: Path) -> Vec<(Vec<u8>, Digests)> {
        let mut pool = StreamPool::on(path, self.wanted, STREAMS_MAX, self.buffer_bytes);
        let mut going: BTreeMap<usize, (StreamId, Vec<u8>)> = BTreeMap::new();
        let mut ended: Vec<(StreamId, Vec<u8>)> = Vec::new();
        let mut whole = Vec::new();
        let mut content_bytes = 0;
        for (place, act) in self.acts.iter().enumerate() {
            let mut told = Vec::new();
            match *act {
                Act::Push { stream, length } => {
                    if content_bytes > CONTENT_BYTES_MAX || pool.open_streams() == STREAMS_MAX {
                        continue;
                    }
                    let (id, content) = going
                        .entry(stream)
                        .or_insert_with(|| (pool.open().expect("there is room"), Vec::new()));
                    let piece = self.bytes(place * 5, length);
                    pool.push(*id, &piece).expect("it is open");
                    content.extend(piece);
                    content_bytes += length;
                }
                Act::End { stream } => ended.extend(going.remove(&stream).inspect(|(id, _)| {
                    pool.end(*id).expect("it is open");
                })),
                Act::Finish { stream } => whole.extend(
                    going
                        .remove(&stream)
                        .map(|(id, content)| (content, pool.finish(id).expect("it is open"))),
                ),
                Act::Close { stream } => {
                    if let Some((id, _)) = going.remove(&stream) {
                        pool.close(id).expect("it is open");
                    }
                }
                Act::Flush => pool.flush(),
                Act::AdvanceFull => told = pool.advance_full(),
                Act::AdvanceAll => told = pool.advance_all(),
            }
            for (id, digests) in told {
                let place =
                    ended.iter().position(|(ended, _)| *ended == id).expect("only what ended is told");
                whole.push((ended.swap_remove(place).1, digests));
            }
        }
        ended.extend(going.into_values());
        let ids: Vec<StreamId> = ended.iter().map(|(id, _)| *id).collect();
        let digests = pool.finish_all(&ids).expect("they are open");
        whole.extend(ended.into_iter().map(|(_, content)| content).zip(digests));
        whole
    }
}

/// Checks everything that an input asks for.
pub fn check(input: &[u8]) {
    let program = Program::parse(input);
    let wanted = program.wanted;
    for path in Path::available() {
        let whole = program.run(path);
        let contents: Vec<&[u8]> = whole.iter().map(|(content, _)| content.as_slice()).collect();
        let expected: Vec<Digests> = contents.iter().map(|content| published(wanted, content)).collect();
        let in_pool = whole.iter().map(|(_, digests)| *digests);
        assert!(in_pool.eq(expected.iter().copied()), "StreamPool on {path:?}");
        assert!(digest_many_on(path, wanted, &contents) == expected, "digest_many on {path:?}");
        for (content, expected) in contents.iter().zip(&expected) {
            assert!(digest_bytes(wanted, content) == *expected, "digest_bytes");
            let mut digester = Digester::new(wanted);
            content.chunks(program.buffer_bytes + 1).for_each(|piece| digester.update(piece));
            assert!(digester.finish() == *expected, "Digester");
            let mut buffer = vec![0; program.buffer_bytes + 1];
            let read = digest_reader(wanted, &mut &content[..], &mut buffer, content.len() as u64);
            assert!(read.expect("memory can be read").0 == *expected, "digest_reader");
        }
    }
}

/// What the published crates make of a content.
fn published(wanted: AlgorithmSet, content: &[u8]) -> Digests {
    let mut digests = Digests::default();
    for algorithm in wanted.iter() {
        match algorithm {
            Algorithm::Md5 => digests.set(algorithm, &md5::Md5::digest(content)),
            Algorithm::Sha1 => digests.set(algorithm, &sha1::Sha1::digest(content)),
            Algorithm::Sha256 => digests.set(algorithm, &sha2::Sha256::digest(content)),
            Algorithm::Sha512 => digests.set(algorithm, &sha2::Sha512::digest(content)),
            Algorithm::Blake3 => digests.set(algorithm, blake3::hash(content).as_bytes()),
            Algorithm::Xxh3 => digests.set(algorithm, &xxhash_rust::xxh3::xxh3_64(content).to_be_bytes()),
        }
    }
    digests
}
