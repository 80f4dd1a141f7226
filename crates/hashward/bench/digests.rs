//! MD5, SHA-1 and SHA-256 together, on each path that this processor can take.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hashward_core::{Algorithm, AlgorithmSet, Digests};
use hashward_digest::{Path, digest_bytes, digest_many, digest_many_on};
use rayon::ThreadPoolBuilder;

use super::per_cpu_second;
use crate::progress::Progress;

/// The lengths of contents, in bytes, that are measured in company.
pub(crate) const SIZES: [usize; 3] = [4 << 10, 64 << 10, 1 << 20];
/// So many contents keep each other company: more than there are lanes.
const COMPANY: usize = 32;
/// The length of the content that has none, in bytes.
const ALONE_BYTES: usize = 16 << 20;

/// What is computed, whatever the lists hold: so that machines can be compared.
pub(crate) const THREE: AlgorithmSet =
    AlgorithmSet::EMPTY.with(Algorithm::Md5).with(Algorithm::Sha1).with(Algorithm::Sha256);

/// A million times the letter a: SHA-1 and SHA-256 as NIST publishes them for FIPS 180, MD5 as `md5sum` prints it.
const MILLION_A: [&str; 3] = [
    "7707d6ae4e027c70eea2a935c2296f21",
    "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
];

/// The rates of one path, in bytes a second of one core.
pub(crate) struct PathRates {
    /// The path's name.
    pub(crate) path: &'static str,
    /// For each of [`SIZES`], in company.
    pub(crate) together: [f64; SIZES.len()],
    /// One long content alone.
    pub(crate) alone: f64,
}

/// The paths that this processor can take, the fastest first.
pub(crate) fn paths() -> Vec<Path> {
    Path::available().collect()
}

/// Whether every path, and the code for one content, gives the published digests.
pub(crate) fn assert_right() -> Result<()> {
    let content = vec![b'a'; 1_000_000];
    let is_right = |digests: &Digests| digests.iter().map(|digest| digest.to_hex()).eq(MILLION_A);
    ensure!(is_right(&digest_bytes(THREE, &content)), "this machine computes wrong digests of one content");
    for path in paths() {
        let all = digest_many_on(path, THREE, &vec![&content[..]; path.lanes() + 1]);
        ensure!(all.iter().all(is_right), "this machine computes wrong digests on the path {}", path.name());
    }
    Ok(())
}

/// What one core does on each path.
pub(crate) fn measure_paths(share: Duration, progress: &Progress) -> Vec<PathRates> {
    let alone = noise(ALONE_BYTES);
    let of_path = |path: Path| PathRates {
        path: path.name(),
        together: SIZES.map(|bytes| {
            progress.step(&format!("{COMPANY} contents of {bytes} bytes, {}", path.name()));
            let contents: Vec<Vec<u8>> = (0..COMPANY).map(|_| noise(bytes)).collect();
            let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
            let digest = || drop(std::hint::black_box(digest_many_on(path, THREE, &contents)));
            (bytes * COMPANY) as f64 * per_cpu_second(share, digest)
        }),
        alone: {
            progress.step(&format!("one content, {}", path.name()));
            let digest = || drop(std::hint::black_box(digest_many_on(path, THREE, &[&alone])));
            ALONE_BYTES as f64 * per_cpu_second(share, digest)
        },
    };
    paths().into_iter().map(of_path).collect()
}

/// What so many threads do together on the chosen path, for each of [`SIZES`], in bytes a second by the clock.
pub(crate) fn measure_all_cores(
    threads: usize,
    share: Duration,
    progress: &Progress,
) -> Result<[f64; SIZES.len()]> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().context("starting the threads")?;
    Ok(SIZES.map(|bytes| {
        progress.step(&format!("{threads} threads, contents of {bytes} bytes"));
        let contents: Vec<Vec<Vec<u8>>> =
            (0..threads).map(|_| (0..COMPANY).map(|_| noise(bytes)).collect()).collect();
        let started = Instant::now();
        let rounds = pool.broadcast(|thread| {
            let contents: Vec<&[u8]> = contents[thread.index()].iter().map(Vec::as_slice).collect();
            let mut rounds = 0;
            while rounds == 0 || started.elapsed() < share {
                std::hint::black_box(digest_many(THREE, &contents));
                rounds += 1;
            }
            rounds
        });
        let rounds: usize = rounds.into_iter().sum();
        (rounds * bytes * COMPANY) as f64 / started.elapsed().as_secs_f64()
    }))
}

/// Bytes that look random (xorshift64).
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let mut noise: Vec<u8> = words.take(bytes.div_ceil(8)).flatten().collect();
    noise.truncate(bytes);
    noise
}
