//! Against a server that answers from a script.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use super::*;

/// Gives each answer to one connection, and tells what was asked.
fn server(answers: &'static [&'static str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/file", listener.local_addr().unwrap().port());
    let (tell, asked) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut client, _) = listener.accept().unwrap();
            let lines = BufReader::new(client.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            tell.send(head.join("\n")).unwrap();
            client.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

fn read(url: &str, offset_bytes: u64) -> Result<String, String> {
    let web = Web::new(&WebOptions::default()).unwrap();
    let mut reader = web.get(url, offset_bytes).map_err(|error| error.to_string())?;
    let mut text = String::new();
    reader.read_to_string(&mut text).map_err(|error| format!("reading: {error}"))?;
    Ok(text)
}

#[test]
fn a_file_comes_from_any_byte_on() {
    const ALL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabcdef";
    const PART: &str = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-5/6\r\nContent-Length: 2\r\nConnection: close\r\n\r\nef";
    const NONE: &str = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const SHORT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc";
    let (url, asked) = server(&[ALL, PART, ALL, PART, NONE, SHORT]);
    assert_eq!(read(&url, 0), Ok("abcdef".into()));
    assert!(!asked.recv().unwrap().to_lowercase().contains("range"));
    assert_eq!(read(&url, 4), Ok("ef".into()));
    assert!(asked.recv().unwrap().to_lowercase().contains("range: bytes=4-"));
    assert_eq!(read(&url, 4), Ok("ef".into()), "a server that knows no ranges");
    assert!(read(&url, 3).unwrap_err().contains("another part"));
    assert_eq!(read(&url, 6), Ok(String::new()));
    assert!(read(&url, 0).unwrap_err().starts_with("reading: "), "it is cut off");
}

#[test]
fn answers_say_whether_another_attempt_is_worth_it() {
    let (url, _asked) = server(&[
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ]);
    let web = Web::new(&WebOptions::default()).unwrap();
    let get = || web.get(&url, 0).map(|_| ()).unwrap_err();
    assert!(matches!(get(), WebError::NotFound { status: 404, .. }));
    assert!(matches!(get(), WebError::NotFound { status: 403, .. }));
    assert!(matches!(get(), WebError::Unavailable { .. }));
    assert!(matches!(get(), WebError::Refused { .. }));
    assert!(matches!(get(), WebError::Refused { .. }));
}

#[test]
fn without_tls_only_this_machine_is_asked() {
    let web = Web::new(&WebOptions::default()).unwrap();
    for (url, is_allowed) in [
        ("https://lists.example.org/a", true),
        ("http://127.0.0.1:8080/a", true),
        ("http://[::1]:8080/a", true),
        ("http://localhost/a", true),
        ("http://lists.example.org/a", false),
        ("http://localhost.example.org/a", false),
        ("http://10.0.0.1/a", false),
        ("https://user@lists.example.org/a", false),
        ("ftp://127.0.0.1/a", false),
        ("lists", false),
    ] {
        assert_eq!(web.allowed(url).is_ok(), is_allowed, "{url}");
    }
    let open = Web::new(&WebOptions { plain_http: true, ..WebOptions::default() }).unwrap();
    assert!(open.allowed("http://lists.example.org/a").is_ok());
}

#[test]
fn a_file_that_trickles_ends_with_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/file", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while client.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let options = WebOptions { transfer_timeout: Duration::from_millis(200), ..WebOptions::default() };
    let mut reader = Web::new(&options).unwrap().get(&url, 0).unwrap();
    assert!(reader.read_to_end(&mut Vec::new()).is_err());
}
