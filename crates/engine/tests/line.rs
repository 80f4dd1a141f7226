//! The whole line over ports in memory: nothing lost, nothing committed early.

#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test may cast numbers, and panic")]

mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashward_core::{Algorithm, Decision};
use hashward_engine::pipeline::{Ended, LineLimits, run};
use hashward_engine::{
    AtLeastOnce, AtLeastOnceOptions, Health, Judge, Live, Metrics, Outgoing, Policy, PortError, Position,
    Stop, StreamId,
};
use prometheus::Registry;
use support::{Backwards, Deeds, Done, Given, ListText, Remembers, judge_options, lines, snapshot};

const LISTED: &[u8] = b"listed content";

struct Line {
    deeds: Deeds,
    alerts: Arc<Mutex<Vec<Outgoing>>>,
    metrics: Metrics,
    ended: Result<Ended, PortError>,
}

/// Runs the line over `batches`, each record `(stream, offset, content)`.
fn line(
    batches: Vec<Vec<(u64, i64, Vec<u8>)>>,
    at_a_time: usize,
    failures: usize,
    unavailable_ms: u64,
) -> Line {
    let text = lines("item", LISTED, &[Algorithm::Sha256]);
    let snapshot = Arc::new(snapshot(&[ListText { id: "one", toml: "action = 'block'", text }]));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let health = Health::default();
    let judge = Judge::new(Live::new(snapshot), Policy::default(), judge_options(), metrics.clone()).unwrap();
    let deeds = Deeds::default();
    let alerts = Arc::default();
    let stop = Stop::default();
    let sink = Backwards {
        deeds: Arc::clone(&deeds),
        waiting: Vec::new(),
        alerts: Arc::clone(&alerts),
        at_a_time,
        failures_left: failures,
        quiet: false,
    };
    let limits =
        AtLeastOnceOptions { in_flight_max: 16, unavailable_max: Duration::from_millis(unavailable_ms) };
    let checkpoint = Remembers(Arc::clone(&deeds));
    let delivery = AtLeastOnce::new(sink, checkpoint, limits, metrics.clone(), health.clone());
    let source = Given { batches: batches.into(), stop: stop.clone() };
    let limits = LineLimits {
        prefetch_batches: 1,
        undelivered_batches: 1,
        unavailable_max: Duration::from_millis(unavailable_ms),
        drain: Duration::from_millis(unavailable_ms),
    };
    let ended = run(source, &judge, delivery, limits, &stop, &metrics, &health);
    Line { deeds, alerts, metrics, ended }
}

/// Some batches over three streams, every third record listed.
fn batches() -> Vec<Vec<(u64, i64, Vec<u8>)>> {
    let mut next = [0_i64; 3];
    (0..20)
        .map(|batch| {
            let records = (0..30).map(|i| {
                let stream = (batch + i) % 3;
                next[stream] += 1 + (i as i64 % 2);
                let bytes = if i % 3 == 0 { LISTED.to_vec() } else { format!("{batch}/{i}").into_bytes() };
                (stream as u64, next[stream], bytes)
            });
            records.collect()
        })
        .collect()
}

/// Goes through the deeds in order: nothing may be settled before everything below it is acknowledged.
fn assert_never_early(deeds: &[Done]) {
    let mut open: Vec<Position> = Vec::new();
    let mut settled: HashMap<StreamId, i64> = HashMap::new();
    for deed in deeds {
        match deed {
            Done::Sent(position) => open.push(*position),
            Done::Acknowledged(position) => open.retain(|waiting| waiting != position),
            Done::Settled(stream, end) => {
                let early = open.iter().find(|waiting| waiting.stream == *stream && waiting.offset < *end);
                assert_eq!(early, None, "settled {stream:?} up to {end}");
                let before = settled.insert(*stream, *end).unwrap_or(0);
                assert!(before < *end, "settled {stream:?} back from {before} to {end}");
            }
            Done::Committed => {}
        }
    }
    assert_eq!(deeds.last(), Some(&Done::Committed), "the last deed is a commit");
}

#[test]
fn every_alert_leaves_and_nothing_is_settled_early() {
    for at_a_time in [1, 3, 1000] {
        let line = line(batches(), at_a_time, 0, 60_000);
        assert_eq!(line.ended.unwrap(), Ended::Drained);
        assert_eq!(line.alerts.lock().unwrap().len(), 200);
        assert_eq!(line.metrics.contents_judged(), 600);
        let deeds = line.deeds.lock().unwrap();
        assert_never_early(&deeds);
        let last = |stream: u64| {
            let ends = deeds.iter().filter_map(|deed| match deed {
                Done::Settled(id, end) if *id == StreamId(stream) => Some(*end),
                _ => None,
            });
            ends.max()
        };
        let read =
            |stream: u64| batches().into_iter().flatten().filter(|r| r.0 == stream).map(|r| r.1 + 1).max();
        assert_eq!([last(0), last(1), last(2)], [read(0), read(1), read(2)]);
    }
}

#[test]
fn a_sink_that_fails_for_a_while_loses_nothing() {
    let line = line(batches(), 1000, 3, 60_000);
    assert_eq!(line.ended.unwrap(), Ended::Drained);
    assert_eq!(line.alerts.lock().unwrap().len(), 200);
    assert_never_early(&line.deeds.lock().unwrap());
    assert!(line.metrics.render().contains("hashward_delivery_failures_total 3"));
}

#[test]
fn a_sink_that_fails_for_good_ends_the_line_and_settles_nothing_that_waits() {
    let line = line(batches(), 1000, usize::MAX, 200);
    assert!(matches!(line.ended, Err(PortError::Unavailable { port: "alerts", .. })), "{:?}", line.ended);
    let sent = line.deeds.lock().unwrap().iter().find_map(|deed| match deed {
        Done::Sent(position) => Some(*position),
        _ => None,
    });
    let sent = sent.expect("something was sent");
    for deed in line.deeds.lock().unwrap().iter() {
        if let Done::Settled(stream, end) = deed {
            assert!(*stream != sent.stream || *end <= sent.offset, "{deed:?} over {sent:?}");
        }
    }
}

#[test]
fn alerts_name_the_record_and_keep_their_order_within_a_batch() {
    let line = line(
        vec![vec![(0, 5, LISTED.to_vec()), (0, 6, b"no".to_vec()), (0, 9, LISTED.to_vec())]],
        10,
        0,
        60_000,
    );
    let alerts = line.alerts.lock().unwrap();
    let ids: Vec<&str> = alerts
        .iter()
        .map(|outgoing| match outgoing {
            Outgoing::Alert(alert) => alert.content.id.as_str(),
            Outgoing::Quarantined(_) => panic!("nothing here is unreadable"),
        })
        .collect();
    assert_eq!(ids, ["uploads/0/5", "uploads/0/9"]);
    assert!(line.metrics.render().contains(r#"hashward_contents_total{verdict="allow"} 1"#));
    assert_eq!(Decision::Allow.word(), "allow");
}
