//! The gate of a real worker, asked by a real client: curl.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fixture::{Fixture, harmless, json, listed};
use crate::worker::{Worker, hashward, hashward_output, text, wait_for};

/// A worker with an open HTTP door, and its address.
fn start(fixture: &Fixture, config: &str) -> (Worker, String) {
    let config = format!("lists.files = [\"sample.txt\"]\n{config}");
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    worker.wait_ready();
    let address = door(&worker);
    (worker, address)
}

/// The address of the first door that the log tells.
fn door(worker: &Worker) -> String {
    wait_for("an open door", || {
        let log = worker.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let open = lines.into_iter().find(|line| line["message"] == "door open")?;
        open["address"].as_str().map(str::to_owned)
    })
}

/// What curl gets, as the HTTP version, the status and the body.
fn curl(folder: &Path, arguments: &[&str]) -> (String, u16, String) {
    let mut command = Command::new("curl");
    command.current_dir(folder).args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]);
    let output = command.args(["--write-out", "\n%{http_version} %{http_code}"]).args(arguments).output();
    let output = output.expect("curl is installed");
    let out = text(&output.stdout);
    let (body, last) = out.rsplit_once('\n').unwrap_or(("", &out));
    let (version, status) = last.split_once(' ').unwrap_or_else(|| panic!("{}", text(&output.stderr)));
    (version.to_owned(), status.parse().expect("a status"), body.to_owned())
}

const OPEN: &str = "[source]\nkind = \"none\"\n[gate]\nanonymous_tenant = \"local\"\n[gate.http]\n\
                    listen = [\"127.0.0.1:0\"]\nfail = \"closed\"\n";

#[test]
fn curl_asks_in_every_way() {
    let fixture = Fixture::new("gate-curl", 10);
    let folder = fixture.path();
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(folder.join("large"), &large).unwrap();
    fs::write(folder.join("listed"), listed(3)).unwrap();
    fs::write(folder.join("harmless"), harmless(3)).unwrap();
    let (mut worker, address) = start(&fixture, OPEN);
    let url = format!("http://{address}/v1/content");
    let cases: [(&[&str], &str, &str); 7] = [
        (&["--data-binary", "@listed"], "1.1", "block"),
        (&["--data-binary", "@harmless"], "1.1", "allow"),
        (&["--header", "Transfer-Encoding: chunked", "--data-binary", "@listed"], "1.1", "block"),
        (&["--header", "Expect: 100-continue", "--data-binary", "@large"], "1.1", "allow"),
        (&["--http2-prior-knowledge", "--data-binary", "@listed"], "2", "block"),
        (&["--http2-prior-knowledge", "--data-binary", "@large"], "2", "allow"),
        (&["--header", "ce-id: seven", "--data-binary", "@listed"], "1.1", "block"),
    ];
    for (arguments, version, verdict) in cases {
        let (spoken, status, body) = curl(folder, &[arguments, &[&url]].concat());
        assert_eq!((spoken.as_str(), status), (version, 200), "{arguments:?}: {body}");
        assert_eq!(json(body.as_bytes())["verdict"], verdict, "{arguments:?}: {body}");
    }
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        for _ in 0..20 {
            let nowhere = format!("http://{address}/nowhere");
            assert_eq!(curl(folder, &[version, "--data-binary", "@listed", &nowhere]).1, 404, "{version}");
        }
    }
    let (_, status, body) = curl(folder, &["--form", "a=@harmless", "--form", "b=@listed", &url]);
    let form = json(body.as_bytes());
    assert_eq!((status, form["action"].as_str()), (200, Some("refuse")), "{body}");
    assert_eq!(form["parts"][1]["verdict"], "block");
    // Each alert was in the file before its answer came.
    let alerts = fs::read_to_string(folder.join("hashward-data/alerts.ndjson")).unwrap();
    assert_eq!(alerts.lines().count(), 5, "{alerts}");
    assert!(alerts.contains("\"id\":\"seven\"") && alerts.contains("\"subject\":\"listed\""), "{alerts}");
    assert_eq!(worker.metric("hashward_gate_answers_total", "verdict=\"block\""), 5.0);
    let ready = json(worker.get("/readyz").1.as_bytes());
    assert_eq!(ready["doors"]["http"]["fails"], "closed");
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
    assert!(curl(folder, &[&url]).1 == 0, "the door is closed");
}

