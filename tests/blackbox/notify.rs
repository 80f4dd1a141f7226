//! What a service manager hears, on a socket like that of systemd.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::fixture::{Fixture, complaints};
use crate::worker::{PATIENCE, Worker, hashward, wait_for};

/// The manager's end: `KEY=VALUE` lines, as they came.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self { socket, heard: Vec::new() }
    }

    /// Takes what has come.
    fn hear(&mut self) {
        let mut datagram = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut datagram) {
            let text = str::from_utf8(&datagram[..length]).expect("the protocol is text");
            self.heard.extend(text.lines().map(str::to_owned));
        }
    }

    fn count(&mut self, line: &str) -> usize {
        self.hear();
        self.heard.iter().filter(|heard| *heard == line).count()
    }

    fn wait(&mut self, line: &str) {
        wait_for(line, || (self.count(line) > 0).then_some(()));
    }
}

fn start(fixture: &Fixture, watchdog: Duration, more: &[&str]) -> Worker {
    let mut command = hashward();
    command.current_dir(fixture.path()).args(["run", "--list", "sample.txt", "--log-format", "json"]);
    command.args(["--set", "http.listen=127.0.0.1:0", "--set", "inbox.poll_ms=20"]).args(more);
    command.env("NOTIFY_SOCKET", fixture.path().join("notify"));
    command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
    Worker::spawn(command)
}

#[test]
fn ready_comes_with_the_lists_then_signs_of_life_then_stopping() {
    let fixture = Fixture::new("notify", 10);
    let mut manager = Manager::listen(&fixture.path().join("notify"));
    // The lists wait for their key, which nobody has written yet.
    let key = fixture.path().join("seal.key");
    mknodat(CWD, &key, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let more = ["--set", "lists.key_file=seal.key"];
    let mut worker = start(&fixture, Duration::from_millis(400), &more);
    assert_eq!(worker.get("/readyz").0, 503);
    manager.wait("STATUS=not ready: lists: starting");
    let early: BTreeSet<_> = manager.heard.iter().cloned().collect();
    assert_eq!(early, ["STATUS=not ready: lists: starting".to_owned()].into());
    fs::write(&key, "5a".repeat(32)).unwrap();
    manager.wait("READY=1");
    assert_eq!(worker.get("/readyz").0, 200);
    manager.wait("STATUS=ready");
    let before = manager.count("WATCHDOG=1");
    wait_for("two more signs of life", || (manager.count("WATCHDOG=1") >= before + 2).then_some(()));
    assert_eq!((manager.count("READY=1"), manager.count("STOPPING=1")), (1, 0));
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log)), (Some(0), Vec::new()), "{log}");
    assert_eq!((manager.count("READY=1"), manager.count("STOPPING=1")), (1, 1), "{:?}", manager.heard);
    let last_words = manager.heard.iter().skip_while(|line| *line != "STOPPING=1");
    assert!(last_words.into_iter().any(|line| line.starts_with("STATUS=stopping")), "{:?}", manager.heard);
}

#[test]
fn a_manager_that_reads_nothing_keeps_nobody() {
    let fixture = Fixture::new("notify-deaf", 10);
    let manager = Manager::listen(&fixture.path().join("notify"));
    let mut worker = start(&fixture, Duration::from_millis(1), &[]);
    worker.wait_ready();
    // The next word waits for room in the socket's queue.
    fill(&manager);
    let started = Instant::now();
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(started.elapsed() < PATIENCE / 2);
}

/// Sends until the socket's queue has no more room.
fn fill(manager: &Manager) {
    let socket = UnixDatagram::unbound().unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = manager.socket.local_addr().unwrap();
    let send = || socket.send_to(b"X=1", address.as_pathname().unwrap());
    let refused = std::iter::repeat_with(send).find_map(Result::err);
    assert_eq!(refused.map(|error| error.kind()), Some(std::io::ErrorKind::WouldBlock));
}

#[test]
fn without_a_manager_nothing_is_missed() {
    let fixture = Fixture::new("notify-gone", 10);
    // The variable names a socket that nobody has bound.
    let mut worker = start(&fixture, Duration::from_secs(1), &[]);
    worker.wait_ready();
    let (status, log) = worker.terminate();
    assert_eq!((status.code(), complaints(&log).len()), (Some(0), 1), "{log}");
    assert!(log.contains("the service manager cannot be told"), "{log}");
}
