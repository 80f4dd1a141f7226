//! The whole line against its two limits, side by side in one run: a bare consumer of the same topic, and the digests
//! of the same bytes alone. `cargo bench --bench pipeline`.
//!
//! The broker is a real one and shares the machine, so that times say little: the ratios of one run count. Two kinds are
//! told. Rates are compared by the clock, as a provider sees them, the broker's share of the processors included. Costs
//! are compared by the process's CPU time, which the broker, another process, has no part in.
//!
//! So the share of digests in the line is told by CPU time too: by the clock the digests alone have the cores for
//! themselves, and the line has to leave a part of them to the broker.
//!
//! Each size is measured in rounds, all contenders in turn, and the median of each contender's rounds is compared. With
//! sizes or lists as arguments only these are measured: `cargo bench --bench pipeline -- 200 4096 md5,sha1,sha256`.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]

#[path = "../../tests/blackbox/broker.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod broker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use broker::{Broker, Isolation, NewRecord};
use hashward_core::{Algorithm, AlgorithmSet, Generation};
use hashward_digest::{digest_bytes, digest_many};
use hashward_engine::pipeline::{LineLimits, run};
use hashward_engine::{
    AtLeastOnce, AtLeastOnceOptions, BreakerLimits, Health, Judge, JudgeOptions, Live, Metrics, Open, Policy,
    Snapshot, Stop,
};
use hashward_kafka::{Form, KafkaOptions, at_least_once, sink};
use hashward_list::{LoadOptions, load};
use prometheus::Registry;
use rayon::prelude::*;
use rdkafka::consumer::Consumer as _;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use rustix::time::{ClockId, clock_gettime};

/// Sizes of messages in bytes, and how many of each make a run that is long enough to time.
const SIZES: [(usize, usize); 4] = [(200, 1_000_000), (4096, 400_000), (65_536, 24_000), (921_600, 2_000)];
const PARTITIONS: i32 = 4;
const ROUNDS: usize = 3;
/// So many contents at a time are digested alone: more than there are lanes to fill.
const SIDE_BY_SIDE: usize = 128;
/// One message in so many is listed.
const LISTED_EACH: usize = 1000;

fn main() {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let broker = Broker::start(&[("log.segment.bytes", "1073741824")]);
    println!(
        "| message | list holds | line, messages/s | MB/s | rate, line / consumer | rate, line / digests | CPU µs/message: line | consumer | digests | CPU, digests / line | CPU, (consumer + digests) / line | CPU, digests / (line − consumer) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let (sizes, lists): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.parse::<usize>().is_ok());
    let wanted = |among: &[&str], name: &str| among.is_empty() || among.contains(&name);
    for (bytes, count) in SIZES.into_iter().filter(|(bytes, _)| wanted(&sizes, &bytes.to_string())) {
        let topic = format!("bench-{bytes}");
        broker.create_topic(&topic, PARTITIONS, &[("max.message.bytes", "8388608")]);
        let contents: Vec<Vec<u8>> = (0..count.min(4000)).map(|n| content(n, bytes)).collect();
        let records = (0..count)
            .map(|n| NewRecord::new(contents[n % contents.len()].clone()).partition((n as i32) % PARTITIONS));
        broker.produce_all(&topic, records);
        // The last list has digesting dominate, lanes or not: two of its algorithms have none.
        for algorithms in [
            &[Algorithm::Sha256][..],
            &[Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256],
            &[Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512, Algorithm::Blake3],
        ] {
            let words: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.word()).collect();
            if wanted(&lists, &words.join(",")) {
                row(&broker, &topic, &contents, count, algorithms, threads);
            }
        }
    }
}

/// Content number `n`: its number, then bytes that do not compress.
fn content(n: usize, bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ n as u64;
    let mut content: Vec<u8> = n.to_le_bytes().to_vec();
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(bytes);
    content
}