#[test]
fn the_line_and_the_gate_share_lists_and_the_file_of_alerts() {
    let fixture = Fixture::new("gate-beside", 10);
    let folder = fixture.path();
    fs::write(folder.join("listed"), listed(4)).unwrap();
    let config =
        OPEN.replace("kind = \"none\"", "kind = \"inbox\"") + "[inbox]\npoll_ms = 20\nsettle_ms = 0\n";
    let (worker, address) = start(&fixture, &config);
    let data = folder.join("hashward-data");
    for n in 0..5 {
        fs::write(data.join(format!("inbox/.{n}")), listed(n)).unwrap();
        fs::rename(data.join(format!("inbox/.{n}")), data.join(format!("inbox/{n}"))).unwrap();
        let url = format!("http://{address}/v1/content");
        let (_, _, body) =
            curl(folder, &["--header", &format!("ce-id: {n}"), "--data-binary", "@listed", &url]);
        assert_eq!(json(body.as_bytes())["verdict"], "block");
    }
    let alerts = || fs::read_to_string(data.join("alerts.ndjson")).unwrap_or_default();
    wait_for("ten alerts", || (alerts().lines().count() == 10).then_some(()));
    assert_eq!(alerts().matches("\"source\":\"local\"").count(), 5, "{}", alerts());
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}

