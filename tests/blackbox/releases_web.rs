//! Releases over a web server that breaks off, under many who pull at once, and through kills.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::fixture::Numbers;
use crate::list_fixture::text_list;
use crate::publisher::{PUBLISH, Provider, Publisher};
use crate::worker::text;

/// Gives a folder out over HTTP/1.1, one request a connection.
struct Web {
    url: String,
    requests: Arc<AtomicUsize>,
    /// How many more files are given whole before one breaks off in its middle; negative: none does.
    whole: Arc<AtomicI64>,
    resumed: Arc<AtomicUsize>,
}

impl Web {
    fn serve(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (requests, whole, resumed) = <(Arc<AtomicUsize>, Arc<AtomicI64>, Arc<AtomicUsize>)>::default();
        whole.store(-1, Ordering::Relaxed);
        let web = Self { url, requests, whole, resumed };
        let (requests, whole, resumed) =
            (Arc::clone(&web.requests), Arc::clone(&web.whole), Arc::clone(&web.resumed));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (folder, whole) = (folder.clone(), Arc::clone(&whole));
                requests.fetch_add(1, Ordering::Relaxed);
                let resumed = Arc::clone(&resumed);
                // A client that goes away is its own affair.
                thread::spawn(move || drop(answer(stream, &folder, &whole, &resumed)));
            }
        });
        web
    }
}

fn answer(
    mut stream: TcpStream,
    folder: &Path,
    whole: &AtomicI64,
    resumed: &AtomicUsize,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut from = 0;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let Ok(mut file) = fs::File::open(folder.join(path)) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from))?;
    let mut body = Vec::new();
    file.read_to_end(&mut body)?;
    let head = if from > 0 {
        resumed.fetch_add(1, Ordering::Relaxed);
        format!("206 Partial Content\r\ncontent-range: bytes {from}-{}/{length}", length - 1)
    } else {
        "200 OK".to_owned()
    };
    write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    let is_cut =
        whole.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left >= 0).then(|| left - 1));
    let given = if is_cut == Ok(0) { body.len() / 2 } else { body.len() };
    stream.write_all(&body[..given])
}

fn publisher_with(entries: usize) -> Publisher {
    let publisher = Publisher::new();
    publisher.lists.write("many.txt", text_list(0..entries));
    publisher.lists.ok(&["import", "national", "many.txt"]);
    publisher.publish(&[]);
    publisher
}

/// Names of their own for the subscriptions of many providers.
fn name(n: usize) -> &'static str {
    format!("subscriptions-{n}").leak()
}

#[test]
fn a_server_that_breaks_off_in_any_file_is_gone_on_with() {
    let publisher = publisher_with(500);
    let web = Web::serve(publisher.path("repo"));
    let mut cut = 0;
    loop {
        let provider = Provider::new(&publisher, name(cut), Some(&web.url));
        web.whole.store(cut as i64, Ordering::Relaxed);
        let output = provider.run(&["pull"]);
        if web.whole.swap(-1, Ordering::Relaxed) >= 0 {
            // There are no more files than that: it was whole.
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
            break;
        }
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert_eq!(provider.json(&["pull"]).remove(0)["release"], 1, "file {cut}");
        cut += 1;
    }
    // Timestamp, snapshot, targets and the list itself.
    assert_eq!(cut, 4);
    assert_eq!(web.resumed.load(Ordering::Relaxed), 1, "the list goes on where it broke off");
}

#[test]
fn a_hundred_pull_at_once() {
    const PROVIDERS: usize = 100;
    let publisher = publisher_with(500);
    let web = Web::serve(publisher.path("repo"));
    let providers: Vec<_> =
        (0..PROVIDERS).map(|n| Provider::new(&publisher, name(n), Some(&web.url))).collect();
    let pulling: Vec<_> =
        providers.iter().map(|provider| provider.command(&["pull"]).spawn().unwrap()).collect();
    for mut child in pulling {
        assert!(child.wait().unwrap().success());
    }
    assert!(providers.iter().all(|provider| provider.release() == 1));
    assert!(web.requests.load(Ordering::Relaxed) >= 4 * PROVIDERS);
}

#[test]
fn kills_leave_the_old_release_or_the_new_one() {
    const KILLS: usize = 12;
    let publisher = publisher_with(2000);
    let provider = Provider::new(&publisher, "subscriptions", None);
    let mut numbers = Numbers(17);
    let mut published = 1;
    for n in 0..KILLS {
        publisher.add(10_000 + n);
        let mut publishing = publisher.command(&PUBLISH).spawn().unwrap();
        thread::sleep(Duration::from_millis(numbers.below(60)));
        publishing.kill().unwrap();
        publishing.wait().unwrap();
        publisher.ok(&["release", "verify", "repo"]);
        let mut pulling = provider.command(&["pull"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(numbers.below(60)));
        pulling.kill().unwrap();
        pulling.wait().unwrap();
        // Whatever came of both, the next try of each ends it.
        publisher.publish(&[]);
        let release = provider.json(&["pull"]).remove(0);
        let number = release["release"].as_u64().unwrap();
        assert!(number > published, "release {number} after {published}");
        published = number;
        assert_eq!(release["entries"], 2000 + n as u64 + 1);
    }
}
