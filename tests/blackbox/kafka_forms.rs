//! The forms in which a record brings its content, and what becomes of records that bring none.

use std::fs;

use hashward_core::Algorithm;
use serde_json::{Value, json};

use crate::broker::{Broker, Isolation, NewRecord, PASSWORD, USERNAME};
use crate::fixture::{Fixture, complaints, harmless, hex, id_set, listed};
use crate::https::HttpsServer;
use crate::worker::{Worker, wait_for};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn stated(algorithm: Algorithm, content: &[u8]) -> Vec<u8> {
    json!({ "digests": { algorithm.word(): hex(algorithm, content) } }).to_string().into_bytes()
}

/// Up to 2 KiB a value is copied, from there on it stays where librdkafka received it: both must be the same content.
#[test]
fn values_of_every_length_are_the_content() {
    let broker = Broker::shared();
    let fixture = Fixture::new("lengths", 1);
    fixture.create_topics(broker, 1);
    let lengths = [1, 255, 2047, 2048, 2049, 4096, 65_536, 1_000_003];
    let contents: Vec<Vec<u8>> =
        lengths.iter().map(|length| (0..*length).map(|i| (i * 31 + length) as u8).collect()).collect();
    let lines: String = contents.iter().map(|c| format!("{}\n", hex(Algorithm::Sha256, c))).collect();
    fs::write(fixture.list(), lines).unwrap();
    let worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, ""), &[]);
    // Each listed content, and one that differs from it in its last byte.
    let records = contents.iter().flat_map(|content| {
        let mut other = content.clone();
        *other.last_mut().unwrap() ^= 1;
        [NewRecord::new(content.clone()), NewRecord::new(other)]
    });
    broker.produce_all(&fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    assert_eq!(alerts.len(), lengths.len());
    assert_eq!(id_set(&alerts), fixture.expected_ids(broker));
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn all_three_forms_come_round() {
    let broker = Broker::shared();
    let fixture = Fixture::new("forms", 10);
    fixture.create_topics(broker, 1);
    let objects = fixture.path().join("objects");
    fs::create_dir(&objects).unwrap();
    for (name, bytes) in [("three.bin", listed(3)), ("four.bin", listed(4)), ("good.bin", harmless(1))] {
        fs::write(objects.join(name), bytes).unwrap();
    }
    let server = HttpsServer::start(&objects);
    let port = server.port;
    let references = format!(
        "[references]\nfile_roots = [{objects:?}]\nhttps_hosts = [\"localhost:{port}\"]\nca_file = {:?}\n",
        objects.join("ca.pem")
    );
    let mut worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, &references), &[]);
    let file = |name: &str| format!("file://{}", objects.join(name).display());
    let records = [
        NewRecord::new(listed(0)),
        NewRecord::new(listed(1)).key("photos/1.jpg"),
        NewRecord::new(listed(2))
            .key("key")
            .header("ce_id", "upload-2")
            .header("ce_source", "/uploads")
            .header("ce_type", "com.example.upload")
            .header("ce_subject", "photos/2.jpg")
            .header("content-type", "image/jpeg")
            .header("traceparent", TRACE)
            .header("tracestate", "vendor=1"),
        NewRecord::default().header("ce_id", "by-file").header("ce_dataref", file("three.bin")),
        NewRecord::default()
            .header("ce_id", "by-https")
            .header("ce_dataref", format!("https://localhost:{port}/four.bin")),
        NewRecord::new(stated(Algorithm::Sha256, &listed(5))).header("ce_id", "by-shape"),
        NewRecord::new(stated(Algorithm::Sha256, &listed(6)))
            .header("ce_id", "by-type")
            .header("content-type", "application/vnd.hashward.digests+json"),
        // And none of these.
        NewRecord::new(harmless(0)),
        NewRecord::new(""),
        NewRecord::default(),
        NewRecord::default().header("ce_dataref", file("good.bin")),
        NewRecord::new(stated(Algorithm::Sha256, &harmless(2))),
    ];
    broker.produce_all(&fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let records = broker.read_all(&fixture.topic("alerts"), Isolation::ReadCommitted);
    let mut alerts: Vec<Value> = fixture.alerts(broker, Isolation::ReadCommitted);
    alerts.sort_by_key(|alert| alert["content"]["id"].to_string());
    let topic = fixture.topic("uploads");
    let named: Vec<&str> = alerts.iter().filter_map(|alert| alert["content"]["id"].as_str()).collect();
    let mut expected = [format!("{topic}/0/0"), format!("{topic}/0/1")].to_vec();
    expected.extend(["by-file", "by-https", "by-shape", "by-type", "upload-2"].map(str::to_owned));
    expected.sort();
    assert_eq!(named, expected);

    let keyed = alerts.iter().find(|alert| alert["content"]["subject"] == "photos/1.jpg");
    assert!(keyed.is_some(), "the record key is the subject");
    let full = alerts.iter().find(|alert| alert["content"]["id"] == "upload-2").expect("found above");
    assert_eq!(full["content"]["source"], "/uploads");
    let unsourced = alerts.iter().find(|alert| alert["content"]["id"] == "by-file").expect("found above");
    assert_eq!(unsourced["content"]["source"], json!(topic), "ids of two topics must not meet");
    assert_eq!(full["content"]["type"], "com.example.upload");
    assert_eq!(full["content"]["subject"], "photos/2.jpg");
    assert_eq!(full["content"]["content_type"], "image/jpeg");
    assert_eq!((&full["action"], &full["generation"]), (&json!("block"), &json!(1)));
    let found = &full["matches"][0];
    assert_eq!((&found["list"], &found["ground"]), (&json!("sample"), &json!("as-listed")));
    assert_eq!(found["digests"]["sha256"], hex(Algorithm::Sha256, &listed(2)));
    assert_eq!(found["legal_basis"], "Directive 2011/93/EU art. 25");

    let id = full["alert_id"].as_str().unwrap().as_bytes();
    let record =
        records.iter().find(|record| record.header("ce_id") == Some(id)).expect("ce_id is the alert id");
    assert_eq!(record.header("ce_specversion"), Some(&b"1.0"[..]));
    assert_eq!(record.header("ce_type"), Some(&b"org.hashward.alert.v1"[..]));
    assert_eq!(record.header("ce_traceparent"), Some(TRACE.as_bytes()));
    assert_eq!(record.header("ce_tracestate"), Some(&b"vendor=1"[..]));
    assert_eq!(record.header("content-type"), Some(&b"application/json"[..]));
    assert_eq!(record.key.as_deref(), Some(&b"upload-2"[..]));
    assert_eq!(worker.metric("hashward_contents_total", "verdict=\"allow\""), 5.0);
    assert_eq!(worker.metric("hashward_quarantined_total", ""), 0.0, "{}", worker.log());
}

