//! Against `openssl s_server`: a real TLS server by others, on a free port of this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;
use crate::{FetchOptions, References};

/// Goes between a client and a server. After `swift_bytes` of a connection what the server says comes one byte at a
/// time, with a pause after each, as long as the client listens.
fn trickle(server_port: u16, swift_bytes: usize) -> (u16, Arc<AtomicUsize>) {
    const PAUSE: Duration = Duration::from_millis(20);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    thread::spawn(move || {
        for client in listener.incoming() {
            seen.fetch_add(1, Ordering::Relaxed);
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", server_port)).unwrap();
            let (mut to_server, mut from_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            thread::spawn(move || {
                std::io::copy(&mut (&mut server).take(swift_bytes as u64), &mut client).unwrap();
                let mut byte = [0];
                while server.read(&mut byte).is_ok_and(|bytes| bytes == 1) && client.write_all(&byte).is_ok()
                {
                    thread::sleep(PAUSE);
                }
            });
        }
    });
    (port, connections)
}

/// A server of the files in its folder, with a certificate for `localhost` by a CA of its own.
struct Server {
    folder: TempDir,
    child: Child,
    port: u16,
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    /// `-WWW` serves files as content that ends with the connection; `-HTTP` serves files that are whole
    /// answers.
    fn start(mode: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, content) in files {
            fs::write(at.join(name), content).unwrap();
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for ca in ["ca", "other"] {
            openssl(at, &format!("req -x509 {key} -keyout {ca}.key -out {ca}.pem -days 2 -subj /CN={ca}"));
        }
        let name = "-subj /CN=test -addext subjectAltName=DNS:localhost";
        openssl(at, &format!("req {key} -keyout server.key -out server.csr {name}"));
        let by_ca = "-CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copyall";
        openssl(at, &format!("x509 -req -in server.csr {by_ca} -out server.pem -days 2"));
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key", mode])
            .current_dir(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accept = lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
        let port = accept.rsplit_once(':').unwrap().1.parse().unwrap();
        thread::spawn(move || lines.for_each(drop));
        Self { folder, child, port }
    }

    fn options(&self) -> FetchOptions {
        FetchOptions {
            https_hosts: vec![format!("localhost:{}", self.port), format!("127.0.0.1:{}", self.port)],
            ca_file: Some(self.folder.path().join("ca.pem")),
            connect_timeout: Duration::from_secs(5),
            transfer_timeout: Duration::from_secs(20),
            attempts_max: 2,
            ..FetchOptions::default()
        }
    }

    fn url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a reference comes to: its content, or why there is none, on opening or on reading.
fn fetched(references: &References, url: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut reader = references.open(url).map_err(|reason| reason.to_string())?;
    reader.read_to_end(&mut bytes).map_err(|error| format!("reading: {error}"))?;
    Ok(bytes)
}

#[test]
fn content_that_ends_with_the_connection() {
    let big: Vec<u8> = (0..=250_u8).cycle().take(3_000_000).collect();
    let server = Server::start("-WWW", &[("small", b"hello"), ("empty", b""), ("big", &big)]);
    let references = References::new(server.options()).unwrap();
    for (name, content) in [("small", &b"hello"[..]), ("empty", b""), ("big", &big)] {
        assert_eq!(fetched(&references, &server.url(name)).unwrap(), content, "{name}");
    }
    let upper = server.url("small").replace("https://localhost", "HTTPS://LocalHost");
    assert_eq!(fetched(&references, &upper).unwrap(), b"hello");

    let other_ca = Some(server.folder.path().join("other.pem"));
    let strangers = References::new(FetchOptions { ca_file: other_ca, ..server.options() }).unwrap();
    let bundled = References::new(FetchOptions { ca_file: None, ..server.options() }).unwrap();
    for distrusting in [strangers, bundled] {
        let reason = distrusting.open(&server.url("small")).err().unwrap();
        assert_eq!(reason.kind, UnreadableKind::ReadFailed);
        assert!(reason.detail.contains("invalid peer certificate"), "{reason}");
    }
    let other_name = server.url("small").replace("localhost", "127.0.0.1");
    let reason = references.open(&other_name).err().unwrap();
    assert!(reason.detail.contains("not valid for name"), "{reason}");
}

#[test]
fn a_connection_that_breaks_is_no_end() {
    let big = vec![7; 40_000_000];
    let mut server = Server::start("-WWW", &[("big", &big)]);
    let references = References::new(server.options()).unwrap();
    let mut reader = references.open(&server.url("big")).unwrap();
    reader.read_exact(&mut [0; 1000]).unwrap();
    // Killed in the middle, it cannot say good-bye.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let mut rest = Vec::new();
    let error = reader.read_to_end(&mut rest).unwrap_err();
    assert!(rest.len() < big.len() && !error.to_string().is_empty());
    assert!(reader.read(&mut [0; 8]).is_err(), "an error stays");
    let reason = references.open(&server.url("big")).err().unwrap();
    assert_eq!(reason.kind, UnreadableKind::ReadFailed);
    assert!(reason.detail.ends_with("attempt 2 of 2"), "{reason}");
}

#[test]
fn every_answer_has_its_reason() {
    let answers: &[(&str, &str, Result<&str, &str>)] = &[
        ("stated", "200 OK\r\nContent-Length: 5\r\n\r\nhello", Ok("hello")),
        ("none", "200 OK\r\nContent-Length: 0\r\n\r\n", Ok("")),
        ("chunked", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Ok("hello")),
        ("as-is", "200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", Ok("ok")),
        ("short", "200 OK\r\nContent-Length: 50\r\n\r\nhello", Err("reading: ")),
        ("cut", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Err("reading: ")),
        ("cut-2", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello", Err("reading: ")),
        (
            "packed",
            "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
            Err("read-failed: localhost answered 200 OK with"),
        ),
        (
            "part",
            "206 Partial Content\r\nContent-Length: 2\r\n\r\nok",
            Err("read-failed: localhost answered 206"),
        ),
        (
            "moved",
            "302 Found\r\nLocation: https://localhost/x\r\nContent-Length: 0\r\n\r\n",
            Err("reference-refused: localhost answered 302 Found: redirects are not followed"),
        ),
        (
            "who",
            "401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            Err("reference-refused: localhost answered 401"),
        ),
        (
            "no",
            "403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Err("reference-refused: localhost answered 403"),
        ),
        ("gone", "410 Gone\r\nContent-Length: 0\r\n\r\n", Err("not-found: localhost answered 410")),
        ("where", "404 Not Found\r\nContent-Length: 0\r\n\r\n", Err("not-found: localhost answered 404")),
        (
            "bad",
            "400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            Err("read-failed: localhost answered 400 Bad Request"),
        ),
        (
            "slow-down",
            "429 Too Many\r\nContent-Length: 0\r\n\r\n",
            Err("read-failed: localhost: answered 429"),
        ),
        ("down", "503 Down\r\nContent-Length: 0\r\n\r\n", Err("read-failed: localhost: answered 503")),
        ("garbage", "what", Err("read-failed: localhost: ")),
    ];
    let files: Vec<(&str, Vec<u8>)> =
        answers.iter().map(|(name, answer, _)| (*name, format!("HTTP/1.1 {answer}").into_bytes())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, answer)| (*name, &answer[..])).collect();
    let server = Server::start("-HTTP", &files);
    let references = References::new(server.options()).unwrap();
    for (name, _, expected) in answers {
        let result = fetched(&references, &server.url(name));
        match (&result, expected) {
            (Ok(content), Ok(expected)) => assert_eq!(content, expected.as_bytes(), "{name}"),
            (Err(reason), Err(expected)) => {
                assert!(reason.starts_with(expected), "{name}: {reason}");
                assert!(!reason.contains(&format!("/{name}")), "the reason repeats the URL: {reason}");
            }
            _ => panic!("{name}: {result:?} instead of {expected:?}"),
        }
        let is_tried_again = matches!(*name, "slow-down" | "down" | "garbage");
        let tells_attempts = result.err().is_some_and(|reason| reason.ends_with("attempt 2 of 2"));
        assert_eq!(tells_attempts, is_tried_again, "{name}");
    }
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = FetchOptions {
        https_hosts: vec![format!("127.0.0.1:{port}")],
        connect_timeout: Duration::from_millis(200),
        transfer_timeout: Duration::from_millis(400),
        attempts_max: 2,
        ..FetchOptions::default()
    };
    let references = References::new(options).unwrap();
    let started = Instant::now();
    let reason = references.open(&format!("https://127.0.0.1:{port}/x")).err().unwrap();
    assert_eq!(reason.kind, UnreadableKind::ReadFailed);
    assert!(reason.detail.contains("timeout") && started.elapsed() < Duration::from_secs(5), "{reason}");
}

/// Both would go on for hours. They end, and nobody is asked once more than there is time for.
#[test]
fn a_server_that_trickles_is_left() {
    let big = vec![7; 3_000_000];
    let server = Server::start("-WWW", &[("big", &big)]);
    // Within the handshake, and within the content.
    for (swift_bytes, expected) in [(10, "read-failed: localhost: timeout"), (100_000, "reading: timeout")] {
        let (port, connections) = trickle(server.port, swift_bytes);
        let options = FetchOptions {
            https_hosts: vec![format!("localhost:{port}")],
            transfer_timeout: Duration::from_secs(2),
            attempts_max: 100,
            ..server.options()
        };
        let references = References::new(options).unwrap();
        let reason = fetched(&references, &format!("https://localhost:{port}/big")).unwrap_err();
        assert!(reason.starts_with(expected), "{swift_bytes}: {reason}");
        assert_eq!(connections.load(Ordering::Relaxed), 1, "{swift_bytes}");
    }
}

#[test]
fn attempts_end_when_the_time_is_up() {
    let server = Server::start("-HTTP", &[("down", b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")]);
    let options =
        FetchOptions { transfer_timeout: Duration::from_secs(1), attempts_max: 100, ..server.options() };
    let reason = fetched(&References::new(options).unwrap(), &server.url("down")).unwrap_err();
    let (_, attempt) = reason.rsplit_once("attempt ").unwrap();
    let attempt: u32 = attempt.strip_suffix(" of 100").unwrap().parse().unwrap();
    // The pauses alone are 200, 400 and 800 ms.
    assert!((1..=3).contains(&attempt), "{reason}");
}

#[test]
fn only_named_hosts_are_asked() {
    let references = |hosts: &[&str]| {
        let https_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        References::new(FetchOptions { https_hosts, ..FetchOptions::default() }).unwrap()
    };
    let some = references(&["media.example.org", "*.cdn.example.org:8443"]);
    for (url, expected) in [
        ("https://example.org/x", "reference-refused: `https_hosts` does not name example.org"),
        (
            "https://media.example.org:8443/x",
            "reference-refused: `https_hosts` does not name media.example.org:8443",
        ),
        ("https://169.254.169.254/latest/", "reference-refused: `https_hosts` does not name 169.254.169.254"),
        ("https://[::1]/x", "reference-refused: `https_hosts` does not name [::1]"),
        ("https://media.example.org.evil.net/", "reference-refused: `https_hosts` does not name"),
        ("https://media.example.org@evil.net/", "reference-refused: it holds a user name"),
        ("https://user:pass@media.example.org/", "reference-refused: it holds a user name"),
        ("https://evil.net\\@media.example.org/", "bad-reference: it is no URL"),
        ("https://evil.net#@media.example.org/", "reference-refused: `https_hosts` does not name evil.net"),
        ("https://media.example.org:99999/", "bad-reference: "),
        ("https://media.example.org:/", "bad-reference: "),
        ("https:///x", "bad-reference: "),
        ("https://", "bad-reference: "),
        ("https://media.example.org/%zz", "bad-reference: `%` is not followed"),
        ("http://media.example.org/x", "bad-reference: http:// is not opened: file:// and https:// are"),
        ("S3://bucket/key", "bad-reference: s3:// is not opened: file:// and https:// are"),
        ("media.example.org/x", "bad-reference: it is no URL"),
        ("", "bad-reference: it is no URL"),
        ("https:media.example.org/x", "bad-reference: the scheme is not followed"),
        ("file:///etc/passwd", "reference-refused: file:// is not allowed: `file_roots` names no folder"),
    ] {
        let reason = some.open(url).err().unwrap().to_string();
        assert!(reason.starts_with(expected), "{url}: {reason}");
    }
    let long = format!("https://media.example.org/{}", "x".repeat(crate::URL_BYTES_MAX));
    assert!(some.open(&long).err().unwrap().detail.contains("at most 8192"));
    let none = references(&[]).open("https://media.example.org/x").err().unwrap().to_string();
    assert_eq!(none, "reference-refused: https:// is not allowed: `https_hosts` names no host");
}

#[test]
fn bad_options_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let told = |change: &dyn Fn(&mut FetchOptions)| {
        let mut options = FetchOptions::default();
        change(&mut options);
        References::new(options).unwrap_err().to_string()
    };
    assert!(told(&|o| o.https_hosts = vec!["*".into()]).starts_with("https_hosts: \"*\" is no host"));
    assert!(
        told(&|o| o.ca_file = Some(empty.clone())).ends_with("holds no certificates in PEM: it is empty")
    );
    assert!(told(&|o| o.ca_file = Some(folder.path().join("none"))).contains("No such file"));
    assert_eq!(told(&|o| o.attempts_max = 0), "attempts_max must be more than zero");
}
