//! The embedded default: no broker, no configuration, a folder and a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::fixture::{Fixture, Numbers, complaints, harmless, json, listed};
use crate::worker::{Worker, hashward, text, wait_for};

/// Puts a complete file into the inbox, as the documentation asks: under a hidden name first.
fn drop_in(data: &Path, name: &str, bytes: &[u8]) {
    let inbox = data.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    let hidden = inbox.join(format!(".{name}"));
    fs::write(&hidden, bytes).unwrap();
    fs::rename(hidden, inbox.join(name)).unwrap();
}

fn alerts(data: &Path) -> Vec<Value> {
    let file = fs::read(data.join("alerts.ndjson")).unwrap_or_default();
    file.split_inclusive(|byte| *byte == b'\n')
        .map(|line| {
            assert!(line.ends_with(b"\n"), "a torn line: {}", text(line));
            json(line)
        })
        .collect()
}

fn files(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn start(fixture: &Fixture, more: &[&str]) -> Worker {
    let mut command = hashward();
    command.current_dir(fixture.path()).args(["run", "--list", "sample.txt", "--log-format", "json"]);
    command.args([
        "--set",
        "http.listen=127.0.0.1:0",
        "--set",
        "inbox.poll_ms=20",
        "--set",
        "inbox.settle_ms=20",
    ]);
    command.args(more);
    Worker::spawn(command)
}

#[test]
fn without_a_configuration_it_watches_a_folder() {
    let fixture = Fixture::new("inbox", 10);
    let data = fixture.path().join("hashward-data");
    let mut worker = start(&fixture, &["--json"]);
    worker.wait_ready();
    drop_in(&data, "bad.bin", &listed(3));
    drop_in(&data, "good.bin", &harmless(3));
    drop_in(&data, "empty.bin", b"");
    fs::write(data.join("inbox/unfinished.part"), listed(4)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", data.join("inbox/link")).unwrap();
    wait_for("the files to be judged", || (files(&data.join("passed")).len() == 2).then_some(()));
    wait_for("the link to be refused", || (files(&data.join("unreadable")).len() == 1).then_some(()));
    wait_for("the alert", || (alerts(&data).len() == 1).then_some(()));
    assert_eq!(files(&data.join("held")), ["bad.bin".to_owned()].into());
    assert_eq!(files(&data.join("passed")), ["empty.bin".to_owned(), "good.bin".to_owned()].into());
    assert_eq!(files(&data.join("inbox")), ["unfinished.part".to_owned()].into());
    let event = &alerts(&data)[0];
    assert_eq!((&event["specversion"], &event["subject"]), (&"1.0".into(), &"bad.bin".into()));
    assert_eq!(event["data"]["action"], "block");
    assert_eq!(event["id"], event["data"]["alert_id"]);
    wait_for("the alert to be printed", || worker.out().contains("bad.bin").then_some(()));
    assert_eq!(worker.metric("hashward_contents_total", "allow"), 2.0);
    let quarantine = fs::read_to_string(data.join("quarantine.ndjson")).unwrap();
    assert!(quarantine.contains("not-a-file"), "{quarantine}");
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()), "{log}");
}

