//! Lookups in the loaded lists, or in a sample if none is named.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hashward_core::{Algorithm, AlgorithmSet, Digest, Generation, ListId};
use hashward_engine::Snapshot;
use hashward_list::{LoadOptions, parse_text};

use super::per_cpu_second;
use crate::config::Config;
use crate::lists;
use crate::progress::Progress;

/// Measurements here.
pub(crate) const STEPS: usize = 2;
/// So many digests are looked up at a time, as the line does with a batch.
const BATCH: usize = 256;
/// Misses are made beforehand, so many: they touch more of an index than a cache holds.
const MISSES: usize = 1 << 18;
/// Hits are taken from so many places of a text list, so many bytes each: 16 MiB.
const PIECES: u64 = 256;
const PIECE_BYTES: u64 = 64 * 1024;

/// What was found.
pub(crate) struct Lookups {
    /// Whether the lists are those that were named.
    pub(crate) of_named_lists: bool,
    /// How many entries they have.
    pub(crate) entries: u64,
    /// The algorithms of their digests.
    pub(crate) algorithms: AlgorithmSet,
    /// Digests that no list holds, looked up in a second of one core.
    pub(crate) misses_per_second: f64,
    /// Digests that a list holds. A list that is no text does not tell its digests: then there are none to look up.
    pub(crate) hits_per_second: Option<f64>,
}

/// Looks up, in the named lists or else in a list of `sample_entries`.
pub(crate) fn measure(
    config: &Config,
    sample_entries: u32,
    share: Duration,
    progress: &Progress,
) -> Result<Lookups> {
    progress.message("loading lists");
    let of_named_lists = !config.lists.files.is_empty();
    let (snapshot, listed) = if of_named_lists {
        let snapshot = lists::load(config)?.snapshot;
        let listed = config.lists.files.iter().flat_map(|path| some_of(path).unwrap_or_default());
        let listed = only_listed(&snapshot, &listed.collect::<Vec<_>>())?;
        (snapshot, listed)
    } else {
        sample(sample_entries)?
    };
    progress.step("lookups that miss");
    let strangers = strangers(snapshot.algorithms());
    let misses_per_second = rate(&snapshot, &strangers, share)?.context("the lists hold no digest")?;
    progress.step("lookups that hit");
    Ok(Lookups {
        of_named_lists,
        entries: snapshot.lists().iter().map(|list| list.entries).sum(),
        algorithms: snapshot.algorithms(),
        misses_per_second,
        hits_per_second: rate(&snapshot, &listed, share)?,
    })
}

/// Digests that are looked up in a second of one core. None if there are none to look up.
fn rate(snapshot: &Snapshot, digests: &[Digest], share: Duration) -> Result<Option<f64>> {
    let mut batches = digests.chunks(BATCH).cycle();
    let mut looked_up = 0;
    let mut times = 0;
    let mut failed = None;
    if digests.is_empty() {
        return Ok(None);
    }
    let batches_per_second = per_cpu_second(share, || {
        let batch = batches.next().expect("it goes round");
        let mut found = 0_usize;
        failed = failed.take().or(snapshot.lookup(batch, &mut |_, _| found += 1).err());
        std::hint::black_box(found);
        (looked_up, times) = (looked_up + batch.len(), times + 1);
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Some(batches_per_second * looked_up as f64 / f64::from(times))),
    }
}

/// Digests that no list holds, of each algorithm in turn that the lists hold.
fn strangers(held: AlgorithmSet) -> Vec<Digest> {
    const BYTES: usize = 64;
    let noise = super::digests::noise(MISSES * BYTES);
    let algorithms: Vec<Algorithm> = held.iter().collect();
    let drawn = noise.chunks_exact(BYTES).zip(algorithms.iter().cycle());
    let digest = |(bytes, algorithm): (&[u8], &Algorithm)| {
        Digest::new(*algorithm, &bytes[..algorithm.digest_bytes()]).expect("as many bytes as it makes")
    };
    drawn.map(digest).collect()
}

/// Those that the lists do hold.
fn only_listed(snapshot: &Snapshot, digests: &[Digest]) -> Result<Vec<Digest>> {
    let mut listed = Vec::new();
    snapshot.lookup(digests, &mut |place, _| listed.push(digests[place]))?;
    Ok(listed)
}

/// Each 32 bytes as a SHA-256.
fn digests_of(noise: &[u8]) -> Vec<Digest> {
    let digest = |bytes| Digest::new(Algorithm::Sha256, bytes).expect("it has 32 bytes");
    noise.chunks_exact(32).map(digest).collect()
}

/// A list of so many digests of SHA-256, and these.
fn sample(entries: u32) -> Result<(Arc<Snapshot>, Vec<Digest>)> {
    // From another part of the noise than the strangers.
    let noise = super::digests::noise((2 * MISSES + entries as usize) * 32);
    let digests = digests_of(&noise[2 * MISSES * 32..]);
    let mut file = tempfile::Builder::new().suffix(".txt").tempfile().context("a file for the sample")?;
    let mut text = String::with_capacity(digests.len() * 65);
    for digest in &digests {
        text.push_str(&digest.to_hex());
        text.push('\n');
    }
    file.write_all(text.as_bytes()).context("writing the sample")?;
    let list = hashward_list::load(file.path(), &LoadOptions { skip_bad_lines: false })?;
    Ok((Arc::new(Snapshot::build(Generation(1), vec![list])?), digests))
}

/// Some digests of a text list, from all its parts. None of what is no text.
fn some_of(path: &Path) -> Result<Vec<Digest>> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let id: ListId = "bench".parse().expect("it is one");
    let mut digests = Vec::new();
    let pieces = PIECES.min(bytes.div_ceil(PIECE_BYTES)).max(1);
    for piece in 0..pieces {
        file.seek(SeekFrom::Start(bytes / pieces * piece))?;
        // Of a line that was cut, the rest is bad or another digest, which no list holds.
        let read = parse_text(BufReader::new((&file).take(PIECE_BYTES)), path, &id)?;
        digests.extend(read.entries.iter().flat_map(|entry| entry.digests().collect::<Vec<_>>()));
    }
    Ok(digests)
}
