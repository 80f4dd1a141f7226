//! Lists that change while content flows: swapped in, refused, gone back to, and followed again.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;

use hashward_core::Algorithm;
use serde_json::Value;

use crate::fixture::{complaints, hex, json, listed};
use crate::list_fixture::{Lists, text_list};
use crate::worker::{PATIENCE, Worker, hashward, text, wait_for};

/// `hashward run` in a folder of lists, over the inbox.
pub fn start(lists: &Lists, more: &[&str]) -> Worker {
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["run", "--log-format", "json"]);
    for set in [
        "http.listen=127.0.0.1:0",
        "inbox.poll_ms=10",
        "inbox.settle_ms=0",
        "lists.watch_ms=30",
        "lists.fold_after_ms=86400000",
        "guard.free_entries=0",
        "guard.growth_percent_max=1000",
    ] {
        command.args(["--set", set]);
    }
    command.args(more);
    let mut worker = Worker::spawn(command);
    worker.wait_ready();
    worker
}

pub fn generation(worker: &mut Worker) -> f64 {
    worker.metric("hashward_snapshot_generation", "")
}

pub fn wait_for_generation(worker: &mut Worker, number: f64) {
    wait_for(&format!("generation {number}"), || (generation(worker) >= number).then_some(()));
    assert_eq!(generation(worker), number, "{}", worker.log());
}

pub fn wait_for_reload(worker: &mut Worker, result: &str, times: f64) {
    let label = format!("result=\"{result}\"");
    wait_for(&label, || (worker.metric("hashward_list_reloads_total", &label) >= times).then_some(()));
}

/// What becomes of one content: the action and the generation of its alert, or none.
pub fn judged(lists: &Lists, name: &str, bytes: &[u8]) -> Option<(String, u64)> {
    let data = lists.path("hashward-data");
    fs::write(data.join("inbox").join(format!(".{name}")), bytes).unwrap();
    fs::rename(data.join("inbox").join(format!(".{name}")), data.join("inbox").join(name)).unwrap();
    wait_for(name, || {
        let passed = data.join("passed").join(name).exists();
        let held = data.join("held").join(name).exists();
        (passed || held).then_some(())
    });
    let alerts = fs::read(data.join("alerts.ndjson")).unwrap_or_default();
    let alerts: Vec<Value> = alerts.split_inclusive(|byte| *byte == b'\n').map(json).collect();
    let alert = alerts.iter().find(|alert| alert["subject"] == name)?;
    let data = &alert["data"];
    Some((data["action"].as_str().unwrap().to_owned(), data["generation"].as_u64().unwrap()))
}

/// Replaces a file in one step.
fn replace(at: &Path, content: &str) {
    let beside = at.with_extension("new");
    fs::write(&beside, content).unwrap();
    fs::rename(beside, at).unwrap();
}

