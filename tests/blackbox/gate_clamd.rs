//! The clamd door of a real worker, asked by real clients, and held against the real clamd with the same digests.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use hashward_core::Algorithm;

use crate::fixture::{Fixture, harmless, hex, listed};
use crate::worker::{Worker, text, wait_for};

/// What test runs install of Python and Node.js packages.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")
}

/// A folder with listed and other files, and a configuration with a door whose root it is.
fn config(fixture: &Fixture, more: &str) -> String {
    let files = fixture.path().join("files");
    fs::create_dir_all(files.join("sub")).unwrap();
    for (name, content) in [
        ("one.bin", listed(1)),
        ("sub/two.bin", listed(2)),
        ("clean.bin", harmless(1)),
        ("empty", Vec::new()),
        ("large.bin", vec![7; 300_000]),
    ] {
        fs::write(files.join(name), content).unwrap();
    }
    let root = fixture.path();
    format!(
        "lists.files = [\"sample.txt\"]\n[source]\nkind = \"none\"\n[gate.clamd]\n\
         listen = [\"{socket}\"]\nroots = [{files:?}]\nfail = \"closed\"\nstream_bytes_max = 1048576\n{more}",
        socket = root.join("hashward.sock").display(),
    )
}

fn start(fixture: &Fixture, more: &str) -> Worker {
    let mut worker = Worker::start(fixture.path(), &config(fixture, more), &[]);
    worker.wait_ready();
    worker
}

/// The real clamd, with the listed contents as a database of digests.
struct RealClamd(Child);

