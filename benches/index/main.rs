//! The index beside a Bloom filter of the shelf and a hash set, side by side in one run: `cargo bench -p
//! hashward-index`, or with other sizes `-- --signals 100000000`.
//!
//! Times are CPU time of the process, so that other programs on the machine matter little. Each contender's hits
//! are counted before it is timed. The hash set is left out above [`SET_SIGNALS_MAX`] signals.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::collections::HashSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use bloomfilter::Bloom;
use hashward_core::{Algorithm, Digest, EntryId};
use hashward_index::{EntryNumber, EntryRecord, Index, IndexWriter, Layout, SealKey, Sealer, SignalIndex};
use rustix::time::{ClockId, clock_gettime};

const SIZES: [u64; 2] = [1_000_000, 10_000_000];
/// Lookups of one measurement.
const LOOKUPS: usize = 1 << 20;
/// The batch in which an index is asked: what a line of content brings at once.
const BATCH: usize = 256;
/// Digests that are made together: they fit into the second-level cache.
const GROUP: usize = 4096;
const ROUNDS: usize = 5;
const SET_SIGNALS_MAX: u64 = 20_000_000;

fn main() {
    let mut sizes: Vec<u64> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--signals" => sizes.push(arguments.next().expect("--signals N").parse().expect("a number")),
            "--bench" => {}
            other => panic!("{other}: expected --signals N"),
        }
    }
    sealing();
    println!(
        "| signals | contender | miss, ns | hit, ns | beside bloomfilter, miss | hot bytes/signal | \
         file bytes/signal beside records | open, ms | first, ms | private, MiB | build CPU, s | build, s | build RSS, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for signals in if sizes.is_empty() { SIZES.to_vec() } else { sizes } {
        size(signals);
    }
}

/// Number `n` of the digests that are held: entry `n / 2` has the MD5 and the SHA-256 of its item.
fn held(n: u64) -> Digest {
    digest(n, if n.is_multiple_of(2) { Algorithm::Md5 } else { Algorithm::Sha256 })
}

/// Number `n` of SHA-256 digests that are not held.
fn strange(n: u64) -> Digest {
    digest(n | 1 << 63, Algorithm::Sha256)
}

fn digest(n: u64, algorithm: Algorithm) -> Digest {
    let mut bytes = [0; 32];
    let mut state = n;
    for word in bytes.chunks_exact_mut(8) {
        // SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ mixed >> 31).to_be_bytes());
    }
    Digest::new(algorithm, &bytes[..algorithm.digest_bytes()]).unwrap()
}

/// CPU time of this process, in nanoseconds.
fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// What a lookup costs: the median of [`ROUNDS`] rounds, in nanoseconds a digest. Digests are made a group at a
/// time, outside the time that is taken, so that they are as near as those that were just computed from content.
fn lookup_ns(made: &dyn Fn(u64) -> Digest, ask: &mut dyn FnMut(&[Digest])) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut spent = 0.0;
            for group in 0..LOOKUPS / GROUP {
                let digests: Vec<Digest> =
                    (group * GROUP..(group + 1) * GROUP).map(|n| made(n as u64)).collect();
                let start = cpu_ns();
                ask(&digests);
                spent += cpu_ns() - start;
            }
            spent / LOOKUPS as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// The median of [`ROUNDS`] rounds, in nanoseconds for each of `count` things.
fn median_ns(count: usize, mut round: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_ns();
            round();
            (cpu_ns() - start) / count as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// The seals: what a SHA-256 and an MD5 cost, beside keyed BLAKE3.
fn sealing() {
    let sealer = Sealer::new(&SealKey::generate().unwrap());
    println!("| sealing, ns a digest | alone | in batches | keyed BLAKE3 |");
    println!("|---|---|---|---|");
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let digests: Vec<Digest> = (0..4096).map(|n| digest(n, algorithm)).collect();
        let times = LOOKUPS / digests.len();
        let alone = median_ns(LOOKUPS, || {
            for digest in digests.iter().cycle().take(times * digests.len()) {
                black_box(sealer.seal(digest));
            }
        });
        let mut seals = vec![sealer.seal(&digests[0]); digests.len()];
        let batch = median_ns(LOOKUPS, || {
            for _ in 0..times {
                sealer.seal_batch(&digests, &mut seals);
                black_box(&seals);
            }
        });
        let blake3 = median_ns(LOOKUPS, || {
            for digest in digests.iter().cycle().take(times * digests.len()) {
                black_box(blake3::keyed_hash(&[7; 32], digest.as_bytes()));
            }
        });
        println!("| {algorithm} | {alone:.1} | {batch:.1} | {blake3:.1} |");
    }
    println!();
}

/// What the machine's memory takes for one cache line at a random place, with as many under way as a core can have:
/// no lookup that touches a cold line can be faster.
fn random_line_ns(bytes: u64) -> f64 {
    let lines: Vec<[u64; 8]> = (0..bytes / 64).map(|n| [n; 8]).collect();
    let mut state = 1_u64;
    let mut sum = 0;
    let time = median_ns(LOOKUPS, || {
        for _ in 0..LOOKUPS {
            // Independent of what is read, so that the core has as many reads under way as it can.
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            sum ^= lines[((state as u128 * lines.len() as u128) >> 64) as usize][0];
        }
    });
    black_box(sum);
    time
}