#[test]
fn a_text_list_that_changes_is_swapped_in_and_a_broken_one_is_not() {
    let lists = Lists::new();
    lists.write("known.txt", text_list(0..3));
    lists.write("known.toml", "action = 'block'\n");
    let mut worker = start(&lists, &["--list", "known.txt"]);
    assert_eq!(generation(&mut worker), 1.0);
    assert_eq!(judged(&lists, "before", &listed(5)), None);
    assert_eq!(judged(&lists, "first", &listed(1)), Some(("block".to_owned(), 1)));

    replace(&lists.path("known.txt"), &text_list(0..6));
    wait_for_generation(&mut worker, 2.0);
    assert_eq!(judged(&lists, "after", &listed(5)), Some(("block".to_owned(), 2)));
    assert_eq!(worker.metric("hashward_list_entries", "known"), 6.0);

    // What the list asks for may change, too.
    replace(&lists.path("known.toml"), "action = 'review'\n");
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(judged(&lists, "milder", &listed(5)), Some(("review".to_owned(), 3)));

    replace(&lists.path("known.txt"), "no digest at all\n");
    wait_for_reload(&mut worker, "failed", 1.0);
    assert_eq!(judged(&lists, "still", &listed(4)), Some(("review".to_owned(), 3)));
    assert_eq!(worker.get("/readyz").0, 200);
    let said = complaints(&worker.log()).join("\n");
    assert!(said.contains("known.txt:1") && said.contains("the last good generation stays"), "{said}");

    // Most of the list goes at once: a mistake, until an operator says otherwise.
    replace(&lists.path("known.txt"), &text_list(0..1));
    wait_for_reload(&mut worker, "refused", 1.0);
    assert_eq!(worker.metric("hashward_guard_refusals_total", "rail=\"removals\""), 1.0);
    assert_eq!(judged(&lists, "kept", &listed(3)), Some(("review".to_owned(), 3)));

    replace(&lists.path("known.txt"), &text_list(0..7));
    wait_for_generation(&mut worker, 4.0);
    assert_eq!(judged(&lists, "healed", &listed(6)), Some(("review".to_owned(), 4)));
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn a_change_of_a_list_folder_is_laid_over_the_index_and_folded_in() {
    let lists = Lists::new();
    lists.write("first.txt", text_list(0..50));
    lists.ok(&["import", "national", "first.txt"]);
    let mut worker = start(&lists, &["--list", "national"]);
    assert_eq!(judged(&lists, "before", &listed(60)), None);
    let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(60)));
    lists.ok(&["add", "national", "--digest", &digest]);
    wait_for_generation(&mut worker, 2.0);
    assert_eq!(worker.metric("hashward_snapshot_overlay_entries", ""), 1.0);
    assert_eq!(judged(&lists, "after", &listed(60)), Some(("block".to_owned(), 2)));
    lists.ok(&["dispute", "national", &digest, "--reason", "a complaint"]);
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(judged(&lists, "disputed", &listed(60)), Some(("review".to_owned(), 3)));
    lists.ok(&["withdraw", "national", "key:item-3", "--reason", "an error"]);
    wait_for_generation(&mut worker, 4.0);
    assert_eq!(judged(&lists, "withdrawn", &listed(3)), None);
    assert_eq!(judged(&lists, "others", &listed(4)), Some(("block".to_owned(), 4)));
    assert_eq!(worker.terminate().0.code(), Some(0));

    // Folded at once, it is the same list.
    let mut worker = start(&lists, &["--list", "national", "--set", "lists.fold_after_ms=0"]);
    let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(61)));
    lists.ok(&["add", "national", "--digest", &digest]);
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(worker.metric("hashward_snapshot_overlay_entries", ""), 0.0);
    assert_eq!(judged(&lists, "folded", &listed(61)), Some(("block".to_owned(), 3)));
    assert_eq!(judged(&lists, "folded-disputed", &listed(60)), Some(("review".to_owned(), 3)));
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn a_kept_generation_is_gone_back_to_and_survives_a_restart() {
    let lists = Lists::new();
    lists.write("known.txt", text_list(0..10));
    lists.write("known.toml", "action = 'block'\n");
    lists.ok(&["key", "seal.key"]);
    let kept =
        ["--list", "known.txt", "--set", "lists.key_file=seal.key", "--set", "lists.generations_dir=kept"];
    let generations = |arguments: &[&str]| {
        let mut command = hashward();
        command
            .current_dir(lists.path(""))
            .env("HASHWARD_WHO", "op")
            .arg("generations")
            .args(arguments)
            .args(kept);
        command.output().unwrap()
    };
    let mut worker = start(&lists, &kept);
    replace(&lists.path("known.txt"), &text_list(0..20));
    wait_for_generation(&mut worker, 2.0);
    assert_eq!(judged(&lists, "second", &listed(15)), Some(("block".to_owned(), 2)));
    let shown = text(&generations(&["show"]).stdout);
    assert!(
        shown.contains("     1  known (10 entries)") && shown.contains("     2  known (20 entries)"),
        "{shown}"
    );

    let missing = generations(&["rollback", "7", "--reason", "x"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("kept are 1, 2"), "{}", text(&missing.stderr));
    assert_eq!(generations(&["rollback", "1", "--reason", "wallpapers in it"]).status.code(), Some(0));
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(worker.metric("hashward_snapshot_held", ""), 1.0);
    assert_eq!(judged(&lists, "rolled-back", &listed(15)), None);
    assert_eq!(judged(&lists, "rolled-back-still", &listed(5)), Some(("block".to_owned(), 3)));
    assert!(worker.log().contains("wallpapers in it"));
    // Whoever pushes the list again does not undo it, and neither does a restart.
    replace(&lists.path("known.txt"), &text_list(0..25));
    assert_eq!(worker.terminate().0.code(), Some(0));
    let mut worker = start(&lists, &kept);
    assert_eq!(generation(&mut worker), 4.0, "a number is given once");
    assert_eq!(worker.metric("hashward_list_entries", "known"), 10.0);

    assert_eq!(generations(&["resume"]).status.code(), Some(0));
    wait_for_generation(&mut worker, 5.0);
    assert_eq!(judged(&lists, "resumed", &listed(22)), Some(("block".to_owned(), 5)));
    assert_eq!(worker.terminate().0.code(), Some(0));

    // Nothing changed meanwhile: it goes on where it was.
    let mut worker = start(&lists, &kept);
    assert_eq!(generation(&mut worker), 5.0);
    assert_eq!(worker.terminate().0.code(), Some(0));
    // A list that lost nearly everything is refused at the start as well.
    replace(&lists.path("known.txt"), &text_list(0..2));
    let mut worker = start(&lists, &kept);
    assert_eq!((generation(&mut worker), worker.metric("hashward_list_entries", "known")), (5.0, 25.0));
    assert_eq!(worker.metric("hashward_guard_refusals_total", "rail=\"removals\""), 1.0);
    assert_eq!(judged(&lists, "refused", &listed(20)), Some(("block".to_owned(), 5)));
    assert_eq!(worker.terminate().0.code(), Some(0));
    // The key never stands beside what it seals.
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["validate", "--stage", "topology"]).args(kept);
    let inside = command.args(["--set", "lists.key_file=kept/seal.key"]).output().unwrap();
    assert_eq!(inside.status.code(), Some(2));
    assert!(text(&inside.stdout).contains("lists.key_file"), "{}", text(&inside.stdout));
}

