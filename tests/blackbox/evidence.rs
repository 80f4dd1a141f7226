//! The evidence log of a real worker, verified by somebody who has a key and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, complaints, harmless, id_set, json, listed};
use crate::worker::{Worker, hashward, hashward_output, text, wait_for};

const SETTINGS: [&str; 10] = [
    "--set",
    "http.listen=127.0.0.1:0",
    "--set",
    "inbox.poll_ms=20",
    "--set",
    "inbox.settle_ms=20",
    "--set",
    "evidence.directory=evidence",
    "--set",
    "evidence.key_file=evidence.key",
];

fn run(fixture: &Fixture, arguments: &[&str]) -> Output {
    hashward_output(fixture.path(), arguments)
}

/// What a command says that goes well.
fn ok(fixture: &Fixture, arguments: &[&str]) -> String {
    let output = run(fixture, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr) + &text(&output.stdout));
    text(&output.stdout)
}

/// What a command says that ends with this code.
fn ends(fixture: &Fixture, code: i32, arguments: &[&str]) -> String {
    let output = run(fixture, arguments);
    let told = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

/// Makes the log, and gives the file with its verifier key.
fn init(fixture: &Fixture) -> &'static str {
    let made = ok(
        fixture,
        &[
            "evidence",
            "init",
            "evidence",
            "--name",
            "example.org/evidence",
            "--key-file",
            "evidence.key",
            "--json",
        ],
    );
    let verifier = json(made.as_bytes())["verifier_key"].as_str().unwrap().to_owned();
    fs::write(fixture.path().join("verifier.txt"), format!("{verifier}\n")).unwrap();
    "verifier.txt"
}

fn start(fixture: &Fixture, more: &[&str]) -> Worker {
    let mut command = hashward();
    command.current_dir(fixture.path()).args(["run", "--list", "sample.txt", "--log-format", "json"]);
    command.args(SETTINGS).args(more);
    Worker::spawn(command)
}

fn alerts(fixture: &Fixture) -> Vec<Value> {
    let file = fs::read_to_string(fixture.path().join("hashward-data/alerts.ndjson")).unwrap_or_default();
    file.lines().map(|line| json(line.as_bytes())).collect()
}

fn drop_in(fixture: &Fixture, name: &str, bytes: &[u8]) {
    let inbox = fixture.path().join("hashward-data/inbox");
    fs::create_dir_all(&inbox).unwrap();
    fs::write(inbox.join(format!(".{name}")), bytes).unwrap();
    fs::rename(inbox.join(format!(".{name}")), inbox.join(name)).unwrap();
}

/// The entries of the log, as `show` shows them.
fn entries(fixture: &Fixture) -> Vec<Value> {
    let shown = ok(fixture, &["evidence", "show", "evidence", "--count", "1000000", "--json"]);
    shown.lines().skip(1).map(|line| json(line.as_bytes())["entry"].clone()).collect()
}

/// Each alert is proven, and its proof is verified elsewhere: with the proof, the key and the alert.
fn each_is_proven(fixture: &Fixture, alerts: &[Value], key: &str) {
    let elsewhere = tempfile::tempdir().unwrap();
    let at = |name: &str| elsewhere.path().join(name).display().to_string();
    fs::copy(fixture.path().join(key), at("key")).unwrap();
    for alert in alerts {
        let (event, proof) = (at("event.json"), at("alert.tlog-proof"));
        fs::write(&event, alert.to_string()).unwrap();
        fs::remove_file(&proof).ok();
        ok(fixture, &["evidence", "prove", "evidence", "--event", &event, "--out", &proof]);
        let verify = ["evidence", "verify", &proof, "--key", &at("key"), "--event", &event, "--json"];
        let output = hashward_output(elsewhere.path(), &verify);
        assert!(output.status.success(), "{}", text(&output.stderr) + &text(&output.stdout));
        assert_eq!(json(&output.stdout)["entry"]["alert"], alert["id"]);
    }
}

