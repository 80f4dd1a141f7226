//! Signed releases from the publisher's desk to a provider's verdicts.

use std::fs;

use hashward_core::Algorithm;

use crate::fixture::{harmless, hex, json, listed};
use crate::list_fixture::text_list;
use crate::publisher::{PUBLISH, Provider, Publisher};
use crate::worker::{Worker, hashward, text, wait_for};

/// Whether a scan with the provider's subscriptions tells of this content.
fn is_matched(provider: &Provider<'_>, content: &[u8]) -> bool {
    let publisher = provider.publisher;
    fs::write(publisher.path("content"), content).unwrap();
    let settings = provider.settings();
    let mut arguments = vec!["scan", "content"];
    arguments.extend(settings.iter().map(String::as_str));
    let output = publisher.run(&arguments);
    match output.status.code() {
        Some(0) => false,
        Some(1) => true,
        _ => panic!("{}", text(&output.stderr)),
    }
}

#[test]
fn a_release_travels_from_the_desk_to_the_verdict() {
    let publisher = Publisher::new();
    publisher.add(0);
    publisher.publish(&[]);
    let provider = Provider::new(&publisher, "subscriptions", None);
    let pulled = provider.json(&["pull"]).remove(0);
    assert_eq!((&pulled["release"], &pulled["entries"]), (&1.into(), &1.into()));
    assert!(is_matched(&provider, &listed(0)));
    assert!(!is_matched(&provider, &listed(1)));
    assert!(!is_matched(&provider, &harmless(0)));

    publisher.add(1);
    publisher.publish(&[]);
    assert!(!is_matched(&provider, &listed(1)), "nothing was pulled yet");
    let pulled = provider.json(&["pull"]).remove(0);
    assert_eq!(pulled["release"], 2);
    assert_eq!(pulled["applied"][0]["delta"]["added"], 1);
    assert!(is_matched(&provider, &listed(1)));
    assert_eq!(provider.json(&["pull"]).remove(0)["applied"].as_array().unwrap().len(), 0);
    let status = provider.json(&["status"]).remove(0);
    assert_eq!((&status["release"], &status["stale"]), (&2.into(), &false.into()));
}

#[test]
fn two_people_sign_on_two_machines() {
    let publisher = Publisher::new();
    publisher.add(0);
    let draft = ["release", "publish", "repo", "national", "--draft", "next.draft", "--key", "anna.key"];
    let told = publisher.ok(&draft);
    assert!(told.contains("missing") && told.contains("ben") && told.contains("cleo"), "{told}");
    let finish = ["release", "sign", "next.draft", "--repository", "repo", "--online-key", "desk.key"];
    let refused = publisher.refused(&finish);
    assert!(refused.contains("missing: ben, cleo"), "{refused}");
    let provider = Provider::new(&publisher, "subscriptions", None);
    assert!(provider.json(&["pull"]).is_empty(), "what too few have signed is not published");
    publisher.ok(&["release", "sign", "next.draft", "--key", "cleo.key"]);
    publisher.ok(&finish);
    assert_eq!(provider.json(&["pull"]).remove(0)["release"], 1);
}

#[test]
fn a_dry_run_shows_and_a_guard_rail_refuses() {
    let publisher = Publisher::new();
    for n in 0..4 {
        publisher.add(n);
    }
    publisher.publish(&[]);
    publisher.lists.write("more.txt", text_list(4..12));
    publisher.lists.ok(&["import", "national", "more.txt"]);
    let dry = ["release", "publish", "repo", "national", "--dry-run"];
    let told = publisher.ok(&dry);
    assert!(told.contains("release 2, 12 entries: 8 added, 0 changed, 0 withdrawn"), "{told}");
    let strict = ["--set", "guard.free_entries=0", "--set", "guard.growth_percent_max=100"];
    for command in [&dry[..], &PUBLISH] {
        let refused = publisher.refused(&[command, &strict].concat());
        assert!(refused.contains("a guard rail refuses release 2"), "{refused}");
        assert!(refused.contains("guard.growth_percent_max"), "{refused}");
    }
    let provider = Provider::new(&publisher, "subscriptions", None);
    assert_eq!(provider.json(&["pull"]).remove(0)["release"], 1, "nothing was published");
}