#[test]
fn what_a_folder_says_of_an_entry_counts() {
    let lists = Lists::new();
    let digest = |n: usize| format!("sha256:{}", hex(Algorithm::Sha256, &listed(n)));
    lists.ok(&["add", "national", "--digest", &digest(0)]);
    lists.ok(&["add", "national", "--digest", &digest(1), "--valid-until", "2020-01-01"]);
    lists.ok(&["add", "national", "--digest", &digest(2), "--valid-from", "2200-01-01"]);
    let worker = start(&lists, &["--list", "national", "--set", "guard.observe_new_ms=3600000"]);
    assert_eq!(judged(&lists, "new", &listed(0)), Some(("observe".to_owned(), 1)));
    assert_eq!(judged(&lists, "past", &listed(1)), None);
    assert_eq!(judged(&lists, "future", &listed(2)), None);
    assert_eq!(worker.terminate().0.code(), Some(0));
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["explain", "--json", "--list", "national", &digest(1)]);
    let explained = json(&command.output().unwrap().stdout);
    assert_eq!(
        (&explained["verdict"], explained["not_valid"].as_array().unwrap().len()),
        (&"allow".into(), 1)
    );
}

#[test]
fn a_scan_goes_on_by_the_lists_as_they_are_now() {
    let lists = Lists::new();
    // That a line is skipped is told when the list is loaded.
    lists.write("known.txt", format!("{}no digest\n", text_list(0..2)));
    fs::create_dir(lists.path("files")).unwrap();
    lists.write("files/a", listed(1));
    lists.write("files/b", listed(5));
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["scan", "--json", "--list", "known.txt", "-", "files"]);
    // One thread, which waits for standard input first.
    command.args(["--set", "line.digest_threads=1", "--set", "lists.watch_ms=20", "--skip-bad-lines"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut scan = command.spawn().unwrap();
    let stdin = scan.stdin.take().unwrap();
    let stderr = BufReader::new(scan.stderr.take().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let said = || told.recv_timeout(PATIENCE).expect("the scan says more");
    assert_eq!(said().split(": ").nth(1), Some("skipped"));
    replace(&lists.path("known.txt"), &text_list(0..6));
    assert_eq!(said(), "hashward: the lists changed: generation 2 from here on");
    drop(stdin);
    let output = scan.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found: Vec<Value> = text(&output.stdout).lines().map(|line| json(line.as_bytes())).collect();
    let paths: Vec<&str> = found.iter().filter_map(|found| found["path"].as_str()).collect();
    assert_eq!(paths, ["files/a", "files/b"]);
}

#[test]
fn an_operator_is_heard_whatever_the_lists_say() {
    let lists = Lists::new();
    lists.write("known.txt", text_list(0..10));
    lists.ok(&["key", "seal.key"]);
    let kept =
        ["--list", "known.txt", "--set", "lists.key_file=seal.key", "--set", "lists.generations_dir=kept"];
    let generations = |arguments: &[&str]| {
        let mut command = hashward();
        command.current_dir(lists.path("")).env("HASHWARD_WHO", "op").arg("generations").args(arguments);
        assert_eq!(command.args(kept).output().unwrap().status.code(), Some(0));
    };
    let mut worker = start(&lists, &kept);
    replace(&lists.path("known.txt"), &text_list(0..20));
    wait_for_generation(&mut worker, 2.0);
    replace(&lists.path("known.txt"), "no digest at all\n");
    wait_for_reload(&mut worker, "failed", 1.0);
    generations(&["rollback", "1", "--reason", "the list is broken"]);
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(worker.metric("hashward_list_entries", "known"), 10.0);
    // What the list says was read before; it is read again.
    replace(&lists.path("known.txt"), &text_list(0..20));
    generations(&["resume"]);
    wait_for_generation(&mut worker, 4.0);
    generations(&["rollback", "1", "--reason", "once more"]);
    wait_for_generation(&mut worker, 5.0);
    generations(&["resume"]);
    wait_for_generation(&mut worker, 6.0);
    assert_eq!(worker.metric("hashward_list_entries", "known"), 20.0);
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn what_is_kept_is_held_against_what_is_configured_now() {
    let lists = Lists::new();
    lists.write("first.txt", text_list(0..10));
    lists.ok(&["import", "national", "first.txt"]);
    lists.ok(&["key", "seal.key"]);
    let kept = ["--set", "lists.key_file=seal.key", "--set", "lists.generations_dir=kept"];
    let worker = start(&lists, &[&["--list", "national"], &kept[..]].concat());
    assert_eq!(judged(&lists, "first", &listed(1)), Some(("block".to_owned(), 1)));
    // One worker makes generations in a folder.
    let mut command = hashward();
    command.current_dir(lists.path("")).args([
        "run",
        "--list",
        "national",
        "--set",
        "http.listen=127.0.0.1:0",
    ]);
    let second = command.args(kept).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another worker"), "{}", text(&second.stderr));
    assert_eq!(worker.terminate().0.code(), Some(0));

    // The same list goes on as it was.
    let mut worker = start(&lists, &[&["--list", "national"], &kept[..]].concat());
    assert_eq!(generation(&mut worker), 1.0);
    assert_eq!(worker.terminate().0.code(), Some(0));

    // A list more, and an entry that turned out to be harmless.
    lists.init("second");
    lists.write("second.txt", text_list(20..22));
    lists.ok(&["import", "second", "second.txt"]);
    let never = format!("guard.never_match=[\"sha256:{}\"]", hex(Algorithm::Sha256, &listed(1)));
    let more = ["--list", "national", "--list", "second", "--set", &never];
    let mut worker = start(&lists, &[&more, &kept[..]].concat());
    assert_eq!(judged(&lists, "added", &listed(21)), Some(("block".to_owned(), 2)));
    assert_eq!(judged(&lists, "harmless", &listed(1)), None);
    assert_eq!(judged(&lists, "others", &listed(2)), Some(("block".to_owned(), 2)));
    assert_eq!(worker.metric("hashward_list_held_back_entries", "national"), 1.0);
    assert!(complaints(&worker.log()).iter().any(|line| line.contains("held back")), "{}", worker.log());
    // A generation from before that was known does not bring the entry back.
    let mut command = hashward();
    command.current_dir(lists.path("")).env("HASHWARD_WHO", "op").args([
        "generations",
        "rollback",
        "1",
        "--reason",
        "x",
    ]);
    assert_eq!(command.args(kept).output().unwrap().status.code(), Some(0));
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(judged(&lists, "still-harmless", &listed(1)), None);
    assert_eq!(judged(&lists, "gone", &listed(21)), None);
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["generations", "resume"]);
    assert_eq!(command.args(kept).output().unwrap().status.code(), Some(0));
    wait_for_generation(&mut worker, 4.0);
    assert_eq!(judged(&lists, "back", &listed(21)), Some(("block".to_owned(), 4)));
    assert_eq!(worker.terminate().0.code(), Some(0));
}
