//! The ICAP door over real sockets: what is said about messages with and without previews, and to slow, greedy and vanishing
//! clients.
#![allow(missing_docs, clippy::pedantic, clippy::unwrap_used, reason = "tests may panic")]

mod served;
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hashward_engine::desk::DeskOptions;
use hashward_gate::icap::{Icap, IcapLimits};
use hashward_gate::{Address, AsyncDeskLimits, Door, DoorKind, Fail, Listener, Review};
use served::{PATIENCE, Serving, rest_of, serve, wait_for_no_upload};
use support::{LISTED, World, snapshot, world};

struct Served {
    world: World,
    address: SocketAddr,
    dir: tempfile::TempDir,
    serving: Serving,
}

impl Served {
    fn with(fail: Fail, desk: DeskOptions, limits: IcapLimits) -> Self {
        let world = world(desk, AsyncDeskLimits::default());
        let dir = tempfile::tempdir().unwrap();
        let door = Door::new(DoorKind::Icap, fail, world.metrics.clone());
        let icap = Icap::new(world.desk.clone(), door, Review::Block, dir.path().to_path_buf(), limits);
        let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = listener.tcp_addr().unwrap();
        let serving = serve(vec![listener], move |listener, wish| {
            let icap = icap.clone();
            async move { icap.serve(listener, wish).await }
        });
        Self { world, address, dir, serving }
    }

