//! `list import`: what is taken, what is refused, and what is never written.

use serde_json::json;

use hashward_core::Algorithm;

use crate::fixture::{hex, listed};
use crate::list_fixture::{Lists, last, text_list, vics_list};
use crate::worker::text;

#[test]
fn a_dry_run_writes_nothing() {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..10));
    let before = lists.state("national");
    let taken = lists.json(&["import", "national", "hashes.txt", "--dry-run"]);
    let taken = last(&taken);
    let told = [&taken["new"], &taken["written"], &taken["changes"], &taken["dry_run"], &taken["state"]];
    assert_eq!(told, [&json!(10), &json!(false), &json!(true), &json!(true), &json!(0)]);
    let readable = lists.ok(&["import", "national", "hashes.txt", "--dry-run"]);
    assert!(readable.contains("dry run"), "{readable}");
    assert_eq!(lists.state("national"), before);
    assert_eq!(lists.digests("national").len(), 0);
}

#[test]
fn what_is_there_is_no_change() {
    let lists = Lists::new();
    lists.write("hashes.txt", text_list(0..10));
    lists.write("feed.json", vics_list(20..30));
    let import = ["import", "national", "hashes.txt", "feed.json"];
    lists.ok(&import);
    let before = lists.state("national");
    let taken = lists.json(&import);
    let taken = last(&taken);
    assert_eq!(
        (&taken["unchanged"], &taken["new"], &taken["written"]),
        (&json!(20), &json!(0), &json!(false))
    );
    assert_eq!(lists.state("national"), before, "no new state");
    assert!(lists.ok(&import).contains("nothing to change, still state 1"));
    let add = ["add", "national", "--digest", &hex(Algorithm::Md5, &listed(3)), "--json"];
    assert_eq!(crate::fixture::json(lists.ok(&add).as_bytes())["outcome"], "unchanged");
}

#[test]
fn a_feed_that_says_something_else_changes_its_entry() {
    let lists = Lists::new();
    lists.write("may.json", vics_list(1..4));
    lists.write("june.json", vics_list(1..4).replace(r#""Category":1"#, r#""Category":2"#));
    lists.ok(&["import", "national", "may.json", "--source", "vic"]);
    let taken = lists.json(&["import", "national", "june.json", "--source", "vic"]);
    assert_eq!((&last(&taken)["changed"], &last(&taken)["new"]), (&json!(3), &json!(0)));
    assert_eq!(last(&taken)["files"][0]["source"], "vic");
}

#[test]
fn a_malformed_file_changes_nothing() {
    let lists = Lists::new();
    lists.write("good.txt", text_list(0..10));
    let vics = vics_list(20..30);
    lists.write("broken.json", &vics[..vics.len() - 40]);
    lists.write("picture.bin", [0xff_u8, 0xd8, 0xff, 0xe0, 0, 0x10]);
    let before = lists.state("national");
    for (file, parts) in
        [("broken.json", &["broken.json", "ends here", "expected"][..]), ("picture.bin", &["picture.bin"])]
    {
        let told = lists.refused(&["import", "national", "good.txt", file]);
        for part in parts {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert_eq!(lists.state("national"), before, "{file}");
    }
    let missing = lists.refused(&["import", "national", "good.txt", "missing.txt"]);
    assert!(missing.contains("missing.txt"), "{missing}");
    assert_eq!(lists.state("national"), before);
}

#[test]
fn items_that_are_refused_are_told_with_their_place() {
    let lists = Lists::new();
    let empty = hex(Algorithm::Sha256, b"");
    let cut = &hex(Algorithm::Sha256, &listed(77))[..63];
    lists.write("hashes.txt", format!("{}no digest\n{empty}  nothing\n{cut}\n", text_list(0..2)));
    let output = lists.run(&["import", "national", "hashes.txt", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let taken = crate::fixture::json(&output.stdout);
    assert_eq!((&taken["new"], &taken["refused"]), (&json!(2), &json!(3)));
    let places: Vec<_> =
        taken["first_refusals"].as_array().unwrap().iter().map(|refused| &refused["place"]).collect();
    assert_eq!(places, ["line 5", "line 6", "line 7"]);
    let told = text(&output.stderr);
    for part in ["hashes.txt: line 5", "hashes.txt: line 6", "empty content", "expected"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains(&cut[..16]) && !told.contains(&empty[..16]), "no digest is told: {told}");
    let before = lists.state("national");
    lists.write("more.txt", format!("{}no digest\n", text_list(5..9)));
    let strict = lists.refused(&["import", "national", "more.txt", "--strict"]);
    assert!(strict.contains("more.txt: line 9") && strict.contains("nothing is written"), "{strict}");
    assert_eq!(lists.state("national"), before);
    lists.ok(&["import", "national", "more.txt"]);
}

#[test]
fn only_the_first_refusals_are_told() {
    let lists = Lists::new();
    lists.write("hashes.txt", format!("{}{}", text_list(0..1), "no digest\n".repeat(1000)));
    let output = lists.run(&["import", "national", "hashes.txt"]);
    let told = text(&output.stderr);
    assert_eq!(told.matches("refused: ").count(), 10, "{told}");
    assert!(told.contains("and 990 more refused"), "{told}");
}

#[test]
fn a_list_of_known_good_files_is_no_list_of_what_to_block() {
    let lists = Lists::new();
    let header = r#""SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode""#;
    let (sha1, md5) = (hex(Algorithm::Sha1, b"calc.exe"), hex(Algorithm::Md5, b"calc.exe"));
    let nsrl = format!("{header}\n\"{sha1}\",\"{md5}\",\"00000000\",\"calc.exe\",8,1,\"WIN\",\"\"\n");
    lists.write("NSRLFile.txt", nsrl);
    for format in ["auto", "nsrl-text"] {
        let told = lists.refused(&["import", "national", "NSRLFile.txt", "--format", format]);
        assert!(told.contains("NSRLFile.txt") && told.contains("guard rails"), "{told}");
    }
    assert_eq!(lists.state("national").0, 0);
}

#[test]
fn signals_that_are_not_matched_are_kept_and_told() {
    let lists = Lists::new();
    lists.write("pdq.txt", format!("{}\n", hex(Algorithm::Sha256, b"a fingerprint")));
    let told = lists.ok(&["import", "national", "pdq.txt", "--pdq"]);
    assert!(told.contains("kept and not matched yet: 1 of pdq"), "{told}");
    assert_eq!(lists.digests("national").len(), 0);
    assert_eq!(lists.json(&["stats", "national"])[0]["unmatched_signals"]["pdq"], 1);
}
