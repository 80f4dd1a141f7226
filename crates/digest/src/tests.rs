mod coreutils;
mod kernels;
mod lanes;
mod paths;
mod pool;
mod streams;
mod vectors;

use std::io::{self, Read};

use hashward_core::{Algorithm, AlgorithmSet, Digests};
use sha2::Digest as _;

use crate::{
    Digester, Path, StreamPool, digest_bytes, digest_bytes_in_threads, digest_many_on, digest_reader,
};

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
    ways.push(("digest_bytes_in_threads".to_owned(), digest_bytes_in_threads(wanted, content)));
    for path in Path::available() {
        for company in [1, 2, path.lanes(), path.lanes() + 1] {
            for (place, digests) in
                digest_many_on(path, wanted, &vec![content; company]).into_iter().enumerate()
            {
                ways.push((format!("digest_many on {path:?}, place {place} of {company}"), digests));
            }
            let mut pool = StreamPool::on(path, wanted, company, 4_096);
            let streams: Vec<_> = (0..company).map(|_| pool.open().unwrap()).collect();
            for piece in content.chunks(997) {
                for stream in &streams {
                    pool.push(*stream, piece).unwrap();
                }
            }
            for (place, digests) in pool.finish_all(&streams).unwrap().into_iter().enumerate() {
                ways.push((format!("StreamPool on {path:?}, place {place} of {company}"), digests));
            }
        }
    }
    ways
}

/// What the `RustCrypto` crates, and no code of ours, make of a content.
fn reference(wanted: AlgorithmSet, content: &[u8]) -> Digests {
    let mut digests = Digests::default();
    for algorithm in wanted.iter() {
        match algorithm {
            Algorithm::Md5 => digests.set(algorithm, &md5::Md5::digest(content)),
            Algorithm::Sha1 => digests.set(algorithm, &sha1::Sha1::digest(content)),
            Algorithm::Sha256 => digests.set(algorithm, &sha2::Sha256::digest(content)),
            Algorithm::Sha512 => digests.set(algorithm, &sha2::Sha512::digest(content)),
            Algorithm::Blake3 => digests.set(algorithm, blake3::hash(content).as_bytes()),
            Algorithm::Xxh3 => {
                digests.set(algorithm, &xxhash_rust::xxh3::xxh3_64(content).to_be_bytes());
            }
        }
    }
    digests
}

/// The algorithms that run in lanes.
const IN_LANES: AlgorithmSet =
    AlgorithmSet::EMPTY.with(Algorithm::Md5).with(Algorithm::Sha1).with(Algorithm::Sha256);

/// Every set of algorithms that run in lanes but the empty one.
fn sets_in_lanes() -> impl Iterator<Item = AlgorithmSet> {
    let members: Vec<Algorithm> = IN_LANES.iter().collect();
    (1..8_u8).map(move |bits| {
        members
            .iter()
            .enumerate()
            .filter(|(i, _)| bits & 1 << i != 0)
            .map(|(_, algorithm)| *algorithm)
            .collect()
    })
}

/// Bytes without end that look random, the same for the same seed (xorshift64*).
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    })
}

fn noise_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = noise(seed).take(length.div_ceil(8)).flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}