#[test]
fn tls_keys_and_client_certificates() {
    let fixture = Fixture::new("gate-tls", 10);
    let folder = fixture.path();
    let openssl = |arguments: &str| {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
        let made = made.expect("openssl is installed");
        assert!(made.status.success(), "openssl {arguments}: {}", text(&made.stderr));
        text(&made.stdout)
    };
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {new_key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
    openssl(&format!(
        "req -x509 {new_key} -days 2 -subj /CN=stranger -keyout stranger.key -out stranger.pem"
    ));
    for name in ["door", "client"] {
        let subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1";
        openssl(&format!("req {new_key} -keyout {name}.key -out {name}.csr {subject}"));
        let by_ca = "-CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copyall";
        openssl(&format!("x509 -req -in {name}.csr {by_ca} -out {name}.pem -days 2"));
    }
    let fingerprint = openssl("x509 -in client.pem -noout -fingerprint -sha256");
    let fingerprint = fingerprint.trim().rsplit('=').next().unwrap().replace(':', "");
    let made = hashward_output(
        folder,
        &["gate", "key", "--tenant", "shop", "--role", "provider", "--file", "keys.jsonl"],
    );
    let key = text(&made.stdout).trim().to_owned();
    assert!(key.starts_with("hwk_") && key.len() == 68, "{key:?} {}", text(&made.stderr));
    let auditor = hashward_output(
        folder,
        &["gate", "key", "--tenant", "law", "--role", "auditor", "--file", "keys.jsonl"],
    );
    let auditor = text(&auditor.stdout).trim().to_owned();
    let kept = fs::read_to_string(folder.join("keys.jsonl")).unwrap();
    assert!(kept.lines().count() == 2 && !kept.contains(&key[4..]), "{kept}");
    fs::write(folder.join("listed"), listed(1)).unwrap();
    let config = format!(
        "[source]\nkind = \"none\"\n[gate]\nkeys_file = \"keys.jsonl\"\ncertificates = {{ {fingerprint} = \"mail:provider\" }}\n\
         [gate.http]\nlisten = [\"127.0.0.1:0\"]\nfail = \"closed\"\n\
         tls.certificates_file = \"door.pem\"\ntls.key_file = \"door.key\"\n"
    );
    let ask = |address: &str, arguments: &[&str]| {
        let url = format!("https://{address}/v1/content");
        curl(folder, &[&["--cacert", "ca.pem", "--data-binary", "@listed", &url], arguments].concat())
    };
    let bearer = |key: &str| format!("Authorization: Bearer {key}");
    let (worker, address) = start(&fixture, &config);
    let (version, status, body) = ask(&address, &["--header", &bearer(&key)]);
    assert_eq!((version.as_str(), status), ("2", 200), "ALPN agrees on HTTP/2: {body}");
    assert_eq!(ask(&address, &["--http1.1", "--header", &bearer(&key)]).1, 200);
    assert_eq!(ask(&address, &["--header", &bearer(&auditor)]).1, 403);
    assert_eq!(ask(&address, &["--header", &bearer("hwk_0")]).1, 401);
    assert_eq!(ask(&address, &[]).1, 401);
    assert!(worker.terminate().0.success());
    let alerts = || fs::read_to_string(folder.join("hashward-data/alerts.ndjson")).unwrap();
    assert!(alerts().contains("\"source\":\"shop\""), "{}", alerts());
    // With authorities for clients nobody comes in without a certificate of theirs.
    let (worker, address) = start(&fixture, &format!("{config}tls.clients_file = \"ca.pem\"\n"));
    let (_, status, body) = ask(&address, &["--cert", "client.pem", "--key", "client.key"]);
    assert_eq!(status, 200, "{body}");
    assert!(alerts().contains("\"source\":\"mail\""), "{}", alerts());
    for refused in [&[][..], &["--cert", "stranger.pem", "--key", "stranger.key"]] {
        let url = format!("https://{address}/v1/content");
        let mut command = Command::new("curl");
        command.current_dir(folder).args([
            "--silent",
            "--cacert",
            "door.pem",
            "--data-binary",
            "@listed",
            &url,
        ]);
        let status = command.args(refused).stdout(Stdio::null()).status().expect("curl is installed");
        assert!(!status.success(), "{refused:?}");
    }
    drop(worker);
}

#[test]
fn what_is_not_chosen_or_not_safe_is_refused_before_the_start() {
    let fixture = Fixture::new("gate-validate", 1);
    let cases = [
        (
            "listen = [\"127.0.0.1:0\"]",
            "gate.http.fail: unset: choose what becomes of content without a verdict",
        ),
        ("fail = \"open\"\nlisten = [\"0.0.0.0:0\"]", "or gate.http.insecure = true"),
        ("fail = \"open\"\nlisten = [\"here\"]", "expected IP:port, such as 127.0.0.1:8460"),
        (
            "fail = \"open\"\nlisten = [\"127.0.0.1:0\"]\ntls.key_file = \"a\"",
            "gate.http.tls.certificates_file: empty",
        ),
        ("", "source.kind: \"none\", and every door is closed"),
    ];
    for (door, expected) in cases {
        let config =
            format!("[source]\nkind = \"none\"\n[gate]\nanonymous_tenant = \"local\"\n[gate.http]\n{door}\n");
        fs::write(fixture.path().join("c.toml"), config).unwrap();
        let refused = hashward_output(
            fixture.path(),
            &["validate", "--stage", "topology", "--config", "c.toml", "--list", "sample.txt"],
        );
        let told = text(&refused.stdout);
        assert!(!refused.status.success() && told.contains(expected), "{door}: {told}");
    }
    let nobody = "[gate.http]\nfail = \"open\"\nlisten = [\"127.0.0.1:0\"]\n";
    fs::write(fixture.path().join("c.toml"), nobody).unwrap();
    let refused =
        hashward().current_dir(fixture.path()).args(["validate", "--config", "c.toml"]).output().unwrap();
    assert!(
        text(&refused.stdout).contains("nobody may ask: set gate.keys_file"),
        "{}",
        text(&refused.stdout)
    );
}

#[test]
fn schemathesis_finds_no_fault() {
    let schemathesis = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/venv/bin/schemathesis");
    assert!(schemathesis.exists(), "{} is not there: tests/run.sh installs it", schemathesis.display());
    let fixture = Fixture::new("gate-schemathesis", 1);
    let folder = fixture.path();
    let arguments = ["gate", "key", "--tenant", "shop", "--role", "provider", "--file", "keys.jsonl"];
    let key = text(&hashward_output(folder, &arguments).stdout);
    let config = OPEN.replace("anonymous_tenant = \"local\"", "keys_file = \"keys.jsonl\"");
    let (worker, address) = start(&fixture, &config);
    let mut command = Command::new(schemathesis);
    command.current_dir(folder).args(["run", &format!("http://{address}/v1/openapi.json")]);
    command.args(["--header", &format!("Authorization: Bearer {}", key.trim())]);
    // It names parts of forms with control characters, which no schema can forbid and no header may hold.
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    // The same questions in each run.
    command.args(["--max-examples", "25", "--seed", "1"]);
    let output = command.output().expect("it starts");
    let told = text(&output.stdout);
    assert!(output.status.success() && told.contains("generated"), "{told}{}", text(&output.stderr));
    assert!(!worker.log().contains("panicked"), "{}", worker.log());
    assert!(worker.terminate().0.success());
}

#[test]
fn what_the_gate_alerts_is_on_record_before_the_answer() {
    let fixture = Fixture::new("gate-evidence", 10);
    let folder = fixture.path();
    let ok = |arguments: &[&str]| {
        let output = hashward_output(folder, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    ok(&["evidence", "init", "evidence", "--name", "example.org/evidence", "--key-file", "evidence.key"]);
    fs::write(folder.join("listed"), listed(3)).unwrap();
    let evidence = "[evidence]\ndirectory = \"evidence\"\nkey_file = \"evidence.key\"\n";
    let (worker, address) = start(&fixture, &(OPEN.to_owned() + evidence));
    let url = format!("http://{address}/v1/content");
    let (_, _, body) = curl(folder, &["--data-binary", "@listed", &url]);
    let answer = json(body.as_bytes());
    let alert = answer["alert_id"].as_str().expect("it was alerted");
    ok(&["evidence", "prove", "evidence", "--alert", alert, "--out", "alert.proof"]);
    // What went live is recorded without a line, too.
    wait_for("the generation", || {
        ok(&["evidence", "show", "evidence", "--json"]).contains("\"release-applied\"").then_some(())
    });
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");
}
