//! A list folder wherever a list is named.

use std::fs;

use hashward_core::Algorithm;

use crate::fixture::{hex, json, listed};
use crate::worker::{hashward_output, text};

/// Each listed file's verdict, as `scan --json` tells it, in the order of the names.
fn verdicts(directory: &std::path::Path) -> Vec<String> {
    let output = hashward_output(directory, &["scan", "--json", "--list", "known", "files"]);
    assert_ne!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let lines = told.lines().map(|line| json(line.as_bytes()));
    let mut found: Vec<String> = lines
        .filter_map(|line| Some(format!("{} {}", line["path"].as_str()?, line["verdict"].as_str()?)))
        .collect();
    found.sort();
    found
}

#[test]
fn a_list_folder_is_matched_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = hashward_output(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    };
    fs::create_dir(dir.path().join("files")).unwrap();
    run(&["list", "init", "known", "--id", "known", "--action", "block", "--who", "test"]);
    for n in 0..3 {
        fs::write(dir.path().join(format!("files/{n}")), listed(n)).unwrap();
        let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(n)));
        run(&["list", "add", "known", "--digest", &digest, "--key", &format!("key-{n}"), "--who", "test"]);
    }
    assert_eq!(verdicts(dir.path()), ["files/0 block", "files/1 block", "files/2 block"]);
    run(&["list", "dispute", "known", "key:key-1", "--reason", "looks harmless", "--who", "test"]);
    run(&["list", "withdraw", "known", "key:key-2", "--reason", "an error", "--who", "test"]);
    assert_eq!(verdicts(dir.path()), ["files/0 block", "files/1 review"]);
}
