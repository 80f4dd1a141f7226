//! The ICAP door of a real worker, asked by c-icap's client, and by Squid in front of a server that takes uploads.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::fixture::{Fixture, listed};
use crate::worker::{Worker, text, wait_for};

/// A worker with an open ICAP door, and its port.
fn start(fixture: &Fixture) -> (Worker, u16) {
    let config = "lists.files = [\"sample.txt\"]\n[source]\nkind = \"none\"\n[gate.icap]\n\
                  listen = [\"127.0.0.1:0\"]\nfail = \"closed\"\nspool_folder = \"spool\"\nspool_memory_bytes_max = 65536\n";
    fs::create_dir_all(fixture.path().join("spool")).unwrap();
    let mut worker = Worker::start(fixture.path(), config, &[]);
    worker.wait_ready();
    let port = wait_for("an open door", || {
        let log = worker.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let open = lines.find(|line| line["message"] == "door open")?;
        open["address"].as_str()?.rsplit_once(':')?.1.parse().ok()
    });
    (worker, port)
}

/// Bytes that look random.
fn noise(length: usize) -> Vec<u8> {
    let mut numbers = crate::fixture::Numbers(42);
    (0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect()
}

#[test]
fn c_icap_client() {
    let fixture = Fixture::new("gate-icap-client", 10);
    let (worker, port) = start(&fixture);
    let folder = fixture.path();
    for (name, content) in [("listed", listed(1)), ("small", noise(100)), ("large", noise(2_000_000))] {
        fs::write(folder.join(name), content).unwrap();
    }
    let ask = |arguments: &[&str]| {
        let mut command = Command::new("c-icap-client");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-v"]).args(arguments).current_dir(folder);
        let output = command.output().expect("c-icap-client is installed");
        text(&output.stdout) + &text(&output.stderr)
    };
    let options = ask(&["-s", "avscan"]);
    for line in ["Allow 204: Yes", "Preview: 4096", "Methods: REQMOD, RESPMOD", "ISTag: "] {
        assert!(options.contains(line), "{line}: {options}");
    }
    let req = ["-req", "http://example.org/upload"];
    for service in [&["-s", "reqmod", req[0], req[1]][..], &["-s", "respmod"], &["-s", "avscan"]] {
        for ways in [&[][..], &["-nopreview"], &["-no204"], &["-nopreview", "-no204"], &["-w", "0"]] {
            for name in ["listed", "small", "large"] {
                let out = folder.join("out");
                drop(fs::remove_file(&out));
                let told = ask(&[service, ways, &["-f", name, "-o", "out"]].concat());
                let case = format!("{service:?} {ways:?} {name}: {told}");
                if name == "listed" {
                    assert!(told.contains("X-Virus-ID: Hashward.sample.unspecified"), "{case}");
                    assert!(told.contains("403 Forbidden"), "{case}");
                    let page = fs::read_to_string(&out).unwrap();
                    assert!(page.contains("<dd>Directive 2011/93/EU art. 25</dd>"), "{page}");
                    assert!(page.contains("<dd>Sample Authority</dd>"), "{page}");
                } else if told.contains("ICAP/1.0 204") {
                    assert!(!out.exists(), "{case}");
                } else {
                    assert!(told.contains("ICAP/1.0 200"), "{case}");
                    assert!(fs::read(&out).unwrap() == fs::read(folder.join(name)).unwrap(), "{case}");
                }
                let is_kept = !ways.contains(&"-no204") || name == "small" && ways.len() == 1;
                assert_eq!(told.contains("ICAP/1.0 204"), name != "listed" && is_kept, "{case}");
            }
        }
    }
    assert_eq!(folder.join("spool").read_dir().unwrap().count(), 0);
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}

/// A server that keeps what is sent to it, and gives it back.
struct Origin {
    port: u16,
    kept: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
        let all = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&all);
                // A proxy that goes away in the middle is no failure of this server.
                thread::spawn(move || drop(answer(stream, &kept)));
            }
        });
        Self { port, kept }
    }
}

