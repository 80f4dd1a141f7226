//! The whole life of a list.

use std::fs;

use hashward_core::Algorithm;
use serde_json::json;

use crate::fixture::{hex, listed};
use crate::list_fixture::{Lists, last, text_list, vics_list};
use crate::worker::text;

/// A list with two imports, an entry made by hand, one disputed and one withdrawn.
fn lived() -> Lists {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..10));
    lists.write("feed.json", vics_list(20..30));
    let taken = lists.json(&["import", "national", "hashes.txt", "feed.json"]);
    let taken = last(&taken);
    assert_eq!((&taken["new"], &taken["refused"], &taken["state"]), (&json!(20), &json!(0), &json!(1)));
    assert_eq!(taken["unmatched_signals"], json!({"photodna": 10}));
    let formats: Vec<_> = taken["files"].as_array().unwrap().iter().map(|file| &file["format"]).collect();
    assert_eq!(formats, ["text", "vics"]);
    let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(40)));
    let by_hand = ["--reference", "2026/17", "--category", "csam-a1", "--valid-until", "2030-01-01"];
    let added = lists.json(&[&["add", "national", "--digest", &digest][..], &by_hand].concat());
    assert_eq!((&last(&added)["outcome"], &last(&added)["state"]), (&json!("new"), &json!(2)));
    lists.ok(&["dispute", "national", "key:item-1", "--reason", "appeal 7/26"]);
    lists.ok(&["withdraw", "national", &hex(Algorithm::Sha256, &listed(2)), "--reason", "court order"]);
    lists
}

#[test]
fn a_list_lives() {
    let lists = lived();
    let diff = lists.json(&["diff", "national", "2", "4"]);
    let kinds: Vec<_> = diff.iter().filter_map(|change| change["kind"].as_str()).collect();
    assert_eq!(kinds, ["disputed", "withdrawn"]);
    assert_eq!(diff[1]["after"]["withdrawn"]["reason"], "court order");
    let summary = &last(&diff)["summary"];
    assert_eq!(*summary, json!({"from": 2, "to": 4, "info": [], "entries": {"disputed": 1, "withdrawn": 1}}));
    let readable = lists.ok(&["diff", "national"]);
    assert!(readable.contains("withdrawn") && readable.contains("court order"), "{readable}");

    let states = lists.json(&["states", "national"]);
    assert_eq!(states.len(), 5);
    assert!(states.iter().all(|state| state["who"] == "tester"));
    let why: Vec<_> = states.iter().map(|state| state["why"].as_str().unwrap()).collect();
    let expected =
        ["the list begins", "import of hashes.txt, feed.json", "added by hand", "appeal 7/26", "court order"];
    assert_eq!(why, expected);

    let stats = &lists.json(&["stats", "national"])[0];
    assert_eq!((&stats["in_force"], &stats["algorithms"]["md5"]), (&json!(20), &json!(19)));
    assert_eq!(stats["unmatched_signals"]["photodna"], 10);
    assert_eq!(stats["newest"]["totals"], json!({"entries": 21, "withdrawn": 1, "disputed": 1}));

    lists.ok(&["undispute", "national", "key:item-1", "--why", "appeal settled"]);
    let shown = lists.ok(&["show", "national", "key:item-1"]);
    assert!(shown.contains("in force") && shown.contains(&hex(Algorithm::Md5, &listed(1))), "{shown}");
    assert_eq!(lists.state("national").0, 5);
}

#[test]
fn a_list_is_asked_for_files_and_digests() {
    let lists = lived();
    lists.write("one.bin", listed(1));
    lists.write("stranger.bin", "nobody lists this");
    let found = lists.run(&["find", "national", "one.bin", "--json"]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let entry = crate::fixture::json(&found.stdout);
    assert_eq!((&entry["key"], &entry["disputed"]["reason"]), (&json!("item-1"), &json!("appeal 7/26")));
    let withdrawn = lists.run(&["find", "national", &hex(Algorithm::Md5, &listed(2))]);
    assert!(text(&withdrawn.stdout).contains("withdrawn"), "{}", text(&withdrawn.stdout));
    assert_eq!(lists.ok(&["find", "national", "stranger.bin"]), "");
    let sha1 = format!("sha1:{}", hex(Algorithm::Sha1, &listed(25)));
    assert_eq!(lists.run(&["find", "national", &sha1]).status.code(), Some(1));
}

#[test]
fn an_export_is_imported_again_and_is_the_same() {
    let lists = lived();
    let expected = lists.digests("national");
    assert_eq!(expected.len(), 9 * 2 + 10 * 2 + 1);
    for format in ["text", "hashdeep", "signal-lines", "vics", "stix"] {
        lists.init(format);
        lists.ok(&["export", "national", "--format", format, "--out", "export"]);
        let to_stdout = lists.ok(&["export", "national", "--format", format]);
        // Two exports of STIX differ by the moment and by made-up ids.
        if format != "stix" {
            assert_eq!(to_stdout.as_bytes(), fs::read(lists.path("export")).unwrap(), "{format}");
        }
        let taken = lists.json(&["import", format, "export"]);
        let taken = last(&taken);
        assert_eq!((&taken["files"][0]["format"], &taken["refused"]), (&json!(format), &json!(0)));
        assert_eq!(lists.digests(format), expected, "{format}");
        let unmatched = &lists.json(&["stats", format])[0]["unmatched_signals"]["photodna"];
        let carried = !matches!(format, "text" | "hashdeep");
        assert_eq!(unmatched.is_u64(), carried, "{format}: {unmatched}");
        lists.state(format);
    }
    let told = lists.run(&["export", "national", "--format", "text"]);
    let told = text(&told.stderr);
    for part in ["20 entries written as text", "1 entry disputed", "1 entry not valid for ever"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn an_export_tells_what_is_withdrawn_where_it_can() {
    let lists = lived();
    lists.ok(&["export", "national", "--format", "stix", "--withdrawn", "--out", "all.json"]);
    lists.init("copy");
    lists.write("before.txt", text_list(0..3));
    // Keys are those of one source: so both files are said to come from the same.
    lists.ok(&["import", "copy", "before.txt", "--source", "national"]);
    let taken = lists.json(&["import", "copy", "all.json", "--source", "national"]);
    assert_eq!(last(&taken)["withdrawn"], 1, "{}", last(&taken));
    let json = lists.json(&["export", "national", "--format", "text", "--withdrawn", "--out", "all.txt"]);
    assert_eq!((&last(&json)["entries"], &last(&json)["left_out"]), (&json!(20), &json!(1)));
}

#[test]
fn an_export_replaces_a_file_whole_or_not_at_all() {
    let lists = lived();
    lists.write("kept.txt", "what was there");
    assert!(lists.refused(&["export", "none", "--format", "text", "--out", "kept.txt"]).contains("none"));
    assert_eq!(fs::read(lists.path("kept.txt")).unwrap(), b"what was there");
    let told = lists.refused(&["export", "national", "--format", "text", "--out", "no/such/folder/x"]);
    assert!(told.contains("no/such/folder/x"), "{told}");
    lists.ok(&["export", "national", "--format", "text", "--out", "kept.txt"]);
    assert!(fs::read_to_string(lists.path("kept.txt")).unwrap().contains("item-3"));
}
