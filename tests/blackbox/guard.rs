//! Guard rails at work: a flood is stopped and let go, and what a list may do so far is seen.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::{Fixture, json, listed};
use crate::worker::{Worker, hashward, hashward_output, text, wait_for};

const MATCHES_MAX: usize = 5;
const FLOOD: usize = 30;

fn put(data: &Path, name: &str, bytes: &[u8]) {
    let inbox = data.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    let hidden = inbox.join(format!(".{name}"));
    fs::write(&hidden, bytes).unwrap();
    fs::rename(hidden, inbox.join(name)).unwrap();
}

/// The action and ground of each alert so far.
fn alerts(data: &Path) -> Vec<[String; 2]> {
    let file = fs::read_to_string(data.join("alerts.ndjson")).unwrap_or_default();
    let told = |line: &str| {
        let of = &json(line.as_bytes())["data"]["matches"][0];
        ["action", "ground"].map(|field| of[field].as_str().unwrap().to_owned())
    };
    file.lines().map(told).collect()
}

fn count(alerts: &[[String; 2]], action: &str, ground: &str) -> usize {
    alerts.iter().filter(|told| **told == [action, ground]).count()
}

/// The lines of a log that say `what` about an entry.
fn said(log: &str, what: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| json(line.as_bytes()));
    lines.filter(|line| line.to_string().contains(what)).collect()
}

/// The whole flood lies in the inbox before the worker starts, so that it is one batch, and one moment.
#[test]
fn a_flood_trips_the_breaker_and_is_released() {
    let fixture = Fixture::new("flood", 10);
    let data = fixture.path().join("hashward-data");
    for n in 0..FLOOD {
        put(&data, &format!("{n}.bin"), &listed(1));
    }
    put(&data, "other.bin", &listed(2));
    let mut command = hashward();
    command.current_dir(fixture.path()).args(["run", "--list", "sample.txt", "--log-format", "json"]);
    for set in [
        "http.listen=127.0.0.1:0",
        "inbox.poll_ms=20",
        "inbox.settle_ms=0",
        &format!("guard.breaker_matches_max={MATCHES_MAX}"),
        "guard.breaker_window_ms=1000",
        "guard.breaker_release_ms=500",
    ] {
        command.args(["--set", set]);
    }
    let mut worker = Worker::spawn(command);
    let told = wait_for("the flood to be told", || Some(alerts(&data)).filter(|told| told.len() > FLOOD));
    assert_eq!(count(&told, "block", "as-listed"), MATCHES_MAX + 1, "the other entry blocks too: {told:?}");
    assert_eq!(count(&told, "review", "breaker"), FLOOD - MATCHES_MAX);
    assert_eq!(worker.metric("hashward_breaker_trips_total", "list=\"sample\""), 1.0);

    // No content comes: the worker releases by itself.
    wait_for("the release", || {
        worker.get("/metrics").1.lines().any(|line| line == "hashward_breaker_open_entries 0").then_some(())
    });
    put(&data, "later.bin", &listed(1));
    let told = wait_for("one more alert", || Some(alerts(&data)).filter(|told| told.len() > FLOOD + 1));
    assert_eq!(count(&told, "block", "as-listed"), MATCHES_MAX + 2, "it acts again: {told:?}");

    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let (tripped, released) = (said(&log, "breaker tripped"), said(&log, "breaker released"));
    assert_eq!((tripped.len(), released.len()), (1, 1), "{log}");
    for (line, level) in [(&tripped[0], "WARN"), (&released[0], "INFO")] {
        let fields = line.get("fields").unwrap_or(line);
        assert_eq!((&line["level"], &fields["list"]), (&json!(level), &json!("sample")));
        assert!(fields["entry"].as_str().is_some_and(|entry| entry.starts_with("e-")), "{line}");
    }
}

#[test]
fn a_list_that_is_not_rolled_out_is_observed() {
    let fixture = Fixture::new("rollout", 10);
    fs::write(fixture.path().join("one.bin"), listed(1)).unwrap();
    let explained = |percent: &str| {
        let set = format!("guard.rollout_percent.sample={percent}");
        let arguments = ["explain", "--list", "sample.txt", "--json", "--set", &set, "one.bin"];
        let output = hashward_output(fixture.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        json(&output.stdout)["matches"][0].clone()
    };
    let held = explained("0");
    assert_eq!((&held["action"], &held["ground"]), (&json!("observe"), &json!("outside-rollout")));
    assert!(held["why"].as_str().is_some_and(|why| why.contains("guard.rollout_percent")), "{held}");
    assert_eq!(explained("100")["action"], "block");
}

/// A share under a name that no list has would leave the list that was meant at its full strength.
#[test]
fn a_share_of_a_list_that_is_not_loaded_is_told() {
    let fixture = Fixture::new("rollout-name", 10);
    let set = ["--set", "guard.rollout_percent.sampel=10"];
    let output = hashward_output(fixture.path(), &[&["validate", "--list", "sample.txt"][..], &set].concat());
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("guard.rollout_percent.sampel: no loaded list has this id"), "{told}");
    assert!(told.contains("sample"), "{told}");
    let output =
        hashward_output(fixture.path(), &[&["scan", "--list", "sample.txt", "."][..], &set].concat());
    assert!(text(&output.stderr).contains("guard.rollout_percent.sampel"), "{}", text(&output.stderr));
}
