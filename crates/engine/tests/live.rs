//! Swaps under the judge: each batch is judged by the generation that was current when it began.

#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use hashward_core::Algorithm;
use hashward_engine::{Batch, Judge, JudgeOptions, Live, Metrics, Outgoing, Policy, Snapshot};
use prometheus::Registry;
use support::{ListText, lines, record, snapshot_of};

/// Generation `generation` of a list that holds the SHA-256 of `content`.
fn holding(generation: u64, content: &[u8]) -> Arc<Snapshot> {
    let text = lines("item", content, &[Algorithm::Sha256]);
    Arc::new(snapshot_of(generation, &[ListText { id: "one", toml: "action = 'block'", text }]))
}

/// The generation of each alert about a batch of `contents`, by the record's number.
fn alerted(judge: &Judge, contents: &[&[u8]]) -> Vec<(usize, u64)> {
    let mut batch = Batch::default();
    for (bytes, offset) in contents.iter().zip(0..) {
        record(&mut batch, 0, offset, bytes);
    }
    let notable = judge.judge(batch).notable.into_iter();
    let generation = |outgoing| match outgoing {
        Outgoing::Alert(alert) => alert.generation.0,
        Outgoing::Quarantined(_) => panic!("everything can be read"),
    };
    notable.map(|notable| (notable.record, generation(notable.outgoing))).collect()
}

#[test]
fn each_alert_names_the_generation_that_made_it() {
    let live = Live::new(holding(1, b"a"));
    let options = JudgeOptions {
        digest_threads: 2,
        open_threads: 1,
        read_buffer_bytes: 4096,
        content_bytes_max: u64::MAX,
        quarantine_bytes: false,
    };
    let metrics = Metrics::register(Registry::new()).unwrap();
    let judge = Judge::new(live.clone(), Policy::default(), options, metrics).unwrap();
    assert_eq!(alerted(&judge, &[b"a", b"b"]), [(0, 1)]);
    live.swap(&holding(2, b"b"));
    assert_eq!(alerted(&judge, &[b"a", b"b"]), [(1, 2)]);
}

#[test]
fn what_was_loaded_outlives_a_swap() {
    let live = Live::new(holding(1, b"a"));
    let pinned = live.load();
    live.swap(&holding(5, b"b"));
    assert_eq!((pinned.generation().0, live.load().generation().0), (1, 5));
}

#[test]
#[should_panic(expected = "generation 3 after generation 3")]
fn a_generation_must_grow() {
    let live = Live::new(holding(3, b"a"));
    live.swap(&holding(3, b"b"));
}