fn size(signals: u64) {
    // Spread over all that is held, in no order that memory could guess.
    let hit = |n: u64| held(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % signals);
    let folder = tempfile::tempdir().unwrap();

    let line = random_line_ns(signals * 4);
    println!(
        "| {signals} | bare read of a random cache line among 4 bytes a signal | {line:.1} | | | | | | | | | | |"
    );
    let baseline = baseline(signals, &hit);
    for layout in [Layout::FilterAndSet, Layout::LineTable] {
        let row = index(signals, layout, folder.path(), &hit, baseline);
        println!("{row}");
    }
    if signals <= SET_SIGNALS_MAX {
        hash_set(signals, &hit, baseline);
    }
}

/// Measures `bloomfilter` at one false positive in a hundred, and returns what a miss costs.
fn baseline(signals: u64, hit: &dyn Fn(u64) -> Digest) -> f64 {
    let seed = std::array::from_fn(|place| place as u8);
    let mut filter: Bloom<Digest> = Bloom::new_for_fp_rate_with_seed(signals as usize, 0.01, &seed).unwrap();
    let start = cpu_ns();
    (0..signals).for_each(|n| filter.set(&held(n)));
    let build = (cpu_ns() - start) / 1e9;
    let lookups = LOOKUPS as u64;
    assert!((0..lookups).all(|n| filter.check(&hit(n))));
    assert!((0..lookups).filter(|n| filter.check(&strange(*n))).count() < LOOKUPS / 50);
    let mut count = |digests: &[Digest]| {
        black_box(digests.iter().filter(|digest| filter.check(digest)).count());
    };
    let (miss, hit) = (lookup_ns(&strange, &mut count), lookup_ns(hit, &mut count));
    let hot = filter.len() as f64 / 8.0 / signals as f64;
    println!(
        "| {signals} | bloomfilter 3.0, 1 % pass | {miss:.0} | {hit:.0} | 1.00 | {hot:.2} | | | | | {build:.1} | | |"
    );
    miss
}

fn hash_set(signals: u64, hit: &dyn Fn(u64) -> Digest, baseline: f64) {
    let start = cpu_ns();
    let set: HashSet<Digest> = (0..signals).map(held).collect();
    let build = (cpu_ns() - start) / 1e9;
    let lookups = LOOKUPS as u64;
    assert!((0..lookups).all(|n| set.contains(&hit(n)) && !set.contains(&strange(n))));
    let mut count = |digests: &[Digest]| {
        black_box(digests.iter().filter(|digest| set.contains(digest)).count());
    };
    let (miss, hit) = (lookup_ns(&strange, &mut count), lookup_ns(hit, &mut count));
    println!(
        "| {signals} | std HashSet | {miss:.0} | {hit:.0} | {:.2} | | | | | | {build:.1} | | |",
        miss / baseline
    );
}

/// Builds, opens and asks an index, and returns its row of the table.
fn index(signals: u64, layout: Layout, folder: &Path, hit: &dyn Fn(u64) -> Digest, baseline: f64) -> String {
    let key = SealKey::generate().unwrap();
    let path = folder.join("bench.index");
    // Forgets the peak of what went before.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before_mib = status_mib("/proc/self/status", "VmRSS:");
    let (start, start_cpu) = (Instant::now(), cpu_ns());
    let mut writer = IndexWriter::create(&path, &key).unwrap().with_layout(layout);
    let mut digests = Vec::new();
    for entry in 0..signals.div_ceil(2) {
        digests.clear();
        digests.extend((entry * 2..signals.min(entry * 2 + 2)).map(held));
        writer.add(&EntryRecord::new(0, EntryId(entry)), &digests).unwrap();
    }
    writer.finish(b"{}", &mut |_| {}).unwrap();
    let (build, build_cpu) = (start.elapsed().as_secs_f64(), (cpu_ns() - start_cpu) / 1e9);
    let peak_mib = status_mib("/proc/self/status", "VmHWM:") - before_mib;

    let private_before = private_mib();
    let start = Instant::now();
    let index = Index::open(&path, &key).unwrap();
    let open_ms = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    index.warm().unwrap();
    let warm_ms = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(index.signals(), signals);

    let ask = |digests: &[Digest], tell: &mut dyn FnMut(usize, EntryNumber)| {
        for (number, batch) in digests.chunks(BATCH).enumerate() {
            index.lookup_batch(batch, &mut |place, entry| tell(number * BATCH + place, entry)).unwrap();
        }
    };
    let hits: Vec<Digest> = (0..LOOKUPS as u64).map(hit).collect();
    let mut right = 0;
    ask(&hits, &mut |place, entry| {
        right += usize::from(index.record(entry).unwrap().algorithms.contains(hits[place].algorithm()));
    });
    assert_eq!(right, LOOKUPS);
    drop(hits);
    let mut found = 0;
    let miss = lookup_ns(&strange, &mut |digests| ask(digests, &mut |_, _| found += 1));
    assert_eq!(found, 0);
    let hit = lookup_ns(hit, &mut |digests| ask(digests, &mut |_, _| found += 1));
    assert_eq!(found, ROUNDS * LOOKUPS);

    let private = private_mib() - private_before;
    let each = |bytes: u64| bytes as f64 / signals as f64;
    let beside_records = each(index.file_bytes() - 64 * index.entries());
    let row = format!(
        "| {signals} | {layout:?} | {miss:.0} | {hit:.0} | {:.2} | {:.2} | {beside_records:.2} | {open_ms:.1} | \
         {warm_ms:.0} | {private:.1} | {build_cpu:.1} | {build:.1} | {peak_mib:.0} |",
        miss / baseline,
        each(index.hot_bytes()),
    );
    drop(index);
    fs::remove_file(path).unwrap();
    row
}

/// A line of a file in /proc, in MiB.
fn status_mib(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Memory that is this process's own: what is mapped from the index file is shared, and the system can drop it.
fn private_mib() -> f64 {
    status_mib("/proc/self/smaps_rollup", "Anonymous:")
}
