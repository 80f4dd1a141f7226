use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hashward_engine::{Health, METRICS, Metrics, Part};
use prometheus::Registry;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{Admin, AdminLimits};

/// A listener that is served on a thread of its own, and what it tells about.
struct Served {
    address: SocketAddr,
    health: Health,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn with(limits: AdminLimits) -> Self {
        let admin = Admin::bind("127.0.0.1:0".parse().unwrap()).unwrap().with_limits(limits);
        let address = admin.local_addr();
        let health = Health::default();
        let metrics = Metrics::register(Registry::new()).unwrap();
        let (shutdown, is_shutdown) = oneshot::channel();
        let serving = admin.serve(metrics, health.clone(), async { drop(is_shutdown.await) });
        let thread = thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serving).unwrap();
        });
        Self { address, health, shutdown: Some(shutdown), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// The head and the body of the answer to a request on a connection of its own.
    fn ask(&self, method: &str, path: &str) -> (String, String) {
        let mut stream = self.connect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn stop(&mut self) {
        drop(self.shutdown.take());
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[test]
fn each_path_answers() {
    let served = Served::with(AdminLimits::default());
    let (head, body) = served.ask("GET", "/livez");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "ok");

    let (head, body) = served.ask("GET", "/readyz");
    assert!(head.starts_with("http/1.1 503") && head.contains("content-type: application/json"), "{head}");
    let starting = json!({ "lists": "starting", "source": "starting", "delivery": "starting" });
    assert_eq!(json_of(&body), json!({ "ready": false, "parts": starting }));
    assert!(served.ask("GET", "/metrics").1.contains("\nhashward_ready 0\n"));

    for part in [Part::Lists, Part::Source, Part::Delivery] {
        served.health.ready(part);
    }
    let (head, body) = served.ask("GET", "/readyz");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let ready = json!({ "lists": "ready", "source": "ready", "delivery": "ready" });
    assert_eq!(json_of(&body), json!({ "ready": true, "parts": ready }));
    served.health.not_ready(Part::Delivery, "disk full");
    assert_eq!(json_of(&served.ask("GET", "/readyz").1)["parts"]["delivery"], "disk full");
    served.health.ready(Part::Delivery);
    served.health.remark("list national", Some("stale".to_owned()));
    let remarked = json_of(&served.ask("GET", "/readyz").1);
    assert_eq!((&remarked["ready"], &remarked["remarks"]["list national"]), (&json!(true), &json!("stale")));
    served.health.remark("list national", None);
    assert!(json_of(&served.ask("GET", "/readyz").1).get("remarks").is_none());

    let (head, body) = served.ask("GET", "/metrics");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(body.contains("\nhashward_ready 1\n"));
    let unlabelled = METRICS.iter().filter(|metric| metric.labels.is_empty());
    unlabelled.for_each(|metric| assert!(body.contains(metric.name), "{} is missing", metric.name));

    let version = json!({ "name": "hashward", "version": env!("CARGO_PKG_VERSION") });
    assert_eq!(json_of(&served.ask("GET", "/version").1), version);

    let (head, body) = served.ask("HEAD", "/metrics");
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
}

#[test]
fn everything_else_is_told_what_there_is() {
    let served = Served::with(AdminLimits::default());
    let paths = json!(["/metrics", "/livez", "/readyz", "/version"]);
    for (method, path, status, error) in [
        ("GET", "/", "404", "not found"),
        ("GET", "/metrics/", "404", "not found"),
        ("POST", "/elsewhere", "404", "not found"),
        ("POST", "/metrics", "405", "only GET and HEAD are answered"),
        ("DELETE", "/readyz", "405", "only GET and HEAD are answered"),
    ] {
        let (head, body) = served.ask(method, path);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{method} {path}: {head}");
        assert_eq!(json_of(&body), json!({ "error": error, "paths": paths }), "{method} {path}");
        assert_eq!(head.contains("allow: get,head"), status == "405", "{method} {path}: {head}");
    }
}

/// How long the server takes to drop a connection on which it has nothing to answer.
fn dropped_after(mut stream: TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    started.elapsed()
}

#[test]
fn slow_clients_are_dropped() {
    let head_timeout = Duration::from_millis(300);
    let served = Served::with(AdminLimits { head_timeout, ..AdminLimits::default() });
    let silent = served.connect();
    let mut half = served.connect();
    write!(half, "GET /livez HTTP/1.1\r\nHost:").unwrap();
    let mut kept = served.connect();
    write!(kept, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    for (name, stream) in [("silent", silent), ("half", half), ("kept", kept)] {
        let took = dropped_after(stream);
        assert!(took < Duration::from_secs(5), "{name} was dropped after {took:?}");
    }
    // One byte at a time does not help.
    let mut dripping = served.connect();
    let started = Instant::now();
    dripping.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        let is_open = dripping.write_all(b"G").is_ok()
            && dripping.read(&mut [0; 64]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        if !is_open {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(5), "still there");
    }
}

#[test]
fn heads_are_bounded() {
    let served = Served::with(AdminLimits { head_bytes_max: 8192, ..AdminLimits::default() });
    let mut stream = served.connect();
    write!(stream, "GET /livez HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(9000)).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    let mut stream = served.connect();
    let many = "a: b\r\n".repeat(200);
    write!(stream, "GET /livez HTTP/1.1\r\n{many}\r\n").unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    assert_eq!(served.ask("GET", "/livez").1, "ok");
}

#[test]
fn connections_are_bounded_and_mortal() {
    let connection_timeout = Duration::from_millis(400);
    let limits = AdminLimits { connections_max: 2, connection_timeout, ..AdminLimits::default() };
    let served = Served::with(limits);
    let (first, second) = (served.connect(), served.connect());
    thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    // Accepted only when one of the two is gone.
    assert_eq!(served.ask("GET", "/livez").1, "ok");
    assert!(started.elapsed() > Duration::from_millis(100), "{:?}", started.elapsed());
    for stream in [first, second] {
        dropped_after(stream);
    }
}

#[test]
fn a_shutdown_waits_for_nobody_long() {
    let limits = AdminLimits { grace: Duration::from_millis(300), ..AdminLimits::default() };
    let mut served = Served::with(limits);
    let mut half = served.connect();
    write!(half, "GET /livez HTTP/1.1\r\nHost:").unwrap();
    assert_eq!(served.ask("GET", "/livez").1, "ok");
    let started = Instant::now();
    served.stop();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(TcpStream::connect(served.address).is_err());
}