fn row(
    broker: &Broker,
    topic: &str,
    contents: &[Vec<u8>],
    count: usize,
    algorithms: &[Algorithm],
    threads: usize,
) {
    let wanted: AlgorithmSet = algorithms.iter().copied().collect();
    let snapshot = Arc::new(snapshot(contents, wanted));
    let mut measured: [Vec<Cost>; 3] = Default::default();
    for round in 0..ROUNDS {
        measured[0].push(cost(|| consume(broker, topic, count)));
        measured[1].push(cost(|| digest(contents, count, wanted, threads)));
        measured[2].push(cost(|| line(broker, topic, count, &snapshot, threads, round)));
    }
    let median = |costs: &[Cost], of: fn(&Cost) -> Duration| {
        let mut values: Vec<f64> = costs.iter().map(|cost| of(cost).as_secs_f64()).collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    let [consumer, digests, line] = measured.each_ref().map(|costs| count as f64 / median(costs, |c| c.took));
    let [consumer_cpu, digests_cpu, line_cpu] =
        measured.each_ref().map(|costs| median(costs, |c| c.cpu) * 1e6 / count as f64);
    let bytes = contents[0].len();
    let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.word()).collect();
    println!(
        "| {bytes} B | {} | {line:.0} | {:.0} | {:.2} | {:.2} | {line_cpu:.2} | {consumer_cpu:.2} | {digests_cpu:.2} | {:.2} | {:.2} | {:.2} |",
        names.join(", "),
        line * bytes as f64 / 1e6,
        line / consumer,
        line / digests,
        digests_cpu / line_cpu,
        (consumer_cpu + digests_cpu) / line_cpu,
        digests_cpu / (line_cpu - consumer_cpu)
    );
}

/// What one contender's round cost.
struct Cost {
    /// By the clock, without what comes before the first message.
    took: Duration,
    /// Of this process, with all that belongs to it: connecting, joining a group, committing.
    cpu: Duration,
}

fn cost(contender: impl FnOnce() -> Duration) -> Cost {
    let cpu = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("CPU time grows");
    let before = cpu();
    let took = contender();
    Cost { took, cpu: cpu() - before }
}

/// A list that holds one content in [`LISTED_EACH`], among 100,000 strangers.
fn snapshot(contents: &[Vec<u8>], wanted: AlgorithmSet) -> Snapshot {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let path = directory.path().join("bench.txt");
    let strangers: Vec<Vec<u8>> = (0..100_000_usize).map(|n| n.to_be_bytes().to_vec()).collect();
    let listed = contents.iter().step_by(LISTED_EACH).chain(&strangers).enumerate();
    let lines = listed.flat_map(|(n, content)| {
        let digests: Vec<_> = digest_bytes(wanted, content).iter().collect();
        digests
            .into_iter()
            .map(move |d| format!("{} ({n}) = {}\n", d.algorithm().word().to_uppercase(), d.to_hex()))
    });
    fs::write(&path, lines.collect::<String>()).expect("the list can be written");
    let list = load(&path, &LoadOptions::default()).expect("the list is well-formed");
    Snapshot::build(Generation(1), vec![list]).expect("one list")
}

/// The bare consumer: polls each message and looks at its length.
fn consume(broker: &Broker, topic: &str, count: usize) -> Duration {
    // As the line sets it: with its default, a fast reader waits for a second whenever its queue was full.
    let settings = [("auto.offset.reset", "earliest"), ("fetch.queue.backoff.ms", "10")];
    let consumer = broker.consumer(&settings);
    let mut assignment = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).expect("a valid offset");
    }
    consumer.assign(&assignment).expect("the partitions are there");
    let (mut messages, mut bytes) = (0, 0);
    // As for the line, connecting does not count: the clock starts with the first message.
    let mut started = Instant::now();
    while messages < count {
        if let Some(message) = consumer.poll(Duration::from_secs(10)) {
            bytes += message.expect("the broker answers").payload().map_or(0, <[u8]>::len);
            messages += 1;
            if messages == 1 {
                started = Instant::now();
            }
        }
    }
    assert!(bytes >= count);
    started.elapsed()
}

