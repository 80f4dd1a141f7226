//! `hashward scan` against `openssl dgst -sha256` and `hashdeep -c md5,sha1,sha256` over the same files, on one core, all
//! from the page cache. `cargo bench --bench scan`.
//!
//! Costs are CPU time, user and system, as the kernel counts it: the machine may be shared. All are measured as a whole, the
//! start of their processes included, and for `scan` opening the list, which is sealed once before. All take turns for some
//! rounds, and medians are compared.
//!
//! Arguments: how many entries the list has, then how many files the tree has. `hashdeep` is left out if there is none.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]

mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;
use tree::Tree;

const ENTRIES: usize = 10_000_000;
const FILES: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    // `cargo test --benches` passes no `--bench`.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let mut numbers = env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let entries = numbers.next().unwrap_or(ENTRIES);
    let files = numbers.next().unwrap_or(FILES);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tree = Tree::make(folder.path(), files);
    let list = folder.path().join("bench.txt");
    let listed = tree.write_list(&list, entries);
    let (sealed, key) = seal(folder.path(), &list);
    stay_on_one_core();

    let has_hashdeep = Command::new("hashdeep").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !has_hashdeep {
        println!("hashdeep is not installed: it is left out");
    }
    // The first round of all is for the page cache, and to see that the scan is right.
    openssl(&tree.names);
    let (mut scans, mut opensslen, mut hashdeeps) = (Vec::new(), Vec::new(), Vec::new());
    let mut starts = Vec::new();
    for round in 0..=ROUNDS {
        let (scan, whole) = scan(&sealed, &key, &tree, listed);
        if round > 0 {
            scans.push(whole);
            starts.push(whole - scan);
            opensslen.push(openssl(&tree.names));
            hashdeeps.extend(has_hashdeep.then(|| hashdeep(&tree.names)));
        }
    }
    let gigabytes = tree.bytes as f64 / 1e9;
    println!("{files} files, {gigabytes:.3} GB; {entries} entries; {listed} files listed\n");
    println!("| | CPU s | GB/s | scan / it |\n|---|---|---|---|");
    let scan = median(scans);
    for (name, seconds) in [
        ("hashward scan, three digests, looked up", scan),
        ("openssl dgst -sha256", median(opensslen)),
        ("hashdeep -c md5,sha1,sha256", median(hashdeeps)),
    ] {
        println!("| {name} | {seconds:.3} | {:.3} | {:.3} |", gigabytes / seconds, scan / seconds);
    }
    println!("\nof the scan, starting and opening the list: {:.3} CPU s", median(starts));
}

/// A sealed file of the list, and the file with its key.
fn seal(folder: &Path, list: &Path) -> (PathBuf, PathBuf) {
    let (sealed, key) = (folder.join("bench.index"), folder.join("seal.key"));
    let run = |command: &mut Command| {
        let status =
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program starts");
        assert!(status.success(), "{command:?} failed");
    };
    let hashward = || Command::new(env!("CARGO_BIN_EXE_hashward"));
    run(hashward().args(["list", "key"]).arg(&key));
    run(hashward()
        .args(["list", "build"])
        .arg(list)
        .arg("--sealed")
        .arg(&sealed)
        .arg("--key-file")
        .arg(&key));
    (sealed, key)
}

/// What the scan took, and what the whole process took.
fn scan(list: &Path, key: &Path, tree: &Tree, listed: usize) -> (f64, f64) {
    let before = of_children();
    let output = Command::new(env!("CARGO_BIN_EXE_hashward"))
        .args(["scan", "--json", "--list"])
        .args([list, &tree.root])
        .arg("--set")
        .arg(format!("lists.key_file={}", key.display()))
        .stderr(Stdio::null())
        .output()
        .expect("the program starts");
    let whole = of_children() - before;
    let told = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let summary: Value = serde_json::from_str(told.lines().last().unwrap_or_default()).expect("a summary");
    let summary = &summary["summary"];
    assert_eq!(summary["contents"], tree.files, "every file is looked at");
    assert_eq!(summary["bytes"], tree.bytes, "every byte is");
    assert_eq!(summary["matched"], listed, "exactly the listed files are found");
    (summary["cpu_seconds"].as_f64().expect("a number"), whole)
}

fn openssl(names: &Path) -> f64 {
    of_xargs(names, &["openssl", "dgst", "-sha256"])
}

fn hashdeep(names: &Path) -> f64 {
    of_xargs(names, &["hashdeep", "-c", "md5,sha1,sha256"])
}

/// The CPU time of a program over all files, in as few processes as the length of a command line allows.
fn of_xargs(names: &Path, program: &[&str]) -> f64 {
    let before = of_children();
    let names = fs::File::open(names).expect("it was written");
    let mut xargs = Command::new("xargs");
    xargs.args(["-0", "-s", "2000000"]).args(program).stdin(names).stdout(Stdio::null());
    let status = xargs.status().expect("xargs starts");
    assert!(status.success(), "{program:?} failed");
    of_children() - before
}

/// The CPU time of all processes that this one has started and seen end, in seconds, as `/proc` tells it.
fn of_children() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let after_name = stat.rsplit_once(')').expect("the name stands in brackets").1;
    // Fields 16 and 17, as proc(5) counts; field 3 comes right after the name.
    let fields = after_name.split_whitespace().skip(13).take(2);
    fields.map(|field| field.parse::<f64>().expect("a number")).sum::<f64>() / TICKS_PER_SECOND
}

/// This process and all that it starts run on the first core that they may use.
fn stay_on_one_core() {
    let allowed = sched_getaffinity(None).expect("this process exists");
    let first = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("it runs somewhere");
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).expect("a core that is allowed");
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}
