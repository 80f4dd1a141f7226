//! The command line: scan, explain, validate, configuration, completions, exit codes.

use std::fs;
use std::process::Output;

use hashward_core::Algorithm;
use serde_json::{Value, json};

use crate::fixture::{Fixture, harmless, hex, json, listed};
use crate::worker::{hashward_output, text};

fn run(fixture: &Fixture, arguments: &[&str]) -> Output {
    hashward_output(fixture.path(), arguments)
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| json(line.as_bytes())).collect()
}

/// A tree with two listed files among harmless ones.
fn tree(fixture: &Fixture) {
    let tree = fixture.path().join("tree");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    for n in 0..40 {
        fs::write(tree.join(format!("{n}.bin")), harmless(n)).unwrap();
    }
    fs::write(tree.join("a/one.bin"), listed(1)).unwrap();
    fs::write(tree.join("a/b/two.bin"), listed(2)).unwrap();
    fs::write(tree.join("a/empty"), b"").unwrap();
}

#[test]
fn scan_finds_what_is_listed() {
    let fixture = Fixture::new("scan", 10);
    tree(&fixture);
    let output = run(&fixture, &["scan", "--list", "sample.txt", "--json", "tree"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 3);
    for (line, path) in lines.iter().zip(["tree/a/b/two.bin", "tree/a/one.bin"]) {
        assert_eq!((&line["path"], &line["verdict"]), (&json!(path), &json!("block")));
        let found = &line["matches"][0];
        assert_eq!((&found["list"], &found["algorithm"]), (&json!("sample"), &json!("sha256")));
        assert!(found["entry"].as_str().is_some_and(|entry| entry.starts_with("e-")));
    }
    let summary = &lines[2]["summary"];
    assert_eq!((&summary["contents"], &summary["matched"]), (&json!(43), &json!(2)));
    assert_eq!(summary["unreadable"], 0);
    assert!(summary["bytes"].as_u64().is_some_and(|bytes| bytes > 1000) && summary["seconds"].is_number());

    let harmless = run(&fixture, &["scan", "--list", "sample.txt", "--json", "tree/0.bin", "tree/1.bin"]);
    assert_eq!((harmless.status.code(), harmless.stdout.is_empty()), (Some(0), false));
    let human = run(&fixture, &["scan", "--list", "sample.txt", "tree"]);
    assert_eq!(human.status.code(), Some(1));
    assert!(text(&human.stdout).contains("tree/a/one.bin"), "{}", text(&human.stdout));
}

#[test]
fn scan_says_what_it_could_not_read() {
    let fixture = Fixture::new("scan-errors", 10);
    tree(&fixture);
    let output = run(&fixture, &["scan", "--list", "sample.txt", "--json", "tree", "no/such/file"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output).last().unwrap()["summary"]["unreadable"], 1);
    assert!(text(&output.stderr).contains("no/such/file"), "{}", text(&output.stderr));
    let without = run(&fixture, &["scan", "tree"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("--list"), "{}", text(&without.stderr));
}

#[test]
fn a_list_with_bad_lines_is_refused_or_skipped() {
    let fixture = Fixture::new("bad-lines", 0);
    tree(&fixture);
    let good = hex(Algorithm::Sha256, &listed(1));
    let empty = hex(Algorithm::Md5, b"");
    let list = format!("# a list\n{good}  one\nnot a digest\n{}\n{empty}  nothing\n", &good[..63]);
    fs::write(fixture.list(), list).unwrap();
    let refused = run(&fixture, &["scan", "--list", "sample.txt", "tree"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = text(&refused.stderr);
    for place in ["sample.txt:3", "sample.txt:4", "sample.txt:5"] {
        assert!(told.contains(place), "{place} in {told}");
    }
    assert!(told.contains("empty content"), "{told}");
    assert!(!told.contains(&good[..24]), "no digest of a list is written: {told}");
    let skipped = run(&fixture, &["scan", "--list", "sample.txt", "--skip-bad-lines", "--json", "tree"]);
    assert_eq!(skipped.status.code(), Some(1), "{}", text(&skipped.stderr));
    assert_eq!(lines(&skipped).len(), 2);
    let told = text(&skipped.stderr);
    assert!(told.contains('3') && told.contains("sample.txt"), "the skipped lines are counted: {told}");
    let run_refused = run(&fixture, &["run", "--list", "sample.txt", "--set", "http.enabled=false"]);
    assert_eq!(run_refused.status.code(), Some(2));
}

#[test]
fn bench_measures_every_path() {
    let fixture = Fixture::new("bench", 10);
    let bench = |more: &[&str]| {
        let arguments = [&["bench", "--json", "--seconds", "1", "--sample-entries", "5000"], more].concat();
        let output = run(&fixture, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = lines(&output);
        assert_eq!(lines.len(), 1);
        lines[0]["bench"].clone()
    };
    let is_rate = |value: &Value| value.as_u64().is_some_and(|rate| rate > 0);
    let sample = bench(&[]);
    let paths = sample["one_core"]["paths"].as_array().unwrap();
    let names: Vec<&str> = paths.iter().map(|path| path["path"].as_str().unwrap()).collect();
    assert_eq!(names, hashward_digest::Path::available().map(|path| path.name()).collect::<Vec<_>>());
    for of_sizes in paths.iter().chain([&sample["all_cores"]]) {
        let rates = of_sizes["together"].as_array().unwrap();
        let sizes: Vec<&Value> = rates.iter().map(|rate| &rate["content_bytes"]).collect();
        assert_eq!(sizes, [&json!(4096), &json!(65_536), &json!(1_048_576)]);
        assert!(rates.iter().all(|rate| is_rate(&rate["bytes_per_second"])), "{of_sizes}");
    }
    assert!(paths.iter().all(|path| is_rate(&path["alone_bytes_per_second"])), "{sample}");
    let uploads = sample["one_core"]["uploads"].as_array().unwrap();
    assert!(uploads.iter().all(|upload| is_rate(&upload["uploads_per_second"])), "{sample}");
    assert!(is_rate(&sample["one_core"]["memory_bytes_per_second"]) && sample["bottleneck"].is_string());
    let named = bench(&["--list", "sample.txt"]);
    for (bench, lists) in [(&sample, "sample"), (&named, "named")] {
        let lookups = &bench["one_core"]["lookups"];
        assert_eq!(lookups["lists"], lists);
        assert!(is_rate(&lookups["misses_per_second"]) && is_rate(&lookups["hits_per_second"]), "{lookups}");
        assert!(is_rate(&lookups["entries"]), "{lookups}");
    }
    assert_eq!(run(&fixture, &["bench", "--list", "no-such-list.txt"]).status.code(), Some(2));
}

#[test]
fn explain_says_why() {
    let fixture = Fixture::new("explain", 10);
    tree(&fixture);
    let output = run(&fixture, &["explain", "--list", "sample.txt", "tree/a/one.bin"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in ["sample", "block", "sample.txt:3", "Directive 2011/93/EU art. 25", "sha256"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let by_digest =
        run(&fixture, &["explain", "--list", "sample.txt", "--json", &hex(Algorithm::Sha256, &listed(1))]);
    assert_eq!(by_digest.status.code(), Some(1));
    json(&by_digest.stdout);
    let unknown = run(&fixture, &["explain", "--list", "sample.txt", "tree/0.bin"]);
    assert_eq!(unknown.status.code(), Some(0), "{}", text(&unknown.stderr));
    let neither = run(&fixture, &["explain", "--list", "sample.txt", "no-such-file"]);
    assert_eq!(neither.status.code(), Some(2));
}

#[test]
fn validate_names_the_stage_and_the_key() {
    let fixture = Fixture::new("validate", 10);
    let check = |config: &str, stage: &str| {
        fs::write(fixture.path().join("c.toml"), config).unwrap();
        let output = run(&fixture, &["validate", "--config", "c.toml", "--stage", stage]);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let good = "[lists]\nfiles = [\"sample.txt\"]\n";
    for stage in ["syntax", "topology", "environment"] {
        let (code, told) = check(good, stage);
        assert_eq!(code, Some(0), "{stage}: {told}");
    }
    for (stage, config, parts) in [
        ("syntax", "[lists\nfiles = []\n", &["c.toml:1"][..]),
        ("syntax", "[lists]\nfile = []\n", &["c.toml:2", "lists.file", "lists.files"]),
        ("syntax", "[policy]\nstage = \"uplaod\"\n", &["policy.stage", "uplaod", "upload"]),
        ("topology", "[source]\nkind = \"kafka\"\n", &["kafka.topics"]),
        ("topology", "[source]\nkind = \"kafka\"\n[kafka]\ntopics = []\n", &["c.toml:4: kafka.topics: "]),
        ("topology", "[lists]\nfiles = [\"a\", \"a\"]\n", &["c.toml:2: lists.files: "]),
        ("topology", "[kafka.settings]\n\"group.id\" = \"x\"\n", &["group.id", "kafka.group_id"]),
        ("environment", "[lists]\nfiles = [\"none.txt\"]\n", &["c.toml:2: lists.files: ", "none.txt"]),
    ] {
        let (code, told) = check(config, stage);
        assert_eq!(code, Some(2), "{config}: {told}");
        for part in parts {
            assert!(told.contains(part), "{part:?} in {told}");
        }
    }
}

#[test]
fn layers_of_configuration() {
    let fixture = Fixture::new("layers", 10);
    fs::write(fixture.path().join("c.toml"), "[batch]\nrecords_max = 1\nwait_ms = 2\nbytes_max = 3\n")
        .unwrap();
    let mut command = crate::worker::hashward();
    command.current_dir(fixture.path()).args(["config", "show", "--json", "--config", "c.toml"]);
    command.env("HASHWARD__BATCH__WAIT_MS", "20").env("HASHWARD__BATCH__BYTES_MAX", "30");
    command.args(["--set", "batch.bytes_max=300"]);
    let output = command.output().unwrap();
    let batch = &json(&output.stdout)["batch"];
    assert_eq!(
        *batch,
        json!({"records_max": 1, "wait_ms": 20, "bytes_max": 300}),
        "{}",
        text(&output.stderr)
    );
    let typo = run(&fixture, &["config", "show", "--set", "batch.record_max=1"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(text(&typo.stderr).contains("batch.records_max"), "{}", text(&typo.stderr));
}

#[test]
fn completions_and_manual() {
    let fixture = Fixture::new("man", 0);
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&fixture, &["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("hashward"));
    }
    let page = run(&fixture, &["man"]);
    assert!(page.status.success() && text(&page.stdout).contains(".TH"), "{}", text(&page.stderr));
    assert_eq!(run(&fixture, &["scna"]).status.code(), Some(2));
    assert!(text(&run(&fixture, &["scna"]).stderr).contains("scan"));
    assert_eq!(run(&fixture, &["--version"]).status.code(), Some(0));
}

#[test]
fn demo_shows_the_main_job() {
    let fixture = Fixture::new("demo", 0);
    let output = run(&fixture, &["demo", "--files", "2000"]);
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for part in ["/metrics", "block", "hashward run"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(text(&output.stderr), "", "the log is quiet");
    assert!(told.contains("and 8 more\n"), "nobody is sent to a file that is removed: {told}");
    let arguments = ["demo", "--files", "100", "--json", "--log-level", "info", "--log-format", "json"];
    let told = run(&fixture, &arguments);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    assert!(lines(&told).iter().any(|line| line["summary"]["found"] == 1));
    let log = text(&told.stderr);
    assert!(log.lines().any(|line| json(line.as_bytes())["message"] == "worker starting"), "{log}");
}

/// A flag does something or is refused by name; none is ignored.
#[test]
fn flags_that_would_do_nothing_are_refused() {
    let fixture = Fixture::new("flags", 1);
    let configuration = [
        &["--config", "c.toml"][..],
        &["--set", "line.open_threads=2"],
        &["--list", "sample.txt"],
        &["--skip-bad-lines"],
    ];
    let log = [&["--log-level", "info"][..], &["--log-format", "json"]];
    let json = [&["--json"][..]];
    let refused = |command: &[&str], flags: &[&[&str]]| {
        for flag in flags {
            let output = run(&fixture, &[command, *flag].concat());
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{command:?} {flag:?}: {told}");
            assert!(told.contains(&format!("{}: `hashward {}` ", flag[0], command[0])), "{told}");
        }
    };
    refused(&["demo"], &configuration);
    refused(&["completions", "bash"], &[&configuration[..], &log, &json].concat());
    refused(&["man"], &[&configuration[..], &log, &json].concat());
    refused(&["list", "stats", "folder"], &[&configuration[..], &log].concat());
    for document in ["schema", "reference"] {
        for flag in [&configuration[..], &log, &json].concat() {
            let output = run(&fixture, &[&["config", document], flag].concat());
            assert_eq!(output.status.code(), Some(2), "{document} {flag:?}");
            assert!(text(&output.stderr).contains(&format!("{}: `hashward config {document}` ", flag[0])));
        }
    }
    let bad = run(&fixture, &["demo", "--log-level", "inof"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("--log-level: log.level: "), "{}", text(&bad.stderr));
}
