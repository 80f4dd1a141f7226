//! The HTTP door over real connections: what it answers, what it refuses, and what is left of those who vanish.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests may panic")]

mod support;

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use hashward_engine::desk::DeskOptions;
use hashward_gate::{Fail, Gatekeeper, HttpLimits, Pace, TenantLimits, parse_digests};
use serde_json::{Value, json};
use support::{DoorOptions, LISTED, Served, read_answer, until};

const OCTETS: &str = "\r\nContent-Type: application/octet-stream";
const JSON: &str = "\r\nContent-Type: application/json";

/// The digests of some content, as they are asked about.
fn digests_of(content: &[u8]) -> Value {
    let all = hashward_engine::core::Algorithm::ALL;
    let digests = hashward_digest::digest_bytes(all.iter().copied().collect(), content);
    digests.iter().map(|digest| (digest.algorithm().word().to_owned(), digest.to_hex())).collect()
}

#[test]
fn content_is_answered_about_and_its_alert_has_left() {
    let served = Served::with(DoorOptions::default());
    let headers = format!("{OCTETS}\r\nce-id: one\r\nce-source: shop\r\nce-subject: caf%C3%A9.jpg");
    let (status, answer) = served.post("/v1/content", &headers, LISTED);
    let alerts = served.world.sink.alerts.lock().unwrap();
    let [hashward_engine::Outgoing::Alert(alert)] = alerts.as_slice() else { panic!("one alert") };
    let expected = json!({
        "content_id": "one", "verdict": "block", "action": "refuse", "matches": answer["matches"], "generation": 1,
        "alert_id": alert.alert_id.to_string(),
    });
    assert_eq!((status, &answer), (200, &expected));
    assert_eq!(answer["matches"][0]["list"], "sample");
    assert_eq!(alert.content.source.as_deref(), Some("anybody/shop"));
    assert_eq!(alert.content.subject.as_deref(), Some("café.jpg"));
    assert_eq!(alert.content.content_type.as_deref(), Some("application/octet-stream"));
    drop(alerts);
    // Which entry matched, and by what, is not told: that would help to probe the list.
    let text = answer.to_string();
    for secret in ["digest", "sha256", "md5", "entry", "ground", "distance"] {
        assert!(!text.contains(secret), "{text}");
    }
    let (status, answer) = served.post("/v1/content", "\r\nce-id: two", b"clean");
    let expected =
        json!({ "content_id": "two", "verdict": "allow", "action": "pass", "matches": [], "generation": 1 });
    assert_eq!((status, answer), (200, expected));
    // Without a name each gets one of its own.
    let id = || served.post("/v1/content", "", b"").1["content_id"].as_str().unwrap().to_owned();
    assert_ne!(id(), id());
    assert_eq!(served.metric(r#"hashward_gate_answers_total{door="http",verdict="block"}"#), 1);
    assert_eq!(served.metric(r#"hashward_gate_answers_total{door="http",verdict="allow"}"#), 3);
    assert_eq!(served.metric(r#"hashward_gate_answer_seconds_count{door="http"}"#), 4);
}

#[test]
fn chunked_bodies_and_expectations_are_understood() {
    let served = Served::with(DoorOptions::default());
    let mut stream = served.connect();
    write!(
        stream,
        "POST /v1/content HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    )
    .unwrap();
    write!(stream, "Expect: 100-continue\r\n\r\n").unwrap();
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    for piece in LISTED.chunks(3) {
        write!(stream, "{:x}\r\n", piece.len()).unwrap();
        stream.write_all(piece).unwrap();
        write!(stream, "\r\n").unwrap();
    }
    write!(stream, "0\r\n\r\n").unwrap();
    let (status, _, body) = read_answer(stream);
    assert_eq!(status, 200, "{body}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["verdict"], "block");
    // Who would be refused anyway need not send the body.
    let nobody = DoorOptions { gatekeeper: Gatekeeper::default(), ..DoorOptions::default() };
    let served = Served::with(nobody);
    let mut stream = served.connect();
    write!(stream, "POST /v1/content HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n")
        .unwrap();
    write!(stream, "Expect: 100-continue\r\n\r\n").unwrap();
    let (status, head, body) = read_answer(stream);
    assert_eq!(status, 401, "{body}");
    assert!(head.contains("www-authenticate: bearer"), "{head}");
}

#[test]
fn each_part_of_a_form_is_a_content() {
    let served = Served::with(DoorOptions::default());
    let part = |name: &str, file: &str, content: &[u8]| {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let file = "; filename=\"a.bin\"\r\nContent-Type: image/png";
    let body = [part("title", "", b"clean"), part("file", file, LISTED), b"--b--\r\n".to_vec()].concat();
    let headers = "\r\nContent-Type: multipart/form-data; boundary=b\r\nce-id: form";
    let (status, answer) = served.post("/v1/content", headers, &body);
    assert_eq!((status, &answer["action"]), (200, &json!("refuse")), "{answer}");
    let of = |key: &str| {
        answer["parts"].as_array().unwrap().iter().map(|part| part[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("verdict"), ["allow", "block"]);
    assert_eq!(of("name"), ["title", "file"]);
    assert_eq!(of("content_id"), ["form#0", "form#1"]);
    let alerts = served.world.sink.alerts.lock().unwrap().clone();
    let [hashward_engine::Outgoing::Alert(alert)] = alerts.as_slice() else { panic!("one alert") };
    assert_eq!(alert.content.subject.as_deref(), Some("a.bin"));
    assert_eq!(alert.content.content_type.as_deref(), Some("image/png"));
    // Forms that are none.
    let halves = &body[..body.len() - 9];
    for (headers, body) in
        [(headers, halves), ("\r\nContent-Type: multipart/form-data", &body[..]), (headers, b"x")]
    {
        let (status, problem) = served.post("/v1/content", headers, body);
        assert_eq!(
            (status, &problem["type"]),
            (400, &json!("urn:hashward:problem:bad-request")),
            "{problem}"
        );
    }
    let many = [part("a", "", b"x").repeat(101), b"--b--\r\n".to_vec()].concat();
    assert_eq!(served.post("/v1/content", headers, &many).0, 413);
}

#[test]
fn batches_of_digests_are_answered_about_in_one_call() {
    let served = Served::with(DoorOptions::default());
    let contents = json!({ "contents": [
        { "id": "clean", "digests": digests_of(b"clean") },
        { "id": "listed", "subject": "b\u{e9}\n", "digests": digests_of(LISTED) },
        { "digests": { "md5": digests_of(LISTED)["md5"], "sha3-512": "whatever" } },
        { "id": "none", "digests": {} },
    ] });
    let (status, answer) = served.post("/v1/digests", JSON, contents.to_string().as_bytes());
    assert_eq!((status, &answer["contents"], &answer["generation"]), (200, &json!(4), &json!(1)), "{answer}");
    let answers = answer["answers"].as_array().unwrap();
    let of = |key: &str| answers.iter().map(|answer| answer[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("place"), [1, 2, 3]);
    assert_eq!(of("verdict"), ["block", "review", "unreadable"]);
    assert_eq!(of("action"), ["refuse", "hold", "refuse"]);
    assert_eq!(answers[0]["content_id"], "listed");
    assert_eq!(served.world.sink.alerts.lock().unwrap().len(), 2);
    assert_eq!(served.metric(r#"hashward_gate_answers_total{door="http",verdict="allow"}"#), 1);
}

#[test]
fn digests_that_are_none_are_refused_with_a_reason() {
    let served = Served::with(DoorOptions::default());
    let hex = "a".repeat(64);
    for (body, detail) in [
        ("", "EOF while parsing"),
        ("{}", "missing field `contents`"),
        (r#"{"contents": 7}"#, "expected a list of at most 10000 contents"),
        (r#"{"contents": [], "contents": []}"#, "duplicate field `contents`"),
        (r#"{"contents": [], "other": []}"#, "unknown field `other`"),
        (r#"{"contents": [{"id": "a"}]}"#, "missing field `digests`"),
        (r#"{"contents": [{"digests": {"md5": "ab"}}]}"#, "2 hexadecimal digits: a digest of md5 has 32"),
        (&format!(r#"{{"contents": [{{"digests": {{"sha256": "{hex}g"}}}}]}}"#), "65 hexadecimal digits"),
        (r#"{"contents": [{"digests": {"md5": 7}}]}"#, "expected text"),
        ("[[[[", "expected an object such as"),
    ] {
        let (status, problem) = served.post("/v1/digests", JSON, body.as_bytes());
        let told = problem["detail"].as_str().unwrap();
        assert!(status == 400 && told.contains(detail), "{body}: {status} {told}");
    }
    let many = |contents| format!(r#"{{"contents": [{}]}}"#, vec![r#"{"digests":{}}"#; contents].join(","));
    assert_eq!(parse_digests(many(10_000).as_bytes()), Ok(10_000));
    let error = parse_digests(many(10_001).as_bytes()).unwrap_err();
    assert!(error.contains("invalid length 10001, expected a list of at most 10000 contents"), "{error}");
    assert_eq!(served.post("/v1/digests", OCTETS, b"{}").0, 415);
    assert_eq!(served.post("/v1/digests", JSON, &vec![b' '; 9 << 20]).0, 413);
}

#[test]
fn problems_are_told_as_the_standard_says() {
    let served = Served::with(DoorOptions::default());
    let (status, head, body) = served.ask_whole("GET /nowhere HTTP/1.1", b"");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let expected = json!({
        "type": "urn:hashward:problem:not-found", "title": "There is nothing here.", "status": 404,
        "detail": "see /v1/openapi.json",
    });
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (404, expected));
    assert_eq!(served.ask("GET /v1/content HTTP/1.1", b"").0, 405);
    assert_eq!(served.ask("GET /v1/openapi.json HTTP/1.1", b"").0, 200);
    assert_eq!(served.metric(r#"hashward_gate_refusals_total{door="http",reason="not-found"}"#), 1);
    assert_eq!(served.post("/v1/content", "\r\nce-id: %FF", b"").0, 400);
}

#[test]
fn what_cannot_be_judged_passes_only_where_that_was_chosen() {
    let desk = DeskOptions { uploads_max: 1, content_bytes_max: 1000, ..DeskOptions::default() };
    for (fail, status, verdict, action) in
        [(Fail::Closed, 503, Value::Null, Value::Null), (Fail::Open, 200, json!("unjudged"), json!("pass"))]
    {
        let served = Served::with(DoorOptions { desk, fail, ..DoorOptions::default() });
        let seat = served.world.desk.open(support::named("other")).unwrap();
        let (told, answer) = served.post("/v1/content", "", LISTED);
        assert_eq!((told, &answer["verdict"], &answer["action"]), (status, &verdict, &action), "{answer}");
        assert_eq!(served.metric(r#"hashward_gate_refusals_total{door="http",reason="full"}"#), 1);
        drop(seat);
        until("there is room", || served.world.desk.desk().uploads_open() == 0);
        let (_, answer) = served.post("/v1/content", "", &[7; 1001]);
        let passes = if fail == Fail::Open { "pass" } else { "refuse" };
        assert_eq!(
            (&answer["verdict"], &answer["action"]),
            (&json!("unreadable"), &json!(passes)),
            "{answer}"
        );
    }
}

#[test]
fn a_client_that_vanishes_leaves_nothing_behind() {
    let served = Served::with(DoorOptions::default());
    for _ in 0..20 {
        let mut stream = served.connect();
        write!(stream, "POST /v1/content HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n").unwrap();
        stream.write_all(&[1; 5000]).unwrap();
    }
    let is_left = || {
        served.world.desk.desk().uploads_open() == 0
            && served.metric(r#"hashward_gate_connections{door="http"}"#) == 0
            && served.metric(r#"hashward_gate_refusals_total{door="http",reason="bad-request"}"#) > 0
    };
    until("nothing is left", is_left);
    assert_eq!(served.post("/v1/content", "", LISTED).1["verdict"], "block");
}

#[test]
fn slow_clients_are_given_up_and_others_are_not() {
    let pace = Pace { pause_max: Duration::from_millis(300), bytes_per_second_min: 1000 };
    let head_timeout = Duration::from_millis(300);
    let limits = HttpLimits { pace, head_timeout, ..HttpLimits::default() };
    let served = Served::with(DoorOptions { limits, ..DoorOptions::default() });
    let head = "POST /v1/content HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    let mut silent: Vec<_> = (0..50).map(|_| served.connect()).collect();
    silent.extend((0..50).map(|_| {
        let mut stream = served.connect();
        write!(stream, "{head}abc").unwrap();
        stream
    }));
    let mut dripping = served.connect();
    write!(dripping, "{head}").unwrap();
    dripping.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let started = Instant::now();
    let mut answer = [0; 12];
    while dripping.read_exact(&mut answer).is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "still there");
        // One byte at a time does not help.
        drop(dripping.write_all(b"x"));
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(served.post("/v1/content", "", LISTED).1["verdict"], "block");
    until("all are gone", || served.metric(r#"hashward_gate_connections{door="http"}"#) == 0);
    assert_eq!(served.metric(r#"hashward_gate_refusals_total{door="http",reason="too-slow"}"#), 51);
    drop(silent);
}

#[test]
fn tenants_are_bounded_each_by_itself() {
    let tenants = TenantLimits { matches_per_hour: 2, ..TenantLimits::default() };
    let served = Served::with(DoorOptions { tenants, ..DoorOptions::default() });
    assert_eq!(served.post("/v1/content", "", LISTED).0, 200);
    assert_eq!(served.post("/v1/content", "", LISTED).0, 200);
    let (status, head, body) = served.ask_whole("POST /v1/content HTTP/1.1", b"clean");
    assert_eq!(status, 429, "{body}");
    let wait: u64 =
        head.split("retry-after: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    assert!((1..=1800).contains(&wait), "{head}");
}

#[test]
fn a_shutdown_finishes_what_is_under_way_and_takes_nothing_new() {
    let mut served = Served::with(DoorOptions::default());
    let mut stream = served.connect();
    write!(stream, "POST /v1/content HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", LISTED.len())
        .unwrap();
    stream.write_all(&LISTED[..5]).unwrap();
    until("it is under way", || served.world.desk.desk().uploads_open() == 1);
    let finishing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        stream.write_all(&LISTED[5..]).unwrap();
        read_answer(stream)
    });
    served.stop();
    assert!(std::net::TcpStream::connect(served.address).is_err());
    let (status, head, body) = finishing.join().unwrap();
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("connection: close"), "{head}");
    assert!(body.contains("\"block\""), "{body}");
}