    fn new() -> Self {
        Self::with(Fail::Closed, DeskOptions::default(), IcapLimits::default())
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that is said to `sent`, up to the end of the connection.
    fn ask(&self, sent: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        rest_of(stream)
    }
}

const POST: &str =
    "POST /up/a.bin?secret=1 HTTP/1.1\r\nHost: example.org\r\nContent-Type: application/x\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nServer: origin\r\n\r\n";

fn chunked(content: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    for chunk in content.chunks(chunk_bytes) {
        sent.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
        sent.extend(chunk);
        sent.extend(b"\r\n");
    }
    sent.extend(b"0\r\n\r\n");
    sent
}

/// A REQMOD without its body.
fn reqmod(post: &str, headers: &str) -> Vec<u8> {
    let encapsulated = format!("Encapsulated: req-hdr=0, req-body={}", post.len());
    format!("REQMOD icap://h/reqmod ICAP/1.0\r\nHost: h\r\n{headers}{encapsulated}\r\n\r\n{post}")
        .into_bytes()
}

fn respmod(headers: &str) -> Vec<u8> {
    let get = "GET /a.bin HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let (first, second) = (get.len(), get.len() + OK.len());
    let encapsulated = format!("Encapsulated: req-hdr=0, res-hdr={first}, res-body={second}");
    format!("RESPMOD icap://h/respmod ICAP/1.0\r\nHost: h\r\n{headers}{encapsulated}\r\n\r\n{get}{OK}")
        .into_bytes()
}

fn body(begin: Vec<u8>, content: &[u8], chunk_bytes: usize) -> Vec<u8> {
    [begin, chunked(content, chunk_bytes)].concat()
}

/// The parts of a reply that encapsulates something: its head, the HTTP head, the body without its chunks.
fn parts(reply: &[u8]) -> (String, String, Vec<u8>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (head, rest) = reply.split_at(end(reply));
    let (http, mut rest) = rest.split_at(end(rest));
    let head = text(head);
    assert!(head.contains(&format!("-body={}\r\n", http.len())), "{head}");
    let mut content = Vec::new();
    loop {
        let line = rest.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let length = usize::from_str_radix(text(&rest[..line]).trim(), 16).unwrap();
        content.extend(&rest[line..line + length]);
        rest = &rest[line + length + 2..];
        if length == 0 {
            assert!(rest.is_empty());
            return (head, text(http), content);
        }
    }
}

fn is_blocked(reply: &str) {
    let (head, http, page) = parts(reply.as_bytes());
    assert!(head.starts_with("ICAP/1.0 200 OK\r\n"), "{head}");
    assert!(head.contains("X-Virus-ID: Hashward.sample.unspecified\r\n"), "{head}");
    let found = "X-Infection-Found: Type=0; Resolution=2; Threat=Hashward.sample.unspecified;\r\n";
    assert!(head.contains(found), "{head}");
    assert!(http.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{http}");
    assert!(http.contains(&format!("Content-Length: {}\r\n", page.len())), "{http}");
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<dd>sample</dd>"), "{page}");
    let digits = page.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap();
    assert!(digits < 16, "no digest is told: {page}");
}

#[test]
fn services_tell_what_they_can_do() {
    let served = Served::new();
    let tag = |reply: &str| reply.lines().find_map(|line| line.strip_prefix("ISTag: ")).unwrap().to_owned();
    for (service, methods) in [("reqmod", "REQMOD"), ("respmod", "RESPMOD"), ("avscan", "REQMOD, RESPMOD")] {
        let reply = served.ask(format!("OPTIONS icap://h/{service} ICAP/1.0\r\nHost: h\r\n\r\n").as_bytes());
        assert!(reply.starts_with("ICAP/1.0 200 OK\r\n"), "{reply}");
        for line in
            [&format!("Methods: {methods}"), "Allow: 204", "Preview: 4096", "Encapsulated: null-body=0"]
        {
            assert!(reply.lines().any(|told| told == line), "{line}: {reply}");
        }
    }
    let options = b"OPTIONS /reqmod ICAP/1.0\r\nConnection: close\r\n\r\n";
    let first = tag(&served.ask(options));
    assert!(first.len() <= 34 && tag(&served.ask(options)) == first, "{first}");
    served.world.live.swap(&Arc::new(snapshot(2)));
    assert_ne!(tag(&served.ask(options)), first, "another generation, another tag");
}

#[test]
fn listed_content_is_blocked_and_named_in_an_alert() {
    let served = Served::new();
    for chunk_bytes in [1, 5, 1000] {
        is_blocked(&served.ask(&body(reqmod(POST, ""), LISTED, chunk_bytes)));
        is_blocked(&served.ask(&body(reqmod(POST, "Allow: 204\r\n"), LISTED, chunk_bytes)));
        is_blocked(&served.ask(&body(respmod("Allow: 204\r\n"), LISTED, chunk_bytes)));
    }
    let alerts = served.world.sink.alerts.lock().unwrap();
    assert_eq!(alerts.len(), 9);
    let told = format!("{:?}", alerts[0]);
    assert!(told.contains("http://example.org/up/a.bin") && told.contains("application/x"), "{told}");
    assert!(!told.contains("secret"), "a query may hold secrets: {told}");
}

#[test]
fn clean_content_passes_byte_for_byte() {
    let served = Served::new();
    let content: Vec<u8> = (0..1_500_000_u32).map(|n| (n ^ n >> 8) as u8).collect();
    for length in [1, 4096, 300_000, 1_500_000] {
        let content = &content[..length];
        let kept = served.ask(&body(reqmod(POST, "Allow: 204\r\n"), content, 70_000));
        assert!(kept.starts_with("ICAP/1.0 204 No Content\r\n"), "{kept}");
        for (begin, http, method) in [(reqmod(POST, ""), POST, "req"), (respmod(""), OK, "res")] {
            let mut stream = served.connect();
            stream.write_all(&body(begin, content, 70_000)).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).unwrap();
            let (head, told, returned) = parts(&reply);
            assert!(head.contains(&format!("Encapsulated: {method}-hdr=0, {method}-body=")), "{head}");
            assert!(told == http && returned == content, "{length}: {head}{told}");
            assert_eq!(served.dir.path().read_dir().unwrap().count(), 0, "no file has a name");
        }
    }
    // Without a body there is nothing to look at.
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let bare =
        format!("REQMOD /reqmod ICAP/1.0\r\nEncapsulated: req-hdr=0, null-body={}\r\n\r\n{get}", get.len());
    let returned = served.ask(bare.as_bytes());
    assert!(returned.starts_with("ICAP/1.0 200 OK\r\n") && returned.ends_with(get), "{returned}");
    assert!(
        returned.contains(&format!("Encapsulated: req-hdr=0, null-body={}\r\n", get.len())),
        "{returned}"
    );
}

#[test]
fn previews() {
    let served = Served::new();
    let mut stream = served.connect();
    let mut reply = |sent: &[u8], expected: &str| {
        stream.write_all(sent).unwrap();
        let mut told = vec![0; expected.len()];
        stream.read_exact(&mut told).unwrap();
        assert_eq!(String::from_utf8(told).unwrap(), expected);
    };
    let go_on = "ICAP/1.0 100 Continue\r\n\r\n";
    let rest_of_head = |stream: &mut TcpStream| {
        let mut told = Vec::new();
        while !told.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            told.extend(byte);
        }
        String::from_utf8(told).unwrap()
    };
    // All of it in the preview: 204 without having been allowed. Then another request on the same connection, which waits.
    let whole = [reqmod(POST, "Preview: 10\r\n"), b"3\r\nabc\r\n0; ieof\r\n\r\n".to_vec()].concat();
    reply(&whole, "ICAP/1.0 204 No Content\r\n");
    let more = [reqmod(POST, "Preview: 10\r\nAllow: 204\r\n"), chunked(&LISTED[..10], 10)].concat();
    let mut again = served.connect();
    again.write_all(&more).unwrap();
    let mut told = vec![0; go_on.len()];
    again.read_exact(&mut told).unwrap();
    assert_eq!(told, go_on.as_bytes());
    again.write_all(&chunked(&LISTED[10..], 3)).unwrap();
    assert!(rest_of_head(&mut again).contains("X-Virus-ID"));
    // Behind a preview that was not all, 204 only where it was allowed.
    let mut kept = served.connect();
    kept.write_all(&[reqmod(POST, "Preview: 0\r\n"), chunked(b"", 1)].concat()).unwrap();
    kept.read_exact(&mut told).unwrap();
    assert_eq!(told, go_on.as_bytes());
    kept.write_all(&chunked(b"clean", 2)).unwrap();
    assert!(rest_of_head(&mut kept).starts_with("ICAP/1.0 200 OK\r\n"));
    // A listed one that is all in its preview.
    let listed = chunked(LISTED, 100);
    let listed = [&listed[..listed.len() - 5], b"0; ieof\r\n\r\n"].concat();
    is_blocked(&served.ask(&[reqmod(POST, "Preview: 100\r\n"), listed].concat()));
}

