//! Nothing about content that matched nothing is written anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use hashward_core::Algorithm;

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, hex, listed};
use crate::worker::{Worker, hashward, hashward_output, text, wait_for};

const MARK: &str = "mark-7f3a-of-a-user-who-did-nothing";

/// What must not be found: the mark itself, and every digest of the marked content, as text and as bytes.
fn traces() -> Vec<Vec<u8>> {
    let mut traces = vec![MARK.as_bytes().to_vec()];
    for algorithm in Algorithm::ALL {
        let hex = hex(*algorithm, content().as_bytes());
        let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap());
        traces.push(bytes.collect());
        traces.push(hex.into_bytes());
    }
    traces
}

fn content() -> String {
    format!("content with a {MARK} in it")
}

fn assert_clean(place: &str, bytes: &[u8]) {
    for trace in traces() {
        let found = bytes.windows(trace.len()).any(|window| window.eq_ignore_ascii_case(&trace));
        assert!(!found, "{place} holds {:?}", text(&trace));
    }
}

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, into) } else { into.push(path) }
    }
}

#[test]
fn kafka() {
    let broker = Broker::shared();
    let fixture = Fixture::new("private", 10);
    fixture.create_topics(broker, 1);
    let config = fixture.kafka_config(broker, "[log]\nlevel = \"trace\"\n");
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    let stated =
        format!("{{\"digests\": {{\"sha256\": {:?}}}}}", hex(Algorithm::Sha256, content().as_bytes()));
    let records = [
        NewRecord::new(content()).key(MARK),
        NewRecord::new(content()).header("ce_id", MARK).header("ce_subject", MARK).header("x", MARK),
        NewRecord::new(stated).header("ce_source", MARK),
        NewRecord::new(listed(1)),
        NewRecord::new("{").header("content-type", "application/vnd.hashward.digests+json"),
    ];
    broker.produce_all(&fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    assert_eq!(fixture.alerts(broker, Isolation::ReadCommitted).len(), 1);
    assert_clean("/metrics", worker.get("/metrics").1.as_bytes());
    assert_clean("/readyz", worker.get("/readyz").1.as_bytes());
    let out = worker.out();
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_clean("the log", log.as_bytes());
    assert_clean("the output", out.as_bytes());
    for kind in ["alerts", "quarantine"] {
        let topic = fixture.topic(kind);
        for file in broker.data_files(&topic) {
            assert_clean(&topic, &fs::read(file).unwrap());
        }
        for record in broker.read_all(&topic, Isolation::ReadUncommitted) {
            assert_clean(&topic, format!("{record:?}").as_bytes());
            assert_clean(&topic, record.value.as_deref().unwrap_or_default());
        }
    }
    let mut files = Vec::new();
    files_below(fixture.path(), &mut files);
    assert!(!files.is_empty());
    files.iter().for_each(|file| assert_clean(&file.display().to_string(), &fs::read(file).unwrap()));
    // The search is no better than its eyes: it finds the mark where it was planted.
    let planted = broker.data_files(&fixture.topic("uploads"));
    let found =
        planted.iter().any(|file| fs::read(file).unwrap().windows(MARK.len()).any(|w| w == MARK.as_bytes()));
    assert!(found, "the mark was planted");
}

#[test]
fn inbox() {
    let fixture = Fixture::new("private-inbox", 10);
    let data = fixture.path().join("hashward-data");
    fs::create_dir_all(data.join("inbox")).unwrap();
    let init =
        ["evidence", "init", "evidence", "--name", "example.org/evidence", "--key-file", "evidence.key"];
    assert!(hashward_output(fixture.path(), &init).status.success());
    let mut command = hashward();
    command.current_dir(fixture.path());
    command.args(["run", "--list", "sample.txt", "--log-format", "json", "--log-level", "trace"]);
    command.args(["--set", "evidence.directory=evidence", "--set", "evidence.key_file=evidence.key"]);
    command.args([
        "--set",
        "http.listen=127.0.0.1:0",
        "--set",
        "inbox.poll_ms=20",
        "--set",
        "inbox.settle_ms=20",
    ]);
    let mut worker = Worker::spawn(command);
    fs::write(data.join("inbox").join(MARK), content()).unwrap();
    fs::write(data.join("inbox/bad.bin"), listed(1)).unwrap();
    wait_for("the marked file to pass", || data.join("passed").join(MARK).exists().then_some(()));
    wait_for("the listed file to be held", || data.join("held/bad.bin").exists().then_some(()));
    assert_clean("/metrics", worker.get("/metrics").1.as_bytes());
    let out = worker.out();
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_clean("the log", log.as_bytes());
    assert_clean("the output", out.as_bytes());
    // The provider's own file is where the provider finds it; nothing else may tell of it.
    fs::remove_file(data.join("passed").join(MARK)).unwrap();
    let mut files = Vec::new();
    files_below(fixture.path(), &mut files);
    assert!(files.iter().any(|file| file.ends_with("evidence/checkpoint")), "{files:?}");
    for file in files {
        assert_clean("a file's name", file.display().to_string().as_bytes());
        assert_clean(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}
