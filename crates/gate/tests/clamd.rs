//! The clamd door over real sockets: what is said, to whom, and what slow, greedy and vanishing clients leave behind.
#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "tests may panic")]

mod served;
mod support;

use std::fs::{self, File};
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hashward_engine::desk::DeskOptions;
use hashward_gate::clamd::{Clamd, ClamdLimits};
use hashward_gate::{Address, AsyncDeskLimits, Door, DoorKind, Fail, Listener, Review};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use served::{PATIENCE, Serving, rest_of, serve, wait_for_no_upload};
use support::{LISTED, World, world};

/// A door that is served on a thread of its own, at a port and at a socket.
struct Served {
    world: World,
    dir: tempfile::TempDir,
    address: SocketAddr,
    serving: Serving,
}

impl Served {
    fn with(fail: Fail, desk: DeskOptions, limits: ClamdLimits) -> Self {
        let world = world(desk, AsyncDeskLimits::default());
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("listed"), LISTED).unwrap();
        fs::write(root.join("sub/listed"), LISTED).unwrap();
        fs::write(root.join("clean"), "clean").unwrap();
        let door = Door::new(DoorKind::Clamd, fail, world.metrics.clone());
        let clamd = Clamd::new(world.desk.clone(), door, Review::Block, &[root], limits).unwrap();
        let tcp = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = tcp.tcp_addr().unwrap();
        let unix = Listener::bind(&Address::Unix(dir.path().join("socket"), 0o600)).unwrap();
        let serving = serve(vec![tcp, unix], move |listener, wish| {
            let clamd = clamd.clone();
            async move { clamd.serve(listener, wish).await }
        });
        Self { world, dir, address, serving }
    }

    fn new() -> Self {
        Self::with(Fail::Closed, DeskOptions::default(), ClamdLimits::default())
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn connect_unix(&self) -> UnixStream {
        let stream = UnixStream::connect(self.dir.path().join("socket")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that is said to `sent`, up to the end of the connection.
    fn ask(&self, sent: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(sent).unwrap();
        rest_of(stream)
    }
}

fn chunks(content: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let framed = |chunk: &[u8]| [&u32::try_from(chunk.len()).unwrap().to_be_bytes(), chunk].concat();
    let mut sent: Vec<u8> = content.chunks(chunk_bytes).flat_map(framed).collect();
    sent.extend([0; 4]);
    sent
}

fn instream(content: &[u8], chunk_bytes: usize) -> Vec<u8> {
    [b"zINSTREAM\0".as_slice(), &chunks(content, chunk_bytes)].concat()
}

#[test]
fn streams() {
    let served = Served::new();
    for chunk_bytes in [1, 7, 1000] {
        let found = served.ask(&instream(LISTED, chunk_bytes));
        assert_eq!(found, "stream: Hashward.sample.unspecified FOUND\0");
    }
    assert_eq!(served.ask(&instream(b"clean", 2)), "stream: OK\0");
    assert_eq!(served.ask(b"nINSTREAM\n\0\0\0\0"), "stream: OK\n");
    let large = vec![7; 3_000_000];
    assert_eq!(served.ask(&instream(&large, 100_000)), "stream: OK\0");
    let alerts = served.world.sink.alerts.lock().unwrap();
    assert_eq!(alerts.len(), 3);
    wait_for_no_upload(&served.world);
}

#[test]
fn paths() {
    let served = Served::new();
    let root = served.root();
    let at = |name: &str| root.join(name).display().to_string();
    let ask = |command: &str, path: &str| served.ask(format!("n{command} {path}\n").as_bytes());
    let found = |name: &str| format!("{}: Hashward.sample.unspecified FOUND\n", at(name));
    for command in ["SCAN", "CONTSCAN", "MULTISCAN"] {
        assert_eq!(ask(command, &at("listed")), found("listed"));
        assert_eq!(ask(command, &at("clean")), format!("{}: OK\n", at("clean")));
        let missing = "File path check failure: No such file or directory. ERROR";
        assert_eq!(ask(command, &at("missing")), format!("{}: {missing}\n", at("missing")));
        assert_eq!(ask(command, "/etc/passwd"), "/etc/passwd: Access denied. ERROR\n");
        let all = ask(command, &at(""));
        let mut lines: Vec<&str> = all.split_inclusive('\n').collect();
        lines.sort_unstable();
        match command {
            "SCAN" => assert!(lines.len() == 1 && lines[0].ends_with(" FOUND\n"), "{all}"),
            _ => assert_eq!(lines, [found("listed"), found("sub/listed")]),
        }
    }
    fs::remove_file(root.join("sub/listed")).unwrap();
    for name in 0..50 {
        fs::write(root.join(format!("sub/{name}")), [name; 1000]).unwrap();
    }
    assert_eq!(ask("MULTISCAN", &at("sub")), format!("{}: OK\n", at("sub")));
    fs::write(root.join("sub/nasty\nname: OK"), LISTED).unwrap();
    let told = ask("CONTSCAN", &at("sub"));
    assert_eq!(told, format!("{}: Hashward.sample.unspecified FOUND\n", at("sub/nasty?name: OK")));
    let named = |outgoing: &hashward_engine::Outgoing| format!("{outgoing:?}").contains("root/listed");
    assert!(served.world.sink.alerts.lock().unwrap().iter().any(named), "the alert names the file");
}

/// Sends `files` beside one byte.
fn send_files(stream: &UnixStream, files: &[&File]) {
    let descriptors: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    assert!(beside.push(SendAncillaryMessage::ScmRights(&descriptors)));
    sendmsg(stream, &[IoSlice::new(b"\0")], &mut beside, SendFlags::empty()).unwrap();
}

fn is_about_descriptor(reply: &str, said: &str) -> bool {
    reply.strip_prefix("fd[").and_then(|reply| reply.split_once("]: ")).is_some_and(|(_, text)| text == said)
}

#[test]
fn descriptors() {
    let served = Served::new();
    let open = |name: &str| File::open(served.root().join(name)).unwrap();
    let ask = |command: &[u8], files: &[&File]| {
        let mut stream = served.connect_unix();
        stream.write_all(command).unwrap();
        if !files.is_empty() {
            send_files(&stream, files);
        }
        rest_of(stream)
    };
    let mut listed = open("listed");
    // Where the client's own reading stands does not matter.
    listed.read_to_end(&mut Vec::new()).unwrap();
    let found = "Hashward.sample.unspecified FOUND";
    assert!(is_about_descriptor(&ask(b"zFILDES\0", &[&listed]), &format!("{found}\0")));
    assert!(is_about_descriptor(&ask(b"nFILDES\n", &[&open("clean")]), "OK\n"));
    assert!(is_about_descriptor(&ask(b"FILDES\n", &[&open("clean")]), "OK\n"));
    assert!(is_about_descriptor(&ask(b"nFILDES\n", &[&open("sub")]), "Not supported file type ERROR\n"));
    assert_eq!(ask(b"zFILDES\0x", &[]), "No file descriptor received. ERROR\0");
    let stray = "PROTOCOL ERROR: ancillary data sent without FILDES. ERROR";
    let many = [&listed; 9];
    for files in [&[&listed, &listed][..], &many] {
        let reply = ask(b"zFILDES\0", files);
        assert!(reply.is_empty() || reply.contains(stray) || reply.ends_with("FOUND\0"), "{reply}");
    }
    let in_session = served.connect_unix();
    (&in_session).write_all(b"zIDSESSION\0zFILDES\0").unwrap();
    send_files(&in_session, &[&listed]);
    (&in_session).write_all(b"zFILDES\0").unwrap();
    send_files(&in_session, &[&open("clean")]);
    (&in_session).write_all(b"zEND\0").unwrap();
    let reply = rest_of(in_session);
    let (first, second) = reply.split_once('\0').unwrap();
    assert!(is_about_descriptor(first.strip_prefix("1: ").unwrap(), found), "{reply}");
    assert!(is_about_descriptor(second.strip_prefix("2: ").unwrap(), "OK\0"), "{reply}");
}

#[test]
fn sessions_number_their_replies() {
    let served = Served::new();
    let mut sent = b"zIDSESSION\0zPING\0".to_vec();
    sent.extend(instream(LISTED, 5));
    sent.extend(b"zVERSION\0");
    sent.extend(instream(b"clean", 5));
    sent.extend(b"zEND\0zPING\0");
    let version = concat!("ClamAV Hashward-", env!("CARGO_PKG_VERSION"), "/1");
    let found = "stream: Hashward.sample.unspecified FOUND";
    assert_eq!(served.ask(&sent), format!("1: PONG\x002: {found}\x003: {version}\x004: stream: OK\0"));
    let invalid = "1: Command invalid inside IDSESSION. ERROR\n";
    for wrong in ["nNOPE\n", "PING x\n", "nIDSESSION\n"] {
        assert_eq!(served.ask(format!("nIDSESSION\n{wrong}").as_bytes()), invalid, "{wrong}");
    }
}

#[test]
fn limits_are_said_in_the_words_of_the_protocol() {
    let limits = ClamdLimits {
        stream_bytes_max: 100_000,
        command_timeout: Duration::from_millis(300),
        stream_timeout: Duration::from_millis(900),
        ..ClamdLimits::default()
    };
    let served = Served::with(Fail::Closed, DeskOptions::default(), limits);
    assert_eq!(served.ask(&instream(&[0; 100_000], 10_000)), "stream: OK\0");
    // The client reads only when it has sent everything.
    let too_large = "INSTREAM size limit exceeded. ERROR\0";
    assert_eq!(served.ask(&instream(&[0; 1_000_000], 10_000)), too_large);
    assert_eq!(served.ask(b"zINSTREAM\0\xff\xff\xff\xff"), too_large);
    for unfinished in [&b""[..], b"nPI", b"zSCAN /etc", b"zINSTREAM\0", b"zINSTREAM\0\0\0\0\x05abc"] {
        let reply = served.ask(unfinished);
        assert_eq!(reply.trim_end_matches(['\n', '\0']), "COMMAND READ TIMED OUT");
    }
    // A byte now and then does not help for ever.
    let mut dripping = served.connect();
    dripping.write_all(b"zINSTREAM\0\0\0\xff\xff").unwrap();
    let started = Instant::now();
    while dripping.write_all(b"x").is_ok() {
        assert!(started.elapsed() < PATIENCE, "still there");
        thread::sleep(Duration::from_millis(20));
    }
    wait_for_no_upload(&served.world);
    assert_eq!(served.ask(&[b'x'; 10_000]), "UNKNOWN COMMAND\n");
    assert_eq!(served.ask(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n"), "UNKNOWN COMMAND\n");
    // Neither prefix nor newline.
    assert_eq!(served.ask(b"PING"), "PONG\n");
    assert_eq!(served.ask(b"SHUTDOWN"), "UNKNOWN COMMAND\n");
}

#[test]
fn who_vanishes_leaves_nothing() {
    let served = Served::new();
    for _ in 0..50 {
        let mut stream = served.connect();
        stream.write_all(b"zINSTREAM\0\0\0\xff\xff0123456789").unwrap();
        drop(stream);
    }
    let half = served.connect();
    (&half).write_all(b"zINSTREAM\0\0\0\0\x05abc").unwrap();
    half.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(rest_of(half), "");
    wait_for_no_upload(&served.world);
    assert_eq!(served.ask(b"zPING\0"), "PONG\0");
    assert!(served.world.sink.alerts.lock().unwrap().is_empty());
}

#[test]
fn each_door_fails_as_it_was_told() {
    let desk = DeskOptions { content_bytes_max: 10, ..DeskOptions::default() };
    for (fail, expected) in [(Fail::Open, "OK"), (Fail::Closed, "The content could not be judged ERROR")] {
        let served = Served::with(fail, desk, ClamdLimits::default());
        assert_eq!(served.ask(&instream(&[0; 11], 3)), format!("stream: {expected}\0"));
        fs::write(served.root().join("long"), [0; 11]).unwrap();
        let path = served.root().join("long").display().to_string();
        assert_eq!(served.ask(format!("nSCAN {path}\n").as_bytes()), format!("{path}: {expected}\n"));
        assert_eq!(served.ask(&instream(b"short", 3)), "stream: OK\0");
        // What a client names and what is not there is its own affair.
        let missing = Path::new(&path).with_file_name("missing").display().to_string();
        assert!(served.ask(format!("nSCAN {missing}\n").as_bytes()).ends_with("ERROR\n"));
        served.world.desk.desk().close();
        let reply = served.ask(&instream(b"short", 3));
        let closed = if fail == Fail::Open { "OK" } else { "The service is closing ERROR" };
        assert_eq!(reply, format!("stream: {closed}\0"));
    }
}

#[test]
fn a_shutdown_finishes_what_is_in_flight() {
    let mut served = Served::new();
    let mut idle = served.connect();
    idle.write_all(b"zIDSESSION\0zPING\0").unwrap();
    let mut pong = [0; 8];
    idle.read_exact(&mut pong).unwrap();
    let mut busy = served.connect();
    busy.write_all(b"zINSTREAM\0\0\0\0\x05abc").unwrap();
    while served.world.desk.desk().uploads_open() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    served.serving.begin_shutdown();
    assert_eq!(rest_of(idle), "", "an idle client is let go");
    busy.write_all(b"de\0\0\0\0").unwrap();
    assert_eq!(rest_of(busy), "stream: OK\0");
    served.serving.stop();
    assert!(TcpStream::connect(served.address).is_err());
    assert!(!served.dir.path().join("socket").exists());
}