#[test]
fn requests_may_be_sent_ahead() {
    let served = Served::new();
    let mut sent = Vec::new();
    for content in [b"clean".as_slice(), LISTED, b"clean too"] {
        sent.extend(body(reqmod(POST, "Allow: 204\r\n"), content, 4));
    }
    sent.extend(b"OPTIONS /reqmod ICAP/1.0\r\nConnection: close\r\n\r\nOPTIONS /reqmod ICAP/1.0\r\n\r\n");
    let all = served.ask(&sent);
    let replies: Vec<&str> = all.matches("ICAP/1.0 ").collect();
    assert_eq!(replies.len(), 4, "{all}");
    let order: Vec<usize> = ["204 No Content", "403 Forbidden", "Options-TTL"]
        .iter()
        .map(|word| all.find(word).unwrap())
        .collect();
    assert!(order.is_sorted() && all.matches("204 No Content").count() == 2, "{all}");
}

#[test]
fn each_part_of_a_form_is_a_content() {
    let served = Served::new();
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=xyz\r\n\r\n";
    let form = |file: &[u8]| {
        let begin = "--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--xyz\r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\nContent-Type: image/png\r\n\r\n";
        [begin.as_bytes(), file, b"\r\n--xyz--\r\n"].concat()
    };
    for chunk_bytes in [3, 10_000] {
        is_blocked(&served.ask(&body(reqmod(post, "Allow: 204\r\n"), &form(LISTED), chunk_bytes)));
        let clean = served.ask(&body(reqmod(post, "Allow: 204\r\n"), &form(b"clean"), chunk_bytes));
        assert!(clean.starts_with("ICAP/1.0 204"), "{clean}");
    }
    // A listed content that only says that it is a form is found as well.
    is_blocked(&served.ask(&body(reqmod(post, ""), LISTED, 5)));
    let broken = served.ask(&body(reqmod(post, ""), b"--xyz\r\nno form", 5));
    assert!(parts(broken.as_bytes()).1.starts_with("HTTP/1.1 503 "), "{broken}");
    wait_for_no_upload(&served.world);
}

#[test]
fn what_cannot_be_understood_is_refused_and_closed() {
    let served = Served::new();
    for (sent, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "400"),
        (b"REQMOD /reqmod ICAP/1.0\r\n\r\n", "400"),
        (b"REQMOD /reqmod ICAP/3.0\r\n\r\n", "505"),
        (b"BREW /reqmod ICAP/1.0\r\n\r\n", "501"),
        (b"OPTIONS /other ICAP/1.0\r\n\r\n", "404"),
        (b"RESPMOD /reqmod ICAP/1.0\r\nEncapsulated: res-body=0\r\n\r\n", "405"),
        (b"RESPMOD /respmod ICAP/1.0\r\nEncapsulated: res-body=0\r\n\r\nzz\r\n", "400"),
        (&[b'x'; 20_000], "400"),
        (b"\x16\x03\x01\x02\0\x01\0\r\n\r\n", "400"),
    ] {
        let reply = served.ask(&[sent, &[b'y'; 200_000]].concat());
        assert!(reply.starts_with(&format!("ICAP/1.0 {status} ")), "{reply}");
        assert!(reply.contains("Connection: close\r\n") && reply.ends_with("null-body=0\r\n\r\n"), "{reply}");
    }
    wait_for_no_upload(&served.world);
}

