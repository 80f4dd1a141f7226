//! Kills and damage: a list is in the old state or the new one, and what was tampered with is told.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::Algorithm;

use crate::fixture::{Numbers, hex, listed};
use crate::list_fixture::{Lists, copy, last, text_list};
use crate::worker::text;

/// How often an import is killed.
const KILLS: u32 = 20;
/// How many items the killed import has. Of them, half are in the list already, with another digest.
const ITEMS: usize = 6000;

#[test]
fn a_killed_import_leaves_the_old_state_or_the_new_one() {
    let lists = Lists::new();
    let line = |n: usize, content: &str| {
        format!("{}  item-{n}\n", hex(Algorithm::Sha256, format!("{content} {n}").as_bytes()))
    };
    lists.write("old.txt", (0..ITEMS / 2).map(|n| line(n, "old")).collect::<String>());
    lists.write("new.txt", (0..ITEMS).map(|n| line(n, "new")).collect::<String>());
    lists.ok(&["import", "national", "old.txt", "--source", "feed"]);
    let import = |list: &str| lists.command(&["import", list, "new.txt", "--source", "feed"]);

    copy(&lists.path("national"), &lists.path("whole"));
    let began = Instant::now();
    assert!(import("whole").stdout(Stdio::null()).status().unwrap().success());
    let whole_us = u64::try_from(began.elapsed().as_micros()).unwrap();
    let old = lists.digests("national");
    let new = lists.digests("whole");
    assert_eq!((old.len(), new.len(), old.intersection(&new).count()), (ITEMS / 2, ITEMS, 0));

    let mut numbers = Numbers(0x5eed);
    let mut seen = [0; 2];
    for kill in 0..KILLS {
        let list = format!("killed-{kill}");
        copy(&lists.path("national"), &lists.path(&list));
        let mut child = import(&list).stdout(Stdio::null()).spawn().unwrap();
        // The last part of an import is its most delicate: every other kill falls into the last fifth, or just after.
        let moment_us = if kill % 2 == 0 {
            numbers.below(whole_us)
        } else {
            whole_us * 4 / 5 + numbers.below(whole_us / 3)
        };
        thread::sleep(Duration::from_micros(moment_us));
        // It may have ended just before.
        let _ = child.kill();
        child.wait().unwrap();
        let (state, _) = lists.state(&list);
        let found = lists.digests(&list);
        match state {
            1 => assert!(found == old, "state 1 has the old digests"),
            2 => assert!(found == new, "state 2 has the new digests"),
            other => panic!("after a kill there is state {other}"),
        }
        seen[usize::try_from(state - 1).unwrap()] += 1;
        // The next import goes on from there.
        assert!(import(&list).stdout(Stdio::null()).status().unwrap().success());
        assert_eq!(lists.state(&list).0, 2);
        fs::remove_dir_all(lists.path(&list)).unwrap();
    }
    assert!(seen[0] > 0, "some kills came before the end: {seen:?}");
}

#[test]
fn tampering_is_told() {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..50));
    lists.ok(&["import", "national", "hashes.txt"]);
    lists.ok(&["withdraw", "national", "key:item-3", "--reason", "a court says so"]);
    let file = lists.path("national").join("entries.sqlite");
    let sound = fs::read(&file).unwrap();
    let (whole, states) = (lists.ok(&["diff", "national", "0"]), lists.ok(&["states", "national"]));
    let secret = hex(Algorithm::Sha256, &listed(7));
    let digest: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&secret[2 * at..2 * at + 2], 16).unwrap()).collect();
    for (what, bytes) in [
        ("a digest", &digest[..]),
        ("who it was", b"tester"),
        ("a reason", b"a court says so"),
        ("the file", b"SQLite"),
    ] {
        let places: Vec<usize> =
            sound.windows(bytes.len()).enumerate().filter(|(_, w)| *w == bytes).map(|(at, _)| at).collect();
        let mut told_of = 0;
        for at in places {
            let mut changed = sound.clone();
            changed[at + 1] ^= 1;
            fs::write(&file, changed).unwrap();
            let output = lists.run(&["check", "national"]);
            let told = text(&output.stdout) + &text(&output.stderr);
            assert!(!told.contains(&secret[8..24]), "no digest is told: {told}");
            if output.status.code() == Some(2) {
                assert!(told.contains("national"), "{told}");
                told_of += 1;
            } else {
                // SQLite leaves copies behind where it has moved things: they are no part of the list any more.
                assert_eq!(lists.ok(&["diff", "national", "0"]), whole, "{what} at {at}");
                assert_eq!(lists.ok(&["states", "national"]), states, "{what} at {at}");
            }
        }
        assert!(told_of > 0, "{what} is told");
    }
    fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    assert!(lists.refused(&["check", "national", "--json"]).contains("damaged"));
    fs::write(&file, &sound).unwrap();
    assert_eq!(lists.state("national").0, 2);
}

#[test]
fn a_manifest_that_people_edit_is_no_damage() {
    let lists = Lists::new();
    let file = lists.path("national").join("list.toml");
    let edited = fs::read_to_string(&file).unwrap().replace("\"block\"", "\"observe\"");
    fs::write(&file, edited).unwrap();
    let told = lists.ok(&["check", "national"]);
    assert!(told.contains("list.toml was edited"), "{told}");
    let digest = hex(Algorithm::Md5, &listed(1));
    lists.ok(&["add", "national", "--digest", &digest]);
    let diff = lists.json(&["diff", "national"]);
    assert_eq!(last(&diff)["summary"]["info"][0]["field"], "action");
    fs::write(&file, "id = \"another\"\n").unwrap();
    let told = lists.refused(&["stats", "national"]);
    assert!(told.contains("list.toml") && told.contains("national"), "{told}");
}
