//! What `hashward list` says to wrong arguments, and that no error shows a digest.

use hashward_core::Algorithm;

use crate::fixture::{hex, listed};
use crate::list_fixture::{Lists, text_list};
use crate::worker::text;

#[test]
fn wrong_arguments_are_told_with_what_would_be_right() {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..3));
    lists.ok(&["import", "national", "hashes.txt"]);
    let digest = hex(Algorithm::Md5, &listed(1));
    for (arguments, parts) in [
        (&["ad", "national"][..], &["'add'"][..]),
        (&["init", "x"], &["--id"]),
        (&["init", "x", "--id", "a b"], &["--id", "bad list id"]),
        (&["init", "x", "--id", "x", "--action", "blok"], &["--action", "'block'"]),
        (&["init", "x", "--id", "x", "--priority", "urgnt"], &["--priority", "'urgent'"]),
        (&["init", "x", "--id", "x", "--category", "csam"], &["--category", "csam-baseline"]),
        (&["init", "x", "--id", "x", "--territory", "Europe"], &["--territory", "Europe"]),
        (&["init", "x", "--id", "x", "--deadline-minutes", "0"], &["--deadline-minutes", "1"]),
        (&["init", "national", "--id", "national"], &["national", "is there already"]),
        (&["import", "national"], &["FILE"]),
        (&["import", "natoinal", "hashes.txt"], &["natoinal", "list init"]),
        (&["import", "national", "hashes.txt", "--format", "vic"], &["--format", "'vics'"]),
        (&["add", "national"], &["--digest"]),
        (&["add", "national", "--digest", "md5:00"], &["--digest", "32"]),
        (&["add", "national", "--digest", "sha265:00"], &["--digest", "sha256"]),
        (&["add", "national", "--digest", &digest, "--valid-from", "soon"], &["--valid-from", "2026-01-31"]),
        (&["add", "national", "--digest", &digest, "--source", "x"], &["--key"]),
        (&["withdraw", "national", &digest], &["--reason"]),
        (&["withdraw", "national", &digest, "--reason", ""], &["expected 1 to"]),
        (&["dispute", "national", &digest, "key:none", "--reason", "x"], &["SELECTOR 2", "this key"]),
        (&["show", "national", "e-0000000000000000"], &["this id"]),
        (&["find", "national", "none.bin"], &["none.bin", "no such file"]),
        (&["diff", "national", "0", "9"], &["no state 9", "0 to 1"]),
        (&["export", "national"], &["--format"]),
        (&["export", "national", "--format", "misp"], &["stix", "vics"]),
        (&["check", "hashes.txt"], &["hashes.txt", "list folder"]),
    ] {
        let told = lists.refused(arguments);
        for part in parts {
            assert!(told.contains(part), "{arguments:?}: {part:?} in {told}");
        }
        assert!(!told.contains(&digest[..16]), "{arguments:?}: no digest is told: {told}");
    }
    assert_eq!(lists.state("national").0, 1, "no wrong argument changed anything");
}

#[test]
fn a_half_of_a_step_is_none() {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..3));
    lists.ok(&["import", "national", "hashes.txt"]);
    let before = lists.state("national");
    lists.refused(&["withdraw", "national", "key:item-1", "key:none", "--reason", "x"]);
    assert_eq!(lists.state("national"), before);
    lists.ok(&["withdraw", "national", "key:item-1", "key:item-2", "--reason", "x"]);
    let states = lists.json(&["states", "national"]);
    assert_eq!((states.len(), &states[2]["counts"]["withdrawn"]), (3, &serde_json::json!(2)));
    assert!(lists.ok(&["withdraw", "national", "key:item-1", "--reason", "y"]).contains("nothing to change"));
}

#[test]
fn somebody_must_be_named() {
    let lists = Lists::new();
    let digest = hex(Algorithm::Md5, &listed(1));
    let add = ["add", "national", "--digest", &digest];
    let nobody = lists.command(&add).env_remove("HASHWARD_WHO").env_remove("USER").output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("--who"), "{}", text(&nobody.stderr));
    let who = |number: usize| lists.json(&["states", "national"])[number]["who"].as_str().unwrap().to_owned();
    let user = lists.command(&add).env_remove("HASHWARD_WHO").env("USER", "bob").output().unwrap();
    assert!(user.status.success());
    assert_eq!(who(1), "bob");
    lists.ok(&["withdraw", "national", &digest, "--reason", "x", "--who", "carol"]);
    assert_eq!(who(2), "carol");
}

#[test]
fn every_command_has_help() {
    let lists = Lists::new();
    let commands = [
        "init",
        "import",
        "add",
        "withdraw",
        "dispute",
        "undispute",
        "show",
        "find",
        "diff",
        "stats",
        "states",
        "export",
        "build",
        "check",
    ];
    for command in commands {
        let help = lists.ok(&[command, "--help"]);
        assert!(help.contains("LISTDIR"), "{command}: {help}");
    }
    assert!(lists.ok(&["--help"]).contains("Exit codes"));
}