#[test]
fn poison_goes_to_quarantine_and_the_line_goes_on() {
    let broker = Broker::shared();
    for keep_bytes in [false, true] {
        let fixture = Fixture::new("poison", 10);
        fixture.create_topics(broker, 1);
        let objects = fixture.path().join("objects");
        fs::create_dir(&objects).unwrap();
        let more =
            format!("[quarantine]\nkeep_bytes = {keep_bytes}\n[references]\nfile_roots = [{objects:?}]\n");
        let mut worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, &more), &[]);
        let digests = "application/vnd.hashward.digests+json";
        let poison = [
            (
                "bad-digests",
                NewRecord::new("{\"digests\": {\"md5\": \"zz\"}}").header("content-type", digests),
            ),
            ("no-usable-digest", NewRecord::new(stated(Algorithm::Md5, b"x"))),
            ("bad-reference", NewRecord::new("v").header("ce_dataref", "s3://bucket/key")),
            ("bad-reference", NewRecord::new("v").header("ce_dataref", [0xff, 0xfe])),
            ("reference-refused", NewRecord::new("v").header("ce_dataref", "file:///etc/passwd")),
            ("reference-refused", NewRecord::new("v").header("ce_dataref", "https://localhost/x")),
            (
                "not-found",
                NewRecord::new("v")
                    .header("ce_dataref", format!("file://{}/objects/none", fixture.path().display())),
            ),
        ];
        let expected: Vec<&str> = poison.iter().map(|(reason, _)| *reason).collect();
        let mixed = poison.into_iter().enumerate().flat_map(|(n, (_, record))| {
            [record.key(format!("key-{n}")).header("their-header", "kept"), NewRecord::new(listed(n))]
        });
        broker.produce_all(&fixture.topic("uploads"), mixed);
        wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
        let records = broker.read_all(&fixture.topic("quarantine"), Isolation::ReadCommitted);
        let reasons: Vec<String> = records.iter().map(|record| header(record, "hashward-reason")).collect();
        assert_eq!(reasons, expected);
        for (n, record) in records.iter().enumerate() {
            assert_eq!(record.key.as_deref(), Some(format!("key-{n}").as_bytes()));
            assert_eq!(record.header("their-header"), Some(&b"kept"[..]));
            assert_eq!(header(record, "hashward-origin"), format!("{}/0", fixture.topic("uploads")));
            assert_eq!(header(record, "hashward-offset"), (2 * n).to_string());
            assert!(header(record, "hashward-detail").len() > 20, "the reason is told in words");
            assert_eq!(record.value.is_some(), keep_bytes, "bytes only where configured");
        }
        assert_eq!(fixture.alerts(broker, Isolation::ReadCommitted).len(), expected.len());
        assert_eq!(worker.metric("hashward_contents_total", "unreadable"), expected.len() as f64);
        let (status, log) = worker.terminate();
        assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()));
    }
}

