//! A destination that takes nothing: the source pauses, nothing grows, and all of it goes on when there is room again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::broker::{Broker, NewRecord};
use crate::fixture::{Fixture, harmless, ids, json, listed};
use crate::worker::{Worker, hashward, wait_for};

const RECORDS: usize = 20_000;
/// More than the worker takes at rest in a build without optimisation, and less than the topic's records would add.
const RESIDENT_KIB_MAX: u64 = 160 * 1024;
const RECORD_BYTES: usize = 16 * 1024;

fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the worker is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_full_line_pauses_the_source() {
    let broker = Broker::shared();
    let fixture = Fixture::new("pressure", 50);
    fixture.create_topics(broker, 2);
    let content = |n: usize| {
        let mut bytes = if n.is_multiple_of(10) { return listed(n / 10 % 50) } else { harmless(n) };
        bytes.resize(RECORD_BYTES, b'.');
        bytes
    };
    let records = (0..RECORDS).map(|n| NewRecord::new(content(n)).partition((n % 2) as i32));
    broker.produce_all(&fixture.topic("uploads"), records);
    // What librdkafka may hold by itself is bounded by its own setting.
    let more = "consumer_settings = { \"queued.max.messages.kbytes\" = \"4096\", \"session.timeout.ms\" = \"2000\", \
                \"heartbeat.interval.ms\" = \"300\" }\n[batch]\nrecords_max = 100\n[line]\nin_flight_max = 50\n";
    let config = fixture.kafka_config(broker, more);
    // The first is the fixture's own, which `more` replaces.
    let config = config.replacen(
        "consumer_settings = { \"session.timeout.ms\" = \"2000\", \"heartbeat.interval.ms\" = \"300\" }\n",
        "",
        1,
    );
    let config = config.replace("[alerts]\nkind = \"kafka\"", "[alerts]\nkind = \"file\"\nfile = \"disk/alerts.ndjson\"\nquarantine_file = \"disk/quarantine.ndjson\"");
    fs::write(fixture.path().join("hashward.toml"), config).unwrap();
    let disk = fixture.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c"]).arg(
        "mount -t tmpfs -o size=8m,mode=0755 tmpfs disk && head -c 8300000 /dev/zero > disk/ballast && exec \"$0\" run \
         --config hashward.toml --log-format json --set http.listen=127.0.0.1:0",
    );
    command.arg(hashward().get_program()).current_dir(fixture.path()).stdin(Stdio::null());
    let mut worker = Worker::spawn(command);
    let inside = Path::new("/proc").join(worker.pid().to_string()).join("root");
    let inside = inside.join(disk.strip_prefix("/").unwrap());
    wait_for("the source to pause", || (worker.metric("hashward_source_paused", "") == 1.0).then_some(()));
    assert_eq!(worker.get("/readyz").0, 503);
    let judged = |worker: &mut Worker| worker.metric("hashward_contents_total", "");
    let before = judged(&mut worker);
    // Long enough to lose its place in the group, if it did not go on polling.
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(judged(&mut worker), before, "nothing is read while the line is full");
    assert!(!worker.log().contains("partitions lost"), "{}", worker.log());
    let resident = resident_kib(worker.pid());
    assert!(resident < RESIDENT_KIB_MAX, "{resident} KiB");
    fs::remove_file(inside.join("ballast")).unwrap();
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    assert_eq!(worker.metric("hashward_source_paused", ""), 0.0);
    let written = fs::read(inside.join("alerts.ndjson")).unwrap();
    let alerts: Vec<_> =
        written.split_inclusive(|byte| *byte == b'\n').map(|line| json(line)["data"].clone()).collect();
    let told: BTreeSet<String> = ids(&alerts).into_iter().collect();
    assert_eq!(told, fixture.expected_ids(broker));
    assert_eq!(alerts.len(), told.len(), "each alert once");
    worker.signal("TERM");
    assert_eq!(worker.wait().code(), Some(0));
}