/// One request, one answer: PUT and POST keep, GET gives.
fn answer(stream: TcpStream, kept: &Mutex<HashMap<String, Vec<u8>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        length = header.strip_prefix("content-length: ").map_or(length, |value| value.parse().unwrap());
    }
    let mut stream = stream;
    let content = match words[0].as_str() {
        "GET" => kept.lock().unwrap().get(&words[1]).cloned().unwrap_or_default(),
        _ => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            kept.lock().unwrap().insert(words[1].clone(), body);
            b"kept".to_vec()
        }
    };
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len())?;
    // Squid 5 and 6 wait for ever if an origin is faster than the ICAP service: their bug 5352.
    for piece in content.chunks(16 << 10) {
        stream.write_all(piece)?;
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

struct Squid {
    child: Child,
    port: u16,
}

impl Squid {
    /// A Squid that asks `icap_port` about everything, in `folder`.
    fn start(folder: &Path, icap_port: u16) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let config = format!(
            "http_port 127.0.0.1:{port}\nhttp_access allow all\ncache deny all\naccess_log none\npid_filename none\n\
             cache_log {folder}/squid.log\ncoredump_dir {folder}\npinger_enable off\nshutdown_lifetime 0 seconds\n\
             icap_enable on\nicap_preview_enable on\nicap_persistent_connections on\n\
             icap_service uploads reqmod_precache icap://127.0.0.1:{icap_port}/reqmod bypass=off\n\
             icap_service downloads respmod_precache icap://127.0.0.1:{icap_port}/respmod bypass=off\n\
             adaptation_access uploads allow all\nadaptation_access downloads allow all\n",
            folder = folder.display()
        );
        fs::write(folder.join("squid.conf"), config).unwrap();
        // Started by root it goes on as another user, who has to write its log here.
        std::os::unix::fs::PermissionsExt::set_mode(&mut fs::metadata(folder).unwrap().permissions(), 0o777);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(folder, mode).unwrap();
        let mut command = Command::new("squid");
        command
            .arg("-N")
            .arg("-f")
            .arg(folder.join("squid.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("squid is installed");
        wait_for("Squid", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { child, port }
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn squid_in_front_of_an_upload_server() {
    let fixture = Fixture::new("gate-icap-squid", 10);
    let (mut worker, icap_port) = start(&fixture);
    let folder = fixture.path();
    let origin = Origin::start();
    let proxy_folder = tempfile::tempdir().unwrap();
    let squid = Squid::start(proxy_folder.path(), icap_port);
    fs::write(folder.join("listed"), listed(1)).unwrap();
    // Status and body of what curl gets through the proxy.
    let curl = |arguments: &[&str], path: &str| {
        let url = format!("http://127.0.0.1:{}/{path}", origin.port);
        let proxy = format!("http://127.0.0.1:{}", squid.port);
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "", "--proxy", &proxy]);
        // Without a pause for a 100 that this server never sends.
        command.args(["--header", "Expect:", "--output", "got", "--write-out", "%{http_code}"]);
        let output =
            command.args(arguments).arg(url).current_dir(folder).output().expect("curl is installed");
        (text(&output.stdout), fs::read(folder.join("got")).unwrap_or_default())
    };
    let is_page = |(status, page): (String, Vec<u8>)| {
        assert_eq!(status, "403");
        let page = text(&page);
        assert!(page.contains("This content was blocked") && page.contains("Sample Authority"), "{page}");
    };
    is_page(curl(&["--upload-file", "listed"], "upload"));
    is_page(curl(&["--data-binary", "@listed"], "post"));
    is_page(curl(&["--form", "note=hello", "--form", "file=@listed"], "form"));
    assert!(origin.kept.lock().unwrap().is_empty(), "nothing listed reaches the server");
    origin.kept.lock().unwrap().insert("/listed".to_owned(), listed(1));
    is_page(curl(&[], "listed"));
    for length in [1, 4000, 60_000, 1_000_000] {
        let content = noise(length);
        fs::write(folder.join("clean"), &content).unwrap();
        let path = format!("clean-{length}");
        assert_eq!(curl(&["--upload-file", "clean"], &path).0, "200");
        let kept = origin.kept.lock().unwrap()[&format!("/{path}")].clone();
        assert!(kept == content, "{length} bytes went up changed");
        let (status, got) = curl(&[], &path);
        assert!(status == "200" && got == content, "{length} bytes came down changed: {status}");
    }
    assert_eq!(worker.metric("hashward_gate_answers_total", "verdict=\"block\""), 4.0);
    let alerts = fs::read_to_string(folder.join("hashward-data/alerts.ndjson")).unwrap();
    assert!(alerts.contains(&format!("http://127.0.0.1:{}/upload", origin.port)), "{alerts}");
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}
