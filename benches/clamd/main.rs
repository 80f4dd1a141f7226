//! How fast streams are answered about at the clamd door, beside clamd itself. `cargo bench --bench clamd`; needs Debian's
//! `clamav-daemon`.
//!
//! Both know the same digests, clamd as an `.hsb` database, and are sent the same files of 1 MiB by the same clients, one
//! session each, taking turns in one run. Their ratio counts.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::{Algorithm, AlgorithmSet};
use hashward_digest::digest_bytes;

const FILE_BYTES: usize = 1 << 20;
/// Files that are sent in turn; every eighth is listed.
const FILES: usize = 64;
const LISTED_EACH: usize = 8;
/// Digests that both know.
const ENTRIES: usize = 100_000;
const CLIENTS: usize = 4;
const ROUNDS: usize = 5;
const STREAMS_PER_CLIENT: usize = 64;
/// The least ratio, as the project promises it.
const RATIO_LEAST: f64 = 5.0;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files: Vec<Vec<u8>> = (0..FILES).map(file).collect();
    lists(folder.path(), &files);
    let _clamd = Server::start(Command::new("clamd").arg("-c").arg(folder.path().join("clamd.conf")));
    let mut hashward = Command::new(env!("CARGO_BIN_EXE_hashward"));
    let config = folder.path().join("hashward.toml");
    let _hashward = Server::start(hashward.arg("run").arg("--config").arg(config).current_dir(folder.path()));
    let sockets = ["hashward.sock", "clamd.sock"].map(|name| folder.path().join(name));
    for socket in &sockets {
        let deadline = Instant::now() + Duration::from_secs(120);
        while UnixStream::connect(socket).is_err() {
            assert!(Instant::now() < deadline, "nobody listens at {}", socket.display());
            thread::sleep(Duration::from_millis(50));
        }
        // Every answer is right, before any time is taken.
        let found = round(socket, &files);
        assert_eq!(found, CLIENTS * STREAMS_PER_CLIENT / LISTED_EACH, "{}", socket.display());
    }
    let mut rates = [0.0_f64, 0.0];
    for _ in 0..ROUNDS {
        for (socket, best) in sockets.iter().zip(&mut rates) {
            let started = Instant::now();
            round(socket, &files);
            let streams = (CLIENTS * STREAMS_PER_CLIENT) as f64;
            *best = best.max(streams / started.elapsed().as_secs_f64());
        }
    }
    let [ours, theirs] = rates;
    println!("streams of 1 MiB a second, best of {ROUNDS} rounds, {CLIENTS} clients on the same cores:");
    println!(
        "hashward {ours:.0}, clamd {theirs:.0}: {:.1} times as many (at least {RATIO_LEAST})",
        ours / theirs
    );
    assert!(ours >= RATIO_LEAST * theirs, "the promised ratio is not reached");
}

/// Bytes that no two files share, and that no rule of clamd takes for something to unpack.
fn file(number: usize) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    while bytes.len() < FILE_BYTES {
        // splitmix64, Steele et al. 2014.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ mixed >> 31).to_le_bytes());
    }
    bytes
}

/// The same digests for both, and their configurations.
fn lists(folder: &Path, files: &[Vec<u8>]) {
    let (mut text, mut database) = (String::new(), String::new());
    let mut add = |content: &[u8]| {
        let digests = digest_bytes(AlgorithmSet::EMPTY.with(Algorithm::Sha256), content);
        let hex = digests.get(Algorithm::Sha256).expect("it was asked for").to_hex();
        text += &format!("{hex}\n");
        database += &format!("{hex}:{}:Listed\n", content.len());
    };
    files.iter().step_by(LISTED_EACH).for_each(|file| add(file));
    // All of the files' size, so that clamd has to look.
    let others = ENTRIES - files.len().div_ceil(LISTED_EACH);
    (0..others as u64).for_each(|n| add(&n.to_le_bytes()));
    let database = database.replace(":8:Listed", &format!(":{FILE_BYTES}:Listed"));
    fs::create_dir(folder.join("database")).expect("a folder");
    fs::write(folder.join("database/list.hsb"), database).expect("a database");
    fs::write(folder.join("list.txt"), text).expect("a list");
    fs::write(folder.join("list.toml"), "action = \"block\"\n").expect("what is true of it");
    let (socket, database) = (folder.join("clamd.sock"), folder.join("database"));
    let clamd = format!(
        "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\n",
        socket.display(),
        database.display(),
        folder.display()
    );
    fs::write(folder.join("clamd.conf"), clamd).expect("a configuration");
    let hashward = format!(
        "lists.files = [\"list.txt\"]\n[source]\nkind = \"none\"\n[http]\nenabled = false\n\
         [gate.clamd]\nlisten = [\"{}\"]\nfail = \"closed\"\n",
        folder.join("hashward.sock").display()
    );
    fs::write(folder.join("hashward.toml"), hashward).expect("a configuration");
}

struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it is installed"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// All clients send their streams; how many were found.
fn round(socket: &Path, files: &[Vec<u8>]) -> usize {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| client(socket, files))).collect();
        clients.into_iter().map(|client| client.join().expect("no client fails")).sum()
    })
}

/// One session: how many of its streams were found.
fn client(socket: &Path, files: &[Vec<u8>]) -> usize {
    let mut stream = UnixStream::connect(socket).expect("somebody listens");
    stream.write_all(b"zIDSESSION\0").expect("it is taken");
    let (mut found, mut reply) = (0, Vec::new());
    for file in files.iter().cycle().take(STREAMS_PER_CLIENT) {
        let length = u32::try_from(file.len()).expect("files are small").to_be_bytes();
        stream.write_all(b"zINSTREAM\0").and_then(|()| stream.write_all(&length)).expect("it is taken");
        stream.write_all(file).and_then(|()| stream.write_all(&[0; 4])).expect("it is taken");
        reply.clear();
        let mut byte = [1];
        while byte != [0] {
            stream.read_exact(&mut byte).expect("there is an answer");
            reply.extend(byte);
        }
        found += usize::from(reply.ends_with(b"FOUND\0"));
    }
    found
}
