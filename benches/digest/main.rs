//! MD5, SHA-1 and SHA-256 of many contents: each path of ours against the RustCrypto crates one after another, side by
//! side in one run. `cargo bench -p hashward-digest`.
//!
//! Processor time of this thread, not the clock on the wall: the machine may be shared. Each workload is measured in
//! rounds, all contenders in turn, and the median of each contender's rounds counts. The ratios are what to compare.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]

mod contents;

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::time::Duration;

use contents::{Workload, workloads};
use hashward_core::{Algorithm, AlgorithmSet, Digests};
use hashward_digest::{Digester, Path, StreamId, StreamPool, digest_bytes, digest_many_on};
use md5::Digest as _;
use rustix::time::{ClockId, clock_gettime};

/// Open at a time in a pool.
const STREAMS: usize = 32;
const ROUNDS: usize = 9;
/// Each round does a workload so often that it takes about as long as this many bytes take.
const ROUND_BYTES: usize = 48 << 20;
const THREE: AlgorithmSet =
    AlgorithmSet::EMPTY.with(Algorithm::Md5).with(Algorithm::Sha1).with(Algorithm::Sha256);

type Way = Box<dyn Fn(AlgorithmSet, &[&[u8]]) -> Vec<Digests>>;

/// A way to the digests of all contents of a workload.
struct Contender {
    name: String,
    digest: Way,
}

fn main() {
    // `cargo bench NAME` measures the workloads whose name has NAME in it. `cargo test --benches` passes no `--bench`.
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let contenders = contenders();
    println!("## MD5, SHA-1 and SHA-256 together\n");
    header(&contenders);
    for workload in workloads().iter().filter(|workload| workload.name.contains(&filter)) {
        row(&workload.name, &contenders, THREE, workload);
    }
    println!("\n## One algorithm alone\n");
    header(&contenders);
    for workload in workloads().iter().filter(|workload| workload.alone && workload.name.contains(&filter)) {
        for algorithm in Algorithm::ALL {
            let name = format!("{}, {}", algorithm.word(), workload.name);
            row(&name, &contenders, AlgorithmSet::EMPTY.with(*algorithm), workload);
        }
    }
}

fn contenders() -> Vec<Contender> {
    let mut contenders = vec![
        Contender { name: "RustCrypto".into(), digest: Box::new(one_after_another) },
        Contender {
            name: "one by one".into(),
            digest: Box::new(|wanted, contents| {
                contents.iter().map(|content| digest_bytes(wanted, content)).collect()
            }),
        },
    ];
    for path in Path::available() {
        contenders.push(Contender {
            name: path.name().into(),
            digest: Box::new(move |wanted, contents| digest_many_on(path, wanted, contents)),
        });
    }
    contenders.push(Contender { name: "StreamPool".into(), digest: in_a_pool() });
    contenders
}

/// The baseline: each algorithm's crate over the whole content, then the next.
fn one_after_another(wanted: AlgorithmSet, contents: &[&[u8]]) -> Vec<Digests> {
    contents
        .iter()
        .map(|content| {
            let mut digests = Digests::default();
            for algorithm in wanted.iter() {
                match algorithm {
                    Algorithm::Md5 => digests.set(algorithm, &md5::Md5::digest(content)),
                    Algorithm::Sha1 => digests.set(algorithm, &sha1::Sha1::digest(content)),
                    Algorithm::Sha256 => digests.set(algorithm, &sha2::Sha256::digest(content)),
                    other => {
                        let mut digester = Digester::new(AlgorithmSet::EMPTY.with(other));
                        digester.update(content);
                        digests.insert(&digester.finish().get(other).expect("it was wanted"));
                    }
                }
            }
            digests
        })
        .collect()
}

/// As a scan does it: 32 files open at a time, each read in pieces of 256 KiB. The pool lives as long as the scan.
fn in_a_pool() -> Way {
    const PIECE_BYTES: usize = 256 * 1024;
    let pools: RefCell<HashMap<AlgorithmSet, StreamPool>> = RefCell::default();
    Box::new(move |wanted, contents| {
        let mut pools = pools.borrow_mut();
        let pool = pools.entry(wanted).or_insert_with(|| StreamPool::new(wanted, STREAMS, PIECE_BYTES));
        scan(pool, contents)
    })
}

fn scan(pool: &mut StreamPool, contents: &[&[u8]]) -> Vec<Digests> {
    let mut done = vec![Digests::default(); contents.len()];
    let mut open: Vec<(usize, &[u8], StreamId)> = Vec::new();
    let mut next = contents.iter().copied().enumerate();
    loop {
        while open.len() < STREAMS
            && let Some((place, content)) = next.next()
        {
            open.push((place, content, pool.open().expect("there is room")));
        }
        if open.is_empty() {
            return done;
        }
        for (_, left, id) in &mut open {
            let space = pool.space(*id).expect("it is open");
            let bytes = left.len().min(space.len());
            space[..bytes].copy_from_slice(&left[..bytes]);
            pool.filled(*id, bytes).expect("it is open");
            *left = &left[bytes..];
        }
        let (ended, going): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, left, _)| left.is_empty());
        let ids: Vec<_> = ended.iter().map(|(_, _, id)| *id).collect();
        let digests = pool.finish_all(&ids).expect("they are open");
        ended.iter().zip(digests).for_each(|((place, _, _), digests)| done[*place] = digests);
        open = going;
    }
}

fn header(contenders: &[Contender]) {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name.as_str()).collect();
    println!("| contents | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
}

/// Prints each contender's rate in GB/s, and beside it the ratio to the first.
fn row(name: &str, contenders: &[Contender], wanted: AlgorithmSet, workload: &Workload) {
    let contents: Vec<&[u8]> = workload.contents.iter().map(Vec::as_slice).collect();
    let bytes: usize = contents.iter().map(|content| content.len()).sum();
    let right = (contenders[0].digest)(wanted, &contents);
    for contender in contenders {
        assert!((contender.digest)(wanted, &contents) == right, "{} is wrong: {name}", contender.name);
    }
    let times = (ROUND_BYTES / bytes).max(1);
    let mut seconds = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, seconds) in contenders.iter().zip(&mut seconds) {
            let started = processor_time();
            for _ in 0..times {
                std::hint::black_box((contender.digest)(wanted, std::hint::black_box(&contents)));
            }
            seconds.push((processor_time() - started).as_secs_f64());
        }
    }
    let rates: Vec<f64> = seconds
        .into_iter()
        .map(|mut seconds| {
            seconds.sort_by(f64::total_cmp);
            (times * bytes) as f64 / seconds[ROUNDS / 2] / 1e9
        })
        .collect();
    let cells: Vec<String> =
        rates.iter().map(|rate| format!("{rate:.3} ({:.2}×)", rate / rates[0])).collect();
    println!("| {name} | {} |", cells.join(" | "));
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("processor time is positive")
}