/// The digests alone, on as many threads as the line uses.
fn digest(contents: &[Vec<u8>], count: usize, wanted: AlgorithmSet, threads: usize) -> Duration {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let started = Instant::now();
    let made: usize = pool.install(|| {
        let starts = (0..count).into_par_iter().step_by(SIDE_BY_SIDE);
        starts
            .map(|start| {
                let numbers = start..count.min(start + SIDE_BY_SIDE);
                let contents: Vec<&[u8]> = numbers.map(|n| &*contents[n % contents.len()]).collect();
                digest_many(wanted, &contents).iter().map(|digests| digests.algorithms().len()).sum::<usize>()
            })
            .sum()
    });
    assert_eq!(made, count * wanted.len());
    started.elapsed()
}

/// The whole line, from the topic to acknowledged alerts and committed offsets.
fn line(
    broker: &Broker,
    topic: &str,
    count: usize,
    snapshot: &Arc<Snapshot>,
    threads: usize,
    round: usize,
) -> Duration {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let group = format!("bench-line-{}", RUNS.fetch_add(1, Ordering::Relaxed));
    let alerts = format!("{group}-alerts");
    broker.create_topic(&alerts, 1, &[]);
    let options = KafkaOptions {
        bootstrap_servers: vec![broker.bootstrap().to_owned()],
        group_id: group,
        topics: vec![topic.to_owned()],
        form: Form::Auto,
        alerts_topic: alerts.clone(),
        quarantine_topic: alerts.clone(),
        transactional_id: String::new(),
        instance: format!("bench-{round}"),
        batch_records_max: 8192,
        batch_bytes_max: 16 * 1024 * 1024,
        batch_wait: Duration::from_millis(20),
        commit_interval: Duration::from_millis(500),
        rebalance_drain: Duration::from_secs(10),
        delivery_timeout: Duration::from_secs(60),
        unavailable_max: Duration::from_secs(60),
        settings: BTreeMap::new(),
        consumer_settings: BTreeMap::new(),
        producer_settings: BTreeMap::new(),
    };
    let metrics = Metrics::register(Registry::new()).expect("a new registry");
    let (health, stop) = (Health::default(), Stop::default());
    let judge_options = JudgeOptions {
        digest_threads: threads,
        open_threads: 1,
        read_buffer_bytes: 65_536,
        content_bytes_max: u64::MAX,
        quarantine_bytes: false,
        breaker: BreakerLimits::default(),
    };
    let judge =
        Judge::new(Live::new(Arc::clone(snapshot)), Policy::default(), judge_options, metrics.clone())
            .expect("threads");
    let no_references = Arc::new(|_: &str| -> Box<dyn Open> { unreachable!("no record refers to anything") });
    let sink = sink(options.clone()).expect("a producer");
    let parts = at_least_once(options, no_references, &metrics).expect("a consumer");
    let limits = AtLeastOnceOptions { in_flight_max: 65_536, unavailable_max: Duration::from_secs(60) };
    let delivery = AtLeastOnce::new(sink, parts.checkpoint, limits, metrics.clone(), health.clone());
    let limits = LineLimits {
        prefetch_batches: 2,
        undelivered_batches: 2,
        unavailable_max: Duration::from_secs(60),
        drain: Duration::from_secs(30),
    };
    let (watched, watcher_stop) = (metrics.clone(), stop.clone());
    // Joining a group takes its time, whatever there is to read: the clock starts with the first batch.
    let clock = thread::spawn(move || {
        let wait = |judged: u64| {
            while watched.contents_judged() < judged {
                thread::sleep(Duration::from_millis(2));
            }
            Instant::now()
        };
        let first = wait(1);
        let begun = watched.contents_judged();
        let last = wait(count as u64);
        watcher_stop.request();
        // What was judged before the clock started is counted at the rate of the rest.
        (last - first).mul_f64(count as f64 / (count as u64 - begun).max(1) as f64)
    });
    run(parts.source, &judge, delivery, limits, &stop, &metrics, &health).expect("the line ends well");
    let took = clock.join().expect("the clock does not panic");
    let expected = (0..count).filter(|n| (n % count.min(4000)).is_multiple_of(LISTED_EACH)).count();
    assert_eq!(broker.read_all(&alerts, Isolation::ReadCommitted).len(), expected, "alerts");
    took
}