fn header(record: &crate::broker::Record, name: &str) -> String {
    String::from_utf8_lossy(record.header(name).unwrap_or_else(|| panic!("no header {name}"))).into_owned()
}

#[test]
fn tls_and_sasl() {
    let broker = Broker::shared();
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let fixture = Fixture::new(&format!("sasl-{}", mechanism.to_lowercase()), 10);
        fixture.create_topics(broker, 1);
        let settings = |password: &str| {
            format!(
                "[kafka.settings]\n\"security.protocol\" = \"SASL_SSL\"\n\"ssl.ca.location\" = {:?}\n\
                 \"sasl.mechanism\" = {mechanism:?}\n\"sasl.username\" = {USERNAME:?}\n\"sasl.password\" = {password:?}\n",
                broker.ca_file()
            )
        };
        let config = |password: &str| {
            let config = fixture.kafka_config(broker, &settings(password));
            config.replace(broker.bootstrap(), broker.sasl_ssl_bootstrap())
        };
        broker
            .produce_all(&fixture.topic("uploads"), [NewRecord::new(listed(1)), NewRecord::new(harmless(1))]);
        let mut stranger = Worker::start(fixture.path(), &config("wrong-password-4711"), &[]);
        wait_for("the wrong password to be told", || stranger.log().contains("uthentication").then_some(()));
        assert_ne!(stranger.get("/readyz").0, 200);
        assert!(!stranger.log().contains("wrong-password-4711"), "no password in the log");
        stranger.kill();
        let worker = Worker::start(fixture.path(), &config(PASSWORD), &[]);
        wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
        assert_eq!(fixture.alerts(broker, Isolation::ReadCommitted).len(), 1);
        let (status, log) = worker.terminate();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains(PASSWORD), "no password in the log");
    }
}

#[test]
fn messages_of_several_megabytes_and_zstd() {
    let broker = Broker::shared();
    let fixture = Fixture::new("large", 0);
    fixture.create_topics(broker, 1);
    let large = vec![b'x'; 4_000_000];
    fs::write(fixture.list(), format!("{}  large\n", hex(Algorithm::Sha256, &large))).unwrap();
    let config = fixture.kafka_config(broker, "producer_settings = { \"compression.type\" = \"zstd\" }\n");
    let worker = Worker::start(fixture.path(), &config, &[]);
    let producer = broker.producer(&[("compression.type", "zstd")]);
    let records =
        [NewRecord::new(large.clone()), NewRecord::new(vec![b'y'; 4_000_000]), NewRecord::new(large)];
    crate::broker::produce_all(&producer, &fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    assert_eq!(fixture.alerts(broker, Isolation::ReadCommitted).len(), 2);
    assert_eq!(worker.terminate().0.code(), Some(0));
}
