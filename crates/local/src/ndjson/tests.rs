use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use hashward_core::{Action, Alert, AlertId, Generation, Identity, Priority, Unreadable, UnreadableKind};
use hashward_engine::{Header, Position, Quarantined, StreamId};
use prometheus::Registry;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

struct Bench {
    dir: TempDir,
    metrics: Metrics,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), metrics: Metrics::register(Registry::new()).unwrap() }
    }

    fn options(&self) -> NdjsonOptions {
        NdjsonOptions {
            alerts: self.dir.path().join("out/alerts.ndjson"),
            quarantine: self.dir.path().join("out/quarantine.ndjson"),
            instance: "test".to_owned(),
            pending_bytes_max: PENDING_BYTES_DEFAULT,
        }
    }

    fn sink(&self) -> NdjsonSink {
        NdjsonSink::open(self.options(), self.metrics.clone(), None).unwrap()
    }

    fn alerts(&self) -> Vec<Value> {
        lines(&self.options().alerts)
    }

    fn repeats(&self) -> bool {
        !self.metrics.render().contains("\nhashward_deliveries_repeated_total 0\n")
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ticket(offset: i64) -> Ticket {
    Ticket(Position { stream: StreamId(0), offset })
}

fn alert(number: u128) -> Outgoing {
    Outgoing::Alert(Box::new(Alert {
        alert_id: AlertId(number),
        action: Action::Block,
        priority: Priority::Normal,
        territories: Vec::new(),
        deadline: None,
        decided_at: "2026-01-01T00:00:00.000Z".to_owned(),
        generation: Generation(1),
        content: Identity { id: format!("content\n{number}"), ..Identity::default() },
        matches: Vec::new(),
    }))
}

fn quarantined(content_id: &str, kind: UnreadableKind) -> Outgoing {
    Outgoing::Quarantined(Box::new(Quarantined {
        origin: "uploads/3".to_owned(),
        position: Position { stream: StreamId(0), offset: 41 },
        content_id: content_id.to_owned(),
        key: Some(b"k\xff".to_vec()),
        headers: vec![
            Header { name: "a".to_owned(), value: Some(b"text".to_vec()) },
            Header { name: "b".to_owned(), value: None },
        ],
        value: Some(b"foo".to_vec()),
        reason: Unreadable::new(kind, "it is so"),
    }))
}

/// Everything that is acknowledged now.
fn acknowledged(sink: &mut NdjsonSink) -> Vec<i64> {
    let mut tickets = Vec::new();
    sink.acknowledged(Duration::ZERO, &mut tickets).unwrap();
    tickets.iter().map(|Ticket(position)| position.offset).collect()
}

#[test]
fn one_object_a_line_for_its_owner_only() {
    let bench = Bench::new();
    let mut sink = bench.sink();
    sink.send(ticket(1), &alert(7)).unwrap();
    sink.send(ticket(2), &quarantined("c", UnreadableKind::TooLarge)).unwrap();
    assert!(bench.alerts().is_empty(), "written when acknowledgements are asked for");
    assert_eq!(acknowledged(&mut sink), [1, 2]);
    let Outgoing::Alert(sent) = alert(7) else { unreachable!() };
    assert_eq!(bench.alerts(), [outgoing::structured(&sent, "test")]);
    let record = json!({
        "id": "too-large:uploads/3:c", "reason": "too-large", "detail": "it is so", "origin": "uploads/3",
        "offset": 41, "content_id": "c", "key_base64": "a/8=", "value_base64": "Zm9v",
        "headers": [{ "name": "a", "value": "text" }, { "name": "b", "value": null }],
    });
    assert_eq!(lines(&bench.options().quarantine), [record]);
    for path in [bench.options().alerts, bench.options().quarantine] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!bench.repeats());
}

#[test]
fn repeats_are_acknowledged_and_not_written() {
    let bench = Bench::new();
    let mut sink = bench.sink();
    for (offset, outgoing) in [
        (1, alert(7)),
        (2, alert(7)),
        (3, quarantined("c", UnreadableKind::TooLarge)),
        (4, quarantined("c", UnreadableKind::TooLarge)),
        (5, quarantined("c", UnreadableKind::ReadFailed)),
    ] {
        sink.send(ticket(offset), &outgoing).unwrap();
    }
    assert_eq!(acknowledged(&mut sink), [1, 2, 3, 4, 5]);
    drop(sink);
    // As after a crash before anything was settled.
    let mut sink = bench.sink();
    sink.send(ticket(1), &alert(7)).unwrap();
    sink.send(ticket(2), &quarantined("c", UnreadableKind::TooLarge)).unwrap();
    sink.send(ticket(3), &alert(8)).unwrap();
    assert_eq!(acknowledged(&mut sink).len(), 3);
    assert_eq!((bench.alerts().len(), lines(&bench.options().quarantine).len()), (2, 2));
    assert!(bench.repeats());
}