#[test]
fn every_alert_is_proven_offline_and_tampering_is_told() {
    let fixture = Fixture::new("evidence", 40);
    let key = init(&fixture);
    let kept = fixture.path().join("kept");
    fs::copy(fixture.path().join("evidence/checkpoint"), &kept).unwrap();
    let mut worker = start(&fixture, &[]);
    worker.wait_ready();
    for n in 0..40 {
        drop_in(&fixture, &format!("bad-{n}"), &listed(n));
        drop_in(&fixture, &format!("good-{n}"), &harmless(n));
    }
    wait_for("the alerts", || (alerts(&fixture).len() == 40).then_some(()));
    assert_eq!(worker.metric("hashward_evidence_entries_total", "kind=\"alert\""), 40.0);
    assert_eq!(worker.metric("hashward_evidence_entries_total", "kind=\"release-applied\""), 1.0);
    assert_eq!(worker.metric("hashward_evidence_size_entries", ""), 41.0);
    assert!(worker.metric("hashward_evidence_last_append_timestamp_seconds", "") > 1e9);
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()), "{log}");

    let alerts = alerts(&fixture);
    each_is_proven(&fixture, &alerts, key);
    let id = alerts[7]["id"].as_str().unwrap();
    let proof = ok(&fixture, &["evidence", "prove", "evidence", "--alert", id]);
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{proof}");
    ok(&fixture, &["evidence", "prove", "evidence", "--since", "kept", "--out", "grown"]);
    ok(&fixture, &["evidence", "verify", "grown", "--key", key, "--since", "kept"]);
    let told = ok(&fixture, &["evidence", "verify", "evidence", "--key", key, "--since", "kept", "--json"]);
    assert_eq!((&json(told.as_bytes())["sound"], &json(told.as_bytes())["size"]), (&true.into(), &41.into()));

    // An entry says what binds it to an alert, and nothing that the alert says.
    for entry in entries(&fixture).iter().filter(|entry| entry["kind"] == "alert") {
        let fields: BTreeSet<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["alert", "kind", "sha256", "when", "who"].into());
    }

    // Somebody changes an alert, an entry, a proof.
    let mut changed = alerts[7].clone();
    changed["data"]["action"] = "review".into();
    fs::write(fixture.path().join("changed.json"), changed.to_string()).unwrap();
    fs::write(fixture.path().join("proof"), &proof).unwrap();
    let told = ends(&fixture, 1, &["evidence", "verify", "proof", "--key", key, "--event", "changed.json"]);
    assert!(told.contains("changed.json"), "{told}");
    fs::write(fixture.path().join("proof"), proof.replacen("index ", "index 1", 1)).unwrap();
    ends(&fixture, 1, &["evidence", "verify", "proof", "--key", key]);
    let bundle = fixture.path().join("evidence/tile/entries/000.p/41");
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let told = ends(&fixture, 1, &["evidence", "verify", "evidence", "--key", key]);
    assert!(told.contains("tile/entries/000.p/41: entry ") && told.contains("was changed"), "{told}");
    // A worker does not go on from there.
    let mut worker = start(&fixture, &[]);
    let (status, log) = (worker.wait(), worker.log());
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("evidence") && log.contains("was changed"), "{log}");
}