#[test]
fn limits() {
    let limits = IcapLimits {
        spool_memory_bytes_max: 1000,
        spool_disk_bytes_max: 200_000,
        idle_timeout: Duration::from_millis(200),
        silence_timeout: Duration::from_millis(400),
        body_timeout: Duration::from_millis(900),
        ..IcapLimits::default()
    };
    let served = Served::with(Fail::Closed, DeskOptions::default(), limits);
    let full = served.ask(&body(reqmod(POST, ""), &[7; 400_000], 9000));
    assert!(full.starts_with("ICAP/1.0 503 Service Overloaded\r\n"), "{full}");
    // Whoever keeps the body itself needs no room here.
    let kept = served.ask(&body(reqmod(POST, "Allow: 204\r\n"), &[7; 400_000], 9000));
    assert!(kept.starts_with("ICAP/1.0 204 "), "{kept}");
    // The room comes back.
    let returned = served.ask(&body(reqmod(POST, ""), &[7; 150_000], 9000));
    assert!(returned.starts_with("ICAP/1.0 200 "), "{returned}");

    let slow = |sent: &[u8]| {
        let mut stream = served.connect();
        stream.write_all(sent).unwrap();
        rest_of(stream)
    };
    assert_eq!(slow(b""), "", "an idle client is let go");
    for unfinished in
        [b"OPTIONS".to_vec(), reqmod(POST, ""), body(reqmod(POST, ""), b"abc", 1)[..185].to_vec()]
    {
        let reply = slow(&unfinished);
        assert!(reply.starts_with("ICAP/1.0 408 "), "{reply}");
    }
    let mut dripping = served.connect();
    dripping.write_all(&[reqmod(POST, ""), b"ffff\r\n".to_vec()].concat()).unwrap();
    let started = Instant::now();
    while dripping.write_all(b"x").is_ok() {
        assert!(started.elapsed() < PATIENCE, "still there");
        thread::sleep(Duration::from_millis(20));
    }
    wait_for_no_upload(&served.world);
}

#[test]
fn who_vanishes_leaves_nothing() {
    let served = Served::new();
    for _ in 0..30 {
        let mut stream = served.connect();
        stream.write_all(&[reqmod(POST, ""), b"ffff\r\n0123456789".to_vec()].concat()).unwrap();
    }
    wait_for_no_upload(&served.world);
    assert!(served.world.sink.alerts.lock().unwrap().is_empty());
    assert!(served.ask(b"OPTIONS /reqmod ICAP/1.0\r\n\r\n").starts_with("ICAP/1.0 200"));
}

#[test]
fn each_door_fails_as_it_was_told() {
    let desk = DeskOptions { content_bytes_max: 10, ..DeskOptions::default() };
    for fail in [Fail::Open, Fail::Closed] {
        let served = Served::with(fail, desk, IcapLimits::default());
        let said = |content: &[u8], headers: &str| served.ask(&body(reqmod(POST, headers), content, 4));
        assert!(said(b"short", "Allow: 204\r\n").starts_with("ICAP/1.0 204 "));
        let too_large = said(b"more than ten", "");
        let (_, http, returned) = parts(too_large.as_bytes());
        match fail {
            Fail::Open => assert!(http == POST && returned == b"more than ten", "{too_large}"),
            Fail::Closed => assert!(http.starts_with("HTTP/1.1 503 "), "{too_large}"),
        }
        served.world.desk.desk().close();
        // What nobody will judge is answered at its preview.
        let at_preview = served.ask(&body(reqmod(POST, "Preview: 5\r\n"), b"short", 5));
        match fail {
            Fail::Open => assert!(at_preview.starts_with("ICAP/1.0 204 "), "{at_preview}"),
            Fail::Closed => assert!(at_preview.contains("HTTP/1.1 503 "), "{at_preview}"),
        }
    }
}

#[test]
fn a_shutdown_finishes_what_is_in_flight() {
    let mut served = Served::new();
    let idle = served.connect();
    let mut busy = served.connect();
    busy.write_all(&[reqmod(POST, "Allow: 204\r\n"), b"3\r\nab".to_vec()].concat()).unwrap();
    while served.world.desk.desk().uploads_open() == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    served.serving.begin_shutdown();
    assert_eq!(rest_of(idle), "");
    busy.write_all(b"c\r\n0\r\n\r\n").unwrap();
    let reply = rest_of(busy);
    assert!(reply.starts_with("ICAP/1.0 204 ") && reply.contains("Connection: close\r\n"), "{reply}");
    served.serving.stop();
    assert!(TcpStream::connect(served.address).is_err());
}