#[test]
fn a_worker_follows_from_an_empty_disk() {
    let publisher = Publisher::new();
    let provider = Provider::new(&publisher, "subscriptions", None);
    let mut command = hashward();
    command.current_dir(publisher.path("")).args(["run", "--log-format", "json"]).args(provider.settings());
    for set in [
        "http.listen=127.0.0.1:0",
        "inbox.poll_ms=10",
        "inbox.settle_ms=0",
        "subscriptions.poll_ms=50",
        // What an operator decides is not held against the caps.
        "guard.free_entries=0",
        "guard.growth_percent_max=1000",
        "guard.removals_percent_max=10",
    ] {
        command.args(["--set", set]);
    }
    let mut worker = Worker::spawn(command);
    wait_for("waiting", || worker.log().contains("waiting for the first release").then_some(()));
    publisher.add(0);
    publisher.publish(&[]);
    worker.wait_ready();
    wait_for("release 1", || (worker.metric("hashward_list_release", "national") == 1.0).then_some(()));
    let inbox = publisher.path("hashward-data/inbox");
    let held = publisher.path("hashward-data/held");
    let judged = |name: &str, content: &[u8]| {
        fs::write(inbox.join(format!(".{name}")), content).unwrap();
        fs::rename(inbox.join(format!(".{name}")), inbox.join(name)).unwrap();
        let passed = publisher.path("hashward-data/passed");
        wait_for(name, || {
            (held.join(name).exists() || passed.join(name).exists()).then(|| held.join(name).exists())
        })
    };
    assert!(judged("first", &listed(0)));
    assert!(!judged("second-before", &listed(1)));
    publisher.add(1);
    publisher.publish(&[]);
    wait_for("the list of release 2", || {
        (worker.metric("hashward_list_entries", "national") == 2.0).then_some(())
    });
    assert!(judged("second", &listed(1)));

    // Back to release 1, and there it stays.
    provider.ok(&["rollback", "authority", "--of", "national", "--to", "1", "--reason", "a test"]);
    wait_for("the list of release 1", || {
        (worker.metric("hashward_list_entries", "national") == 1.0).then_some(())
    });
    assert!(!judged("second-again", &listed(1)));
    assert_eq!(worker.metric("hashward_list_release_held", "national"), 1.0);
    provider.ok(&["resume", "authority", "--of", "national"]);
    wait_for("followed again", || (worker.metric("hashward_list_release", "national") == 2.0).then_some(()));
    worker.terminate();
}

#[test]
fn what_is_stale_is_matched_on_and_told() {
    let publisher = Publisher::new();
    publisher.add(0);
    publisher.publish(&[]);
    let provider = Provider::new(&publisher, "subscriptions", None);
    provider.ok(&["pull"]);
    fs::rename(publisher.path("repo"), publisher.path("gone")).unwrap();
    let refused = provider.refused(&["pull"]);
    assert!(refused.contains("timestamp.json"), "{refused}");
    assert!(is_matched(&provider, &listed(0)), "the last good release goes on");
    assert_eq!(provider.release(), 1);
}

#[test]
fn what_publishers_and_providers_do_is_on_record() {
    let publisher = Publisher::new();
    let key = publisher.ok(&[
        "evidence",
        "init",
        "log",
        "--name",
        "example.org/evidence",
        "--key-file",
        "evidence.key",
    ]);
    let key = key.split_whitespace().find(|word| word.starts_with("example.org/evidence+")).unwrap();
    let log = ["--set", "evidence.directory=log", "--set", "evidence.key_file=evidence.key"];
    publisher.add(0);
    let draft = ["release", "publish", "repo", "national", "--draft", "next.draft", "--key", "anna.key"];
    publisher.ok(&[&draft, &log[..]].concat());
    let sign = ["release", "sign", "next.draft", "--key", "ben.key"];
    let finish = ["--repository", "repo", "--online-key", "desk.key"];
    publisher.ok(&[&sign, &finish[..], &log].concat());
    publisher.add(1);
    publisher.publish(&log);
    let provider = Provider::new(&publisher, "subscriptions", None);
    provider.ok(&[&["pull"], &log[..]].concat());
    publisher.add(2);
    publisher.publish(&[]);
    provider.ok(&[&["pull"], &log[..]].concat());
    let rollback = ["rollback", "authority", "--of", "national", "--to", "2", "--reason", "a wallpaper"];
    provider.ok(&[&rollback, &log[..]].concat());
    provider.ok(&[&["resume", "authority", "--of", "national"], &log[..]].concat());

    provider.ok(&[&["remove", "authority", "--reason", "enough"], &log[..]].concat());

    let shown = publisher.ok(&["evidence", "show", "log", "--from", "0", "--count", "100", "--json"]);
    let told: Vec<String> = shown
        .lines()
        .skip(1)
        .map(|line| {
            let record = &json(line.as_bytes())["entry"];
            let fields = ["kind", "list", "role", "number", "reason"].map(|field| &record[field]);
            let words = fields.into_iter().filter(|value| !value.is_null());
            let words: Vec<String> = words.map(|value| value.to_string().replace('"', "")).collect();
            words.join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "release-signed targets 2",
            "release-signed targets 2",
            "release-published targets 2",
            "release-published national 1",
            "release-signed targets 3",
            "release-signed targets 3",
            "release-published targets 3",
            "release-published national 2",
            "release-pulled national 1",
            "release-pulled national 2",
            "release-pulled national 3",
            "rolled-back national a wallpaper",
            "resumed national",
            "list-removed national enough",
        ]
    );
    publisher.ok(&["evidence", "verify", "log", "--key", key]);
}