#[test]
fn a_kill_loses_no_alert_s_entry() {
    let fixture = Fixture::new("evidence-kill", 60);
    let key = init(&fixture);
    let mut made = 0;
    let mut kept: Option<PathBuf> = None;
    for kill in 0..12 {
        let worker = start(&fixture, &[]);
        for _ in 0..30 {
            let bytes = if made % 3 == 0 { listed(made / 3 % 60) } else { harmless(made) };
            drop_in(&fixture, &format!("file-{made:04}"), &bytes);
            made += 1;
        }
        std::thread::sleep(std::time::Duration::from_millis(60 + kill * 13));
        worker.kill();
        let copy = fixture.path().join(format!("kept-{kill}"));
        fs::copy(fixture.path().join("evidence/checkpoint"), &copy).unwrap();
        if let Some(kept) = &kept {
            let kept = kept.display().to_string();
            ok(&fixture, &["evidence", "verify", "evidence", "--key", key, "--since", &kept]);
        }
        kept = Some(copy);
    }
    let worker = start(&fixture, &[]);
    wait_for("the alerts", || (alerts(&fixture).len() == 120).then_some(()));
    worker.terminate();
    each_is_proven(&fixture, &alerts(&fixture)[..40], key);
    let hashes: BTreeSet<(String, String)> = entries(&fixture)
        .iter()
        .filter(|entry| entry["kind"] == "alert")
        .map(|entry| (text_of(&entry["alert"]), text_of(&entry["sha256"])))
        .collect();
    for alert in alerts(&fixture) {
        let id = text_of(&alert["id"]);
        let sha256 = sha256(&alert["data"]);
        assert!(hashes.contains(&(id.clone(), sha256)), "{id} is not in the log as it was delivered");
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// As anybody computes it who has the alert.
fn sha256(alert: &Value) -> String {
    crate::fixture::hex(hashward_core::Algorithm::Sha256, alert.to_string().as_bytes())
}

#[test]
fn a_log_that_cannot_be_written_holds_everything_back() {
    let fixture = Fixture::new("evidence-stuck", 10);
    init(&fixture);
    let mut worker = start(&fixture, &[]);
    worker.wait_ready();
    // Another process has the log, and keeps it.
    let lock = fs::File::open(fixture.path().join("evidence/lock")).unwrap();
    lock.lock().unwrap();
    drop_in(&fixture, "bad", &listed(3));
    wait_for("the worker to say so", || (worker.get("/readyz").0 != 200).then_some(()));
    let (_, body) = worker.get("/readyz");
    assert!(body.contains("evidence.directory is unavailable"), "{body}");
    assert_eq!(alerts(&fixture).len(), 0, "no alert leaves that is not recorded");
    assert!(!fixture.path().join("hashward-data/held/bad").exists(), "nothing is settled");
    lock.unlock().unwrap();
    wait_for("the alert", || (alerts(&fixture).len() == 1).then_some(()));
    wait_for("the worker to be ready", || (worker.get("/readyz").0 == 200).then_some(()));
    worker.terminate();
    // One that stays so ends the worker, and nothing is settled either.
    lock.lock().unwrap();
    drop_in(&fixture, "worse", &listed(4));
    let arguments = ["--set", "line.unavailable_max_ms=200"];
    let mut worker = start(&fixture, &arguments);
    let (status, log) = (worker.wait(), worker.log());
    assert_ne!(status.code(), Some(0), "{log}");
    assert!(!fixture.path().join("hashward-data/held/worse").exists());
    assert_eq!(alerts(&fixture).len(), 1);
}

#[test]
fn a_rollback_by_an_operator_and_what_workers_apply() {
    let fixture = Fixture::new("evidence-rollback", 10);
    let key = init(&fixture);
    ok(&fixture, &["list", "key", "seal.key"]);
    let kept = ["--set", "lists.generations_dir=generations", "--set", "lists.key_file=seal.key"];
    let mut worker = start(&fixture, &[&kept[..], &["--set", "lists.watch_ms=50"]].concat());
    let recorded = |count: usize| {
        wait_for("the records", || (entries(&fixture).len() == count).then_some(()));
    };
    recorded(1);
    let log = ["--set", "evidence.directory=evidence", "--set", "evidence.key_file=evidence.key"];
    let generations = |arguments: &[&str]| {
        let arguments = [&["generations"], arguments, &kept[..], &log].concat();
        run(&fixture, &arguments)
    };
    let rolled = generations(&["rollback", "1", "--reason", "too much was listed", "--who", "operator"]);
    assert!(rolled.status.success(), "{}", text(&rolled.stderr));
    recorded(3);
    assert_eq!(worker.metric("hashward_snapshot_generation", ""), 2.0);
    let resumed = generations(&["resume", "--who", "operator"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    recorded(5);
    let (status, log_text) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log_text}");
    let told: Vec<(String, Value)> = entries(&fixture)
        .into_iter()
        .map(|entry| (text_of(&entry["kind"]), entry["generation"].clone()))
        .collect();
    let expected = [
        ("release-applied", Value::from(1)),
        ("rolled-back", 1.into()),
        ("release-applied", 2.into()),
        ("resumed", Value::Null),
        ("release-applied", 3.into()),
    ];
    assert_eq!(told, expected.map(|(kind, generation)| (kind.to_owned(), generation)));
    let rolled = &entries(&fixture)[1];
    assert_eq!((&rolled["who"], &rolled["reason"]), (&"operator".into(), &"too much was listed".into()));
    ok(&fixture, &["evidence", "verify", "evidence", "--key", key]);
    // What cannot be recorded does not happen.
    let path = fixture.path().join("evidence.key");
    fs::rename(&path, fixture.path().join("elsewhere")).unwrap();
    let refused = generations(&["rollback", "1", "--reason", "x", "--who", "operator"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("nothing was changed"), "{}", text(&refused.stderr));
    assert!(!fixture.path().join("generations/held.json").exists());
}

#[test]
fn alerts_in_transactions_are_recorded_too() {
    let broker = Broker::shared();
    let fixture = Fixture::new("evidence-kafka", 20);
    init(&fixture);
    fixture.create_topics(broker, 1);
    let more = format!("delivery = \"transactional\"\ntransactional_id = {:?}\n", fixture.name);
    let worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, &more), &SETTINGS[6..]);
    broker.produce_all(&fixture.topic("uploads"), (0..20).map(|n| NewRecord::new(listed(n))));
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    assert_eq!(id_set(&alerts), fixture.expected_ids(broker));
    let recorded: BTreeSet<(String, String)> = entries(&fixture)
        .iter()
        .filter(|entry| entry["kind"] == "alert")
        .map(|entry| (text_of(&entry["alert"]), text_of(&entry["sha256"])))
        .collect();
    let sent = alerts.iter().map(|alert| (text_of(&alert["alert_id"]), sha256(alert)));
    assert_eq!(recorded, sent.collect());
}

#[test]
fn wrong_arguments_are_told_with_what_would_be_right() {
    let fixture = Fixture::new("evidence-usage", 1);
    let key = init(&fixture);
    let write = |name: &str, bytes: &[u8]| fs::write(fixture.path().join(name), bytes).unwrap();
    write(
        "grown",
        ok(&fixture, &["evidence", "prove", "evidence", "--since", "evidence/checkpoint"]).as_bytes(),
    );
    write("no.json", b"{}");
    fs::create_dir(fixture.path().join("folder")).unwrap();
    let init = |log, key| ["evidence", "init", log, "--name", "a.org/b", "--key-file", key];
    for (arguments, parts) in [
        (&init("evidence", "evidence.key")[..], &["evidence: is not empty"][..]),
        (&init("new", "new/evidence.key"), &["is inside the log"]),
        (&init("new", "sample.txt"), &["sample.txt"]),
        (
            &["evidence", "init", "new", "--name", "a b", "--key-file", "k"],
            &["--name", "example.org/evidence"],
        ),
        (&["evidence", "show", "folder"], &["folder: there is no evidence log", "evidence init"]),
        (&["evidence", "prove", "evidence"], &["--alert", "--index"]),
        (&["evidence", "prove", "evidence", "--index", "0"], &["entry 0 is not in the log"]),
        (&["evidence", "prove", "evidence", "--alert", "12"], &["32 lower-case hexadecimal"]),
        (&["evidence", "prove", "evidence", "--event", "no.json"], &["no.json", "alert_id"]),
        (&["evidence", "verify", "evidence"], &["--key"]),
        (&["evidence", "verify", "evidence", "--key", "a+b+c"], &["NAME+ID+BASE64"]),
        (&["evidence", "verify", "evidence", "--key", key, "--event", "no.json"], &["--event", "PROOF"]),
        (&["evidence", "verify", "grown", "--key", key], &["--since"]),
        (&["evidence", "verify", "none", "--key", key], &["none: No such file"]),
        (&["evidence", "show", "evidence", "--list", "sample.txt"], &["--list: `hashward evidence` "]),
    ] {
        let told = ends(&fixture, 2, arguments);
        for part in parts {
            assert!(told.contains(part), "{arguments:?}: {part:?} in {told}");
        }
    }
    let stage = ["validate", "--list", "sample.txt", "--set"];
    for (set, part) in [
        (&["evidence.directory=evidence"][..], "evidence.key_file: empty"),
        (&["evidence.key_file=evidence.key"], "evidence.directory: empty"),
        (
            &["evidence.directory=evidence", "--set", "evidence.key_file=evidence/k"],
            "it is inside evidence.directory",
        ),
        (
            &["evidence.directory=folder", "--set", "evidence.key_file=evidence.key"],
            "there is no evidence log",
        ),
    ] {
        let told = ends(&fixture, 2, &[&stage[..], set].concat());
        assert!(told.contains(part), "{part} in {told}");
    }
    let good = ["evidence.directory=evidence", "--set", "evidence.key_file=evidence.key"];
    ok(&fixture, &[&stage[..], &good, &["--set", "http.listen=127.0.0.1:0"]].concat());
    let key_text = fs::read_to_string(fixture.path().join("evidence.key")).unwrap();
    let secret = key_text.lines().nth(1).unwrap();
    assert!(!fs::read_to_string(fixture.path().join(Path::new(key))).unwrap().contains(secret));
}
