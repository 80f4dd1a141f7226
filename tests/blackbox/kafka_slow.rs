//! A reference whose server is slow holds what comes behind it for a configured time and no longer.

use std::fs;

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, complaints, listed};
use crate::https::HttpsServer;
use crate::worker::{Worker, wait_for};

/// At this pace the contents would take hours.
#[test]
fn a_server_that_trickles_is_left_and_the_line_goes_on() {
    let broker = Broker::shared();
    let fixture = Fixture::new("slow", 3);
    fixture.create_topics(broker, 1);
    let objects = fixture.path().join("objects");
    fs::create_dir(&objects).unwrap();
    fs::write(objects.join("big.bin"), vec![7; 2_000_000]).unwrap();
    fs::write(objects.join("two.bin"), listed(2)).unwrap();
    let server = HttpsServer::start(&objects);
    // Slow within the handshake, and within the content.
    let (handshake, content, port) = (server.trickling(10), server.trickling(100_000), server.port);
    let references = format!(
        "[references]\nhttps_hosts = [\"localhost:{port}\", \"localhost:{handshake}\", \"localhost:{content}\"]\n\
         ca_file = {:?}\ntransfer_timeout_ms = 2000\nattempts_max = 100\n[line]\nopen_threads = 1\n",
        objects.join("ca.pem")
    );
    let mut worker = Worker::start(fixture.path(), &fixture.kafka_config(broker, &references), &[]);
    let reference = |port: u16, name: &str| {
        NewRecord::default()
            .header("ce_id", name)
            .header("ce_dataref", format!("https://localhost:{port}/{name}"))
    };
    let records = [
        reference(handshake, "big.bin").key("handshake"),
        reference(content, "big.bin").key("content"),
        reference(port, "two.bin"),
        NewRecord::new(listed(0)),
    ];
    broker.produce_all(&fixture.topic("uploads"), records);
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let quarantined = broker.read_all(&fixture.topic("quarantine"), Isolation::ReadCommitted);
    let keys: Vec<&[u8]> = quarantined.iter().filter_map(|record| record.key.as_deref()).collect();
    assert_eq!(keys, [&b"handshake"[..], b"content"]);
    for record in &quarantined {
        assert_eq!(record.header("hashward-reason"), Some(&b"read-failed"[..]));
        let detail = String::from_utf8_lossy(record.header("hashward-detail").unwrap_or_default());
        assert!(detail.contains("timeout"), "{detail}");
    }
    assert_eq!(fixture.alerts(broker, Isolation::ReadCommitted).len(), 2, "what came behind is judged");
    assert_eq!(worker.metric("hashward_contents_total", "unreadable"), 2.0);
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()));
}
