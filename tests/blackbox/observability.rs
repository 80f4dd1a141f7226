//! What an operator sees: metrics, health, version, logs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::broker::{Broker, NewRecord};
use crate::fixture::{Fixture, harmless, json, listed};
use crate::worker::{Worker, wait_for};

/// The rows of the table in `docs/metrics.md`: name, kind, labels, help.
fn documented() -> BTreeSet<[String; 4]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(path).expect("docs/metrics.md is there");
    page.lines()
        .filter(|line| line.starts_with("| `hashward_"))
        .map(|line| {
            let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
            [cells[1].clone(), cells[2].clone(), sorted(cells[3].split(", ")), cells[4].clone()]
        })
        .collect()
}

/// Labels in the order of their names: the order in which they are served says nothing.
fn sorted<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    labels.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

/// The same of what is served: help and type from the comments, labels from the series.
fn served(metrics: &str) -> BTreeSet<[String; 4]> {
    let comments = |kind: &str| {
        let prefix = format!("# {kind} ");
        metrics
            .lines()
            .filter_map(move |line| line.strip_prefix(&prefix)?.split_once(' '))
            .collect::<Vec<_>>()
    };
    let helps = comments("HELP");
    let labels = |name: &str| {
        // A histogram's own labels stand at its count.
        let of = |line: &'_ str| {
            Some(line.strip_prefix(name)?.trim_start_matches("_count").strip_prefix('{')?.to_owned())
        };
        let series = metrics.lines().find_map(of);
        let pairs = series.as_deref().and_then(|rest| rest.split('}').next()).unwrap_or_default();
        sorted(pairs.split(',').filter_map(|pair| Some(pair.split_once('=')?.0)))
    };
    comments("TYPE")
        .into_iter()
        .map(|(name, kind)| {
            let help = helps.iter().find(|(of, _)| *of == name).map_or("", |(_, help)| help);
            [name.to_owned(), kind.to_owned(), labels(name), help.to_owned()]
        })
        .collect()
}

#[test]
fn what_is_documented_is_what_is_served() {
    let broker = Broker::shared();
    let fixture = Fixture::new("metrics", 10);
    fixture.create_topics(broker, 2);
    // An open door, so that what is counted of doors is served.
    let gate =
        "[gate]\nanonymous_tenant = \"local\"\n[gate.http]\nlisten = [\"127.0.0.1:0\"]\nfail = \"closed\"\n";
    let mut worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, gate), &[]);
    let records = (0..20).map(|n| NewRecord::new(if n == 7 { listed(1) } else { harmless(n) }));
    broker.produce_all(&fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    wait_for("the lag to be known", || {
        worker.get("/metrics").1.contains("hashward_kafka_lag_records{").then_some(())
    });
    wait_for("the lag to be nothing", || {
        (worker.metric("hashward_kafka_lag_records", "") == 0.0).then_some(())
    });
    let metrics = worker.get("/metrics").1;
    assert_eq!(served(&metrics), documented());
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let labels = line.split(['{', '}']).nth(1).unwrap_or_default();
        let longest =
            labels.split('"').filter(|word| word.bytes().all(|b| b.is_ascii_hexdigit())).map(str::len).max();
        assert!(longest.unwrap_or(0) < 16, "a label that looks like a digest: {line}");
    }
    assert_eq!(worker.metric("hashward_contents_total", "verdict=\"block\""), 1.0);
    assert_eq!(worker.metric("hashward_contents_total", "verdict=\"allow\""), 19.0);
    assert_eq!(worker.metric("hashward_alerts_total", "action=\"block\""), 1.0);
    assert_eq!(worker.metric("hashward_list_entries", "list=\"sample\""), 10.0);
    assert_eq!(worker.metric("hashward_snapshot_generation", ""), 1.0);
    assert_eq!(worker.metric("hashward_ready", ""), 1.0);
    assert_eq!(worker.get("/livez").0, 200);
    let (status, body) = worker.get("/readyz");
    let ready: Value = json(body.as_bytes());
    assert_eq!((status, &ready["ready"], &ready["parts"]["lists"]), (200, &true.into(), &"ready".into()));
    let (status, body) = worker.get("/version");
    assert_eq!((status, &json(body.as_bytes())["version"]), (200, &env!("CARGO_PKG_VERSION").into()));
    assert_eq!(worker.get("/nothing").0, 404);
    let log = worker.log();
    for line in log.lines() {
        let line: Value = json(line.as_bytes());
        let message =
            line["fields"]["message"].as_str().or(line["message"].as_str()).unwrap_or_default().to_owned();
        assert!(!message.ends_with('.'), "log text has no full stop: {message}");
    }
}