#[test]
fn a_torn_line_is_cut_off_and_its_alert_written_again() {
    let bench = Bench::new();
    let mut sink = bench.sink();
    (1..=3).for_each(|number| sink.send(ticket(0), &alert(number)).unwrap());
    acknowledged(&mut sink);
    drop(sink);
    let path = bench.options().alerts;
    let whole = fs::read(&path).unwrap();
    let second_end = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    for torn_at in [second_end, second_end + 1, whole.len() - 1] {
        fs::write(&path, &whole[..torn_at]).unwrap();
        let mut sink = bench.sink();
        assert_eq!(fs::read(&path).unwrap(), &whole[..second_end], "torn at {torn_at}");
        (1..=3).for_each(|number| sink.send(ticket(0), &alert(number)).unwrap());
        assert_eq!(acknowledged(&mut sink).len(), 3);
        assert_eq!(fs::read(&path).unwrap(), whole, "torn at {torn_at}");
    }
    // Even the first line may be torn.
    fs::write(&path, &whole[..10]).unwrap();
    drop(bench.sink());
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_file_has_one_sink_and_belongs_to_hashward() {
    let bench = Bench::new();
    let open = |options| NdjsonSink::open(options, bench.metrics.clone(), None).unwrap_err();
    let sink = bench.sink();
    assert!(matches!(open(bench.options()), LocalError::InUse { .. }));
    drop(sink);
    drop(bench.sink());
    let same = NdjsonOptions { quarantine: bench.options().alerts, ..bench.options() };
    assert!(matches!(open(same), LocalError::SameFile { .. }));
    for device in ["/dev/full", "/dev/null", "/dev"] {
        let options = NdjsonOptions { alerts: device.into(), ..bench.options() };
        assert!(matches!(open(options), LocalError::NotAFile { .. }), "{device}");
    }
    for foreign in ["<html>\n", "no line", "\n"] {
        fs::write(bench.options().alerts, foreign).unwrap();
        assert!(matches!(open(bench.options()), LocalError::NotNdjson { .. }));
        assert_eq!(fs::read_to_string(bench.options().alerts).unwrap(), foreign, "left as it is");
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let bench = Bench::new();
    let mut sink = bench.sink();
    sink.send(ticket(1), &alert(1)).unwrap();
    assert_eq!(acknowledged(&mut sink), [1]);
    let good = std::mem::replace(&mut sink.alerts.file, AppendFile::of_device("/dev/full"));
    sink.send(ticket(2), &alert(2)).unwrap();
    sink.send(ticket(3), &quarantined("c", UnreadableKind::TooLarge)).unwrap();
    sink.send(ticket(4), &alert(2)).unwrap();
    for expected in [vec![3], vec![]] {
        let mut tickets = Vec::new();
        let error = sink.acknowledged(Duration::ZERO, &mut tickets).unwrap_err();
        assert!(matches!(&error, PortError::Unavailable { port: "alerts.file", .. }), "{error}");
        assert!(error.to_string().contains("/dev/full: No space left"), "{error}");
        let offsets: Vec<i64> = tickets.iter().map(|Ticket(position)| position.offset).collect();
        assert_eq!(offsets, expected, "the other file works");
    }
    sink.alerts.file = good;
    assert_eq!(acknowledged(&mut sink), [2, 4]);
    assert_eq!(bench.alerts().len(), 2);
}

#[test]
fn pending_bytes_are_bounded() {
    let bench = Bench::new();
    let options = NdjsonOptions { pending_bytes_max: 1, ..bench.options() };
    let mut sink = NdjsonSink::open(options, bench.metrics.clone(), None).unwrap();
    (0..3).for_each(|number| sink.send(ticket(0), &alert(number)).unwrap());
    assert_eq!(bench.alerts().len(), 2, "sending waited for the disk");
    sink.alerts.file = AppendFile::of_device("/dev/full");
    assert!(matches!(sink.send(ticket(9), &alert(9)), Err(PortError::Unavailable { .. })));
}

#[test]
fn lines_are_told_once_durable() {
    let bench = Bench::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let on_durable: OnDurable = {
        let told = Arc::clone(&told);
        Box::new(move |line| told.lock().unwrap().push(line.to_owned()))
    };
    let mut sink = NdjsonSink::open(bench.options(), bench.metrics.clone(), Some(on_durable)).unwrap();
    (1..=2).for_each(|number| sink.send(ticket(0), &alert(number)).unwrap());
    assert!(told.lock().unwrap().is_empty());
    acknowledged(&mut sink);
    acknowledged(&mut sink);
    let told: Vec<Value> =
        told.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told, bench.alerts());
}

#[test]
fn log_rotation_is_followed() {
    let bench = Bench::new();
    let mut sink = bench.sink();
    let path = bench.options().alerts;
    sink.send(ticket(1), &alert(1)).unwrap();
    acknowledged(&mut sink);
    fs::rename(&path, path.with_extension("1")).unwrap();
    sink.send(ticket(2), &alert(2)).unwrap();
    acknowledged(&mut sink);
    assert_eq!((bench.alerts().len(), lines(&path.with_extension("1")).len()), (1, 1));
    // Emptied in place, as `copytruncate` does.
    fs::write(&path, "").unwrap();
    sink.send(ticket(3), &alert(3)).unwrap();
    sink.send(ticket(4), &alert(1)).unwrap();
    assert_eq!(acknowledged(&mut sink), [3, 4]);
    assert_eq!(bench.alerts().len(), 1);
}
