//! Swaps under the judge: each batch is judged by the generation that was current when it began.

#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::sync::Arc;

use hashward_core::{Algorithm, Unreadable};
use hashward_engine::{Batch, Judge, Live, Metrics, Open, Outgoing, Payload, Policy, Snapshot};
use jiff::Timestamp;
use prometheus::Registry;
use support::{ListText, judge_options, lines, record, snapshot_of};

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
    alerts(judge, batch)
}

/// The generation of each alert about a batch, by the record's number.
fn alerts(judge: &Judge, batch: Batch) -> Vec<(usize, u64)> {
    let notable = judge.judge(batch, Timestamp::now()).notable.into_iter();
    let generation = |outgoing| match outgoing {
        Outgoing::Alert(alert) => alert.generation.0,
        Outgoing::Quarantined(_) => panic!("everything can be read"),
    };
    notable.map(|notable| (notable.record, generation(notable.outgoing))).collect()
}

#[test]
fn each_alert_names_the_generation_that_made_it() {
    let live = Live::new(holding(1, b"a"));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let judge = Judge::new(live.clone(), Policy::default(), judge_options(), metrics).unwrap();
    assert_eq!(alerted(&judge, &[b"a", b"b"]), [(0, 1)]);
    live.swap(&holding(2, b"b"));
    assert_eq!(alerted(&judge, &[b"a", b"b"]), [(1, 2)]);
}

/// Content `a`, which swaps in a generation that holds only `b` when it is first opened.
struct Swapping(Live);

impl Open for Swapping {
    fn open(&self) -> Result<Box<dyn Read + Send>, Unreadable> {
        if self.0.load().generation().0 == 1 {
            self.0.swap(&holding(2, b"b"));
        }
        Ok(Box::new(&b"a"[..]))
    }
}

#[test]
fn a_swap_in_the_middle_of_a_batch_waits_for_the_next_one() {
    let live = Live::new(holding(1, b"a"));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let judge = Judge::new(live.clone(), Policy::default(), judge_options(), metrics).unwrap();
    let mut batch = Batch::default();
    for offset in 0..3 {
        record(&mut batch, 0, offset, b"");
        let deferred = Payload::Deferred(Box::new(Swapping(live.clone())));
        batch.records.last_mut().unwrap().payload = deferred;
    }
    assert_eq!(alerts(&judge, batch), [(0, 1), (1, 1), (2, 1)]);
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