#[test]
fn a_kill_loses_and_repeats_no_alert() {
    let fixture = Fixture::new("inbox-kill", 200);
    let data = fixture.path().join("hashward-data");
    let mut numbers = Numbers(42);
    let mut made = 0;
    for _ in 0..25 {
        for _ in 0..60 {
            let bytes = if made % 4 == 0 { listed(made / 4 % 200) } else { harmless(made) };
            drop_in(&data, &format!("{made}.bin"), &bytes);
            made += 1;
        }
        let mut worker = start(&fixture, &["--set", "batch.records_max=16"]);
        wait_for("the worker to judge something", || {
            assert!(!worker.has_ended(), "{}", worker.log());
            (worker.metric("hashward_contents_total", "") > 0.0).then_some(())
        });
        sleep(Duration::from_micros(numbers.below(30_000)));
        worker.kill();
    }
    let mut worker = start(&fixture, &[]);
    worker.wait_ready();
    wait_for("the inbox to be empty", || files(&data.join("inbox")).is_empty().then_some(()));
    assert_eq!(worker.terminate().0.code(), Some(0));
    let alerts = alerts(&data);
    let subjects: Vec<&str> = alerts.iter().map(|event| event["subject"].as_str().unwrap()).collect();
    let expected: BTreeSet<String> = (0..made).step_by(4).map(|n| format!("{n}.bin")).collect();
    assert_eq!(subjects.len(), expected.len(), "each alert once");
    assert_eq!(subjects.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    assert_eq!(files(&data.join("held")), expected);
    assert_eq!(files(&data.join("passed")).len(), made - expected.len());
}

#[test]
fn a_term_signal_finishes_what_is_in_flight() {
    let fixture = Fixture::new("inbox-term", 300);
    let data = fixture.path().join("hashward-data");
    for n in 0..300 {
        drop_in(&data, &format!("{n}.bin"), &listed(n));
    }
    let mut worker = start(&fixture, &["--set", "batch.records_max=16"]);
    wait_for("the worker to judge something", || {
        (worker.metric("hashward_contents_total", "") > 0.0).then_some(())
    });
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()), "{log}");
    // What was begun is finished: each file is either untouched, or held and alerted.
    let subjects = alerts(&data).iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(files(&data.join("held")), subjects);
    assert_eq!(files(&data.join("inbox")).len() + subjects.len(), 300);
}

/// A full disk under the alerts: nothing is lost, nothing is torn, and the work goes on when there is room again.
#[test]
fn a_full_disk_is_waited_out() {
    let fixture = Fixture::new("inbox-full", 400);
    let data = fixture.path().join("hashward-data");
    let disk = fixture.path().join("disk");
    fs::create_dir(&disk).unwrap();
    // A namespace of its own in which anybody may mount a small disk; the test reaches into it through /proc.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c"]).arg(
        "mount -t tmpfs -o size=64k,mode=0755 tmpfs disk && exec \"$0\" run --list sample.txt --log-format json \
         --set http.listen=127.0.0.1:0 --set inbox.poll_ms=20 --set inbox.settle_ms=20 \
         --set alerts.file=disk/alerts.ndjson --set alerts.quarantine_file=disk/quarantine.ndjson",
    );
    command.arg(hashward().get_program()).current_dir(fixture.path()).stdin(Stdio::null());
    let mut worker = Worker::spawn(command);
    worker.wait_ready();
    let inside = Path::new("/proc").join(worker.pid().to_string()).join("root");
    let inside = inside.join(disk.strip_prefix("/").unwrap());
    // Leave room for a few alerts only.
    fs::write(inside.join("ballast"), vec![0; 48 * 1024]).unwrap();
    for n in 0..400 {
        drop_in(&data, &format!("{n}.bin"), &listed(n));
    }
    wait_for("the full disk to be noticed", || {
        assert!(!worker.has_ended(), "{}", worker.log());
        let (status, body) = worker.get("/readyz");
        (status == 503 && body.contains("alerts.ndjson")).then_some(())
    });
    assert!(worker.metric("hashward_delivery_failures_total", "") > 0.0);
    let held = files(&data.join("held")).len();
    assert!(held < 400, "the disk was not full");
    // More room: the limit of a tmpfs can be raised while it is in use.
    let pid = worker.pid().to_string();
    let enlarged = Command::new("nsenter")
        .args([
            "--target",
            &pid,
            "--mount",
            "--user",
            "--preserve-credentials",
            "mount",
            "-o",
            "remount,size=8m",
        ])
        .arg(&disk)
        .status();
    assert!(enlarged.is_ok_and(|status| status.success()), "the disk can be enlarged");
    wait_for("everything to be held", || (files(&data.join("held")).len() == 400).then_some(()));
    worker.wait_ready();
    let lines = fs::read(inside.join("alerts.ndjson")).unwrap();
    let subjects: Vec<String> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| json(line)["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(subjects.len(), 400, "each alert once");
    assert_eq!(subjects.into_iter().collect::<BTreeSet<_>>(), files(&data.join("held")));
    worker.signal("TERM");
    assert_eq!(worker.wait().code(), Some(0));
}