impl RealClamd {
    fn start(folder: &Path, listed_count: usize) -> Self {
        let database = folder.join("database");
        fs::create_dir_all(&database).unwrap();
        let lines = (0..listed_count).map(|n| {
            let content = listed(n);
            format!("{}:{}:Listed\n", hex(Algorithm::Sha256, &content), content.len())
        });
        fs::write(database.join("sample.hsb"), lines.collect::<String>()).unwrap();
        let socket = folder.join("clamd.sock");
        let written = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nStreamMaxLength 1M\nFollowFileSymlinks no\n\
             FollowDirectorySymlinks no\n",
            socket.display(),
            database.display()
        );
        fs::write(folder.join("real.conf"), written).unwrap();
        let mut command = Command::new("clamd");
        command.arg("-c").arg(folder.join("real.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        let real = Self(command.spawn().expect("clamd is installed"));
        wait_for("the real clamd", || UnixStream::connect(&socket).ok());
        real
    }
}

impl Drop for RealClamd {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Everything that is said to `sent` at a socket.
fn ask(socket: &Path, sent: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    text(&said)
}

/// What is said, without what may differ: names of matches and of programs, descriptors' numbers, and the order of files.
fn alike(said: &str) -> String {
    let said = said.replace("Hashward.sample.unspecified", "NAME").replace("Listed.UNOFFICIAL", "NAME");
    let mut lines: Vec<&str> = said.split_inclusive(['\n', '\0']).collect();
    lines.sort_unstable();
    lines.concat()
}

fn instream(terminator: u8, content: &[u8]) -> Vec<u8> {
    let prefix: &[u8] = if terminator == 0 { b"z" } else { b"n" };
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [prefix, b"INSTREAM", &[terminator], &length, content, &[0; 4]].concat()
}

#[test]
fn it_says_what_clamd_says() {
    let fixture = Fixture::new("gate-clamd-words", 10);
    let worker = start(&fixture, "");
    let real = RealClamd::start(fixture.path(), 10);
    let files = fixture.path().join("files");
    let scan =
        |command: &str, name: &str| format!("n{command} {}\n", files.join(name).display()).into_bytes();
    let mut asked: Vec<Vec<u8>> = vec![
        b"nPING\n".to_vec(),
        b"zPING\0".to_vec(),
        b"PING\n".to_vec(),
        b"PING".to_vec(),
        b"nPING\r\n".to_vec(),
        b"nRELOAD\n".to_vec(),
        b"nping\n".to_vec(),
        b"zNOPE\0".to_vec(),
        b"n\n".to_vec(),
        b"VERSIONCOMMANDS\n".to_vec(),
        b"STATS\n".to_vec(),
        b"INSTREAM\n".to_vec(),
        b"nEND\n".to_vec(),
        b"nSCAN\n".to_vec(),
        b"nSCAN relative\n".to_vec(),
        b"zFILDES\0x".to_vec(),
        b"zINSTREAM\0\xff\xff\xff\xff".to_vec(),
        b"nIDSESSION\nnPING\nnRELOAD\nnEND\n".to_vec(),
        b"nIDSESSION\nnNOPE\n".to_vec(),
        b"nIDSESSION\nnIDSESSION\n".to_vec(),
        b"nIDSESSION\nnINSTREAM\n\xff\xff\xff\xff".to_vec(),
    ];
    for terminator in [0, b'\n'] {
        asked
            .extend([listed(1), harmless(1), vec![7; 400_000]].map(|content| instream(terminator, &content)));
    }
    for command in ["SCAN", "CONTSCAN", "MULTISCAN"] {
        let names = ["one.bin", "clean.bin", "empty", "missing", "sub", "large.bin", "sub/../one.bin"];
        asked.extend(names.map(|name| scan(command, name)));
    }
    asked.extend(["CONTSCAN", "MULTISCAN"].map(|command| scan(command, "")));
    for sent in asked {
        let [ours, theirs] =
            ["hashward.sock", "clamd.sock"].map(|socket| ask(&fixture.path().join(socket), &sent));
        let shown = String::from_utf8_lossy(&sent[..sent.len().min(60)]).into_owned();
        assert_eq!(alike(&ours), alike(&theirs), "{shown:?}");
    }
    drop(real);
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}

fn clamdscan(folder: &Path, socket: &str, arguments: &[&str]) -> Output {
    let config = folder.join(format!("{socket}.conf"));
    fs::write(&config, format!("LocalSocket {}\n", folder.join(socket).display())).unwrap();
    let mut command = Command::new("clamdscan");
    let output = command.arg("-c").arg(config).args(arguments).current_dir(folder).output();
    output.expect("clamdscan is installed")
}

#[test]
fn clamdscan_sees_no_difference() {
    let fixture = Fixture::new("gate-clamdscan", 10);
    let folder = fixture.path();
    let mut worker = start(&fixture, "");
    let _real = RealClamd::start(folder, 10);
    let told = |output: &Output| {
        let timeless =
            |line: &&str| !["Time:", "Start Date:", "End Date:"].iter().any(|p| line.starts_with(p));
        let all = text(&output.stdout) + &text(&output.stderr);
        alike(&all.lines().filter(timeless).map(|line| format!("{line}\n")).collect::<String>())
    };
    for arguments in [
        &["files"][..],
        &["--stream", "files"],
        &["--fdpass", "files"],
        &["--multiscan", "files"],
        &["--multiscan", "--fdpass", "files"],
        &["--multiscan", "--stream", "files"],
        &["--fdpass", "files/clean.bin", "files/one.bin", "files/missing"],
        &["--no-summary", "files/sub"],
        &["--ping", "1"],
        &["--reload"],
    ] {
        let [ours, theirs] =
            ["hashward.sock", "clamd.sock"].map(|socket| clamdscan(folder, socket, arguments));
        assert_eq!(told(&ours), told(&theirs), "{arguments:?}");
        assert_eq!(ours.status.code(), theirs.status.code(), "{arguments:?}");
    }
    let found = clamdscan(folder, "hashward.sock", &["--fdpass", "--no-summary", "files/one.bin"]);
    let path = folder.join("files/one.bin");
    let expected = format!("{}: Hashward.sample.unspecified FOUND\n", path.display());
    assert_eq!((text(&found.stdout), found.status.code()), (expected, Some(1)));
    assert!(worker.metric("hashward_gate_answers_total", "verdict=\"block\"") > 10.0);
    let alerts = fs::read_to_string(folder.join("hashward-data/alerts.ndjson")).unwrap();
    assert!(alerts.contains(&format!("\"subject\":\"{}\"", path.display())), "{alerts}");
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
    assert!(!folder.join("hashward.sock").exists());
}

#[test]
fn clients_of_python_and_node() {
    let fixture = Fixture::new("gate-clamd-clients", 10);
    let worker = start(&fixture, "");
    let folder = fixture.path();
    let python = r#"
import clamd, io, sys
client = clamd.ClamdUnixSocket("hashward.sock")
listed, files = sys.argv[1].encode(), sys.argv[2]
found = ("FOUND", "Hashward.sample.unspecified")
assert client.ping() == "PONG", client.ping()
assert client.version().startswith("ClamAV Hashward-"), client.version()
assert client.instream(io.BytesIO(listed)) == {"stream": found}
assert client.instream(io.BytesIO(b"x" * 500_000)) == {"stream": ("OK", None)}
assert client.scan(files + "/one.bin") == {files + "/one.bin": found}
for scan in (client.contscan, client.multiscan):
    assert scan(files) == {files + "/one.bin": found, files + "/sub/two.bin": found}
assert client.scan("/etc/passwd") == {"/etc/passwd": ("ERROR", "Access denied.")}
try:
    client.instream(io.BytesIO(b"x" * 2_000_000))
    sys.exit("too long a stream was taken")
except clamd.BufferTooLongError:
    pass
"#;
    let node = r#"
const assert = require("assert"), { Readable } = require("stream"), NodeClam = require("clamscan");
const [listed, files] = process.argv.slice(1);
(async () => {
  const options = { socket: "hashward.sock", localFallback: false, path: null };
  const client = await new NodeClam().init({ clamdscan: options, preference: "clamdscan" });
  assert.match(await client.getVersion(), /^ClamAV Hashward-/);
  const name = ["Hashward.sample.unspecified"];
  const file = await client.isInfected(files + "/one.bin");
  assert.deepStrictEqual([file.isInfected, file.viruses], [true, name]);
  const stream = await client.scanStream(Readable.from([Buffer.from(listed)]));
  assert.deepStrictEqual([stream.isInfected, stream.viruses], [true, name]);
  assert.strictEqual((await client.scanStream(Readable.from([Buffer.from("clean")]))).isInfected, false);
  assert.strictEqual((await client.isInfected(files + "/clean.bin")).isInfected, false);
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
"#;
    let (content, files) = (text(&listed(1)), folder.join("files"));
    let mut commands = [Command::new(tools().join("venv/bin/python")), Command::new("node")];
    commands[0].args(["-c", python]);
    commands[1].args(["-e", node]).env("NODE_PATH", tools().join("npm/node_modules"));
    for command in &mut commands {
        let output =
            command.arg(&content).arg(&files).current_dir(folder).output().expect("tests/run.sh installs it");
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}

#[test]
fn review_is_answered_as_configured() {
    for (review, expected) in [("block", "Hashward.sample.unspecified FOUND"), ("pass", "OK")] {
        let fixture = Fixture::new("gate-clamd-review", 10);
        fs::write(fixture.path().join("sample.toml"), "action = \"review\"\n").unwrap();
        let worker = start(&fixture, &format!("review = \"{review}\"\n"));
        let said = ask(&fixture.path().join("hashward.sock"), &instream(0, &listed(1)));
        assert_eq!(said, format!("stream: {expected}\0"));
        let alerts = fs::read_to_string(fixture.path().join("hashward-data/alerts.ndjson")).unwrap();
        assert!(
            alerts.contains("\"action\":\"review\""),
            "the alert asks for the review all the same: {alerts}"
        );
        let (status, log) = worker.terminate();
        assert!(status.success(), "{log}");
    }
}