/// A worker over the inbox that follows a provider's subscriptions.
fn following(provider: &Provider<'_>, more: &[&str]) -> Worker {
    let mut command = hashward();
    command.current_dir(provider.publisher.path("")).args(["run", "--log-format", "json"]);
    command.args(provider.settings()).args(more);
    for set in ["http.listen=127.0.0.1:0", "subscriptions.poll_ms=50", "lists.watch_ms=50"] {
        command.args(["--set", set]);
    }
    Worker::spawn(command)
}

#[test]
fn lists_whose_disk_is_away_stay_and_those_that_are_removed_go() {
    let publisher = Publisher::new();
    publisher.add(0);
    publisher.publish(&[]);
    publisher.lists.write("own.txt", text_list(50..52));
    let provider = Provider::new(&publisher, "subscriptions", None);
    provider.ok(&["pull"]);
    let mut worker = following(&provider, &["--list", "own.txt"]);
    worker.wait_ready();
    let entries = |worker: &mut Worker| worker.metric("hashward_list_entries", "list=\"national\"");
    assert_eq!(entries(&mut worker), 1.0);
    fs::rename(publisher.path("subscriptions"), publisher.path("away")).unwrap();
    // An empty folder is what a disk that is not mounted leaves.
    fs::create_dir(publisher.path("subscriptions")).unwrap();
    wait_for("the loss to be told", || worker.log().contains("is its disk there?").then_some(()));
    assert_eq!(entries(&mut worker), 1.0, "what was good goes on");
    fs::remove_dir(publisher.path("subscriptions")).unwrap();
    fs::rename(publisher.path("away"), publisher.path("subscriptions")).unwrap();
    publisher.add(1);
    publisher.publish(&[]);
    wait_for("the next release", || (entries(&mut worker) == 2.0).then_some(()));
    provider.ok(&["remove", "authority", "--reason", "a test"]);
    let says = |worker: &mut Worker, text: &str| worker.get("/metrics").1.contains(text);
    wait_for("the list to go", || {
        (!says(&mut worker, "hashward_list_entries{list=\"national\"}")).then_some(())
    });
    wait_for("nothing to be told of it", || (!says(&mut worker, "hashward_list_release{")).then_some(()));
    assert_eq!(worker.metric("hashward_list_entries", "list=\"own\""), 2.0);
    worker.terminate();
}

#[test]
fn a_worker_begins_when_of_every_subscription_all_is_there() {
    let [publisher, other] = [(); 2].map(|()| Publisher::new());
    publisher.add(0);
    publisher.publish(&[]);
    publisher.lists.write("own.txt", text_list(50..52));
    let provider = Provider::new(&publisher, "subscriptions", None);
    let repository = other.path("repo").display().to_string();
    let root = other.path("repo/metadata/1.root.json").display().to_string();
    provider.ok(&["add", "second", &repository, "--root", &root]);
    let mut worker = following(&provider, &["--list", "own.txt"]);
    wait_for("only the other one to be waited for", || {
        worker.log().contains("waiting for the first release of second").then_some(())
    });
    assert_eq!(worker.get("/readyz").0, 503);
    other.lists.init("international");
    let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(7)));
    other.lists.ok(&["add", "international", "--digest", &digest, "--why", "a test"]);
    let mut publish = PUBLISH;
    publish[3] = "international";
    other.ok(&publish);
    worker.wait_ready();
    assert_eq!(worker.metric("hashward_list_entries", ""), 4.0);
    worker.terminate();
}
