//! Which lines are one entry, and what it is called.

use std::collections::HashSet;
use std::path::Path;

use hashward_core::EntryId;

use super::{MD5_A, MD5_B, SHA1_A, SHA256_A, SHA256_B, entries, list_id, parse};
use crate::text::parse_text_limited;
use crate::{ListError, parse_text_bytes};

fn ids(text: &str) -> Vec<EntryId> {
    parse(text).entries.iter().map(|entry| entry.id).collect()
}

#[test]
fn lines_of_one_name_are_one_entry() {
    let text = format!("{MD5_A}  a\n{MD5_B}  b\nSHA256 (a) = {SHA256_A}\n{SHA1_A} *a\n{SHA256_B}  b\n");
    assert_eq!(
        entries(text),
        [
            format!("1: md5={MD5_A} sha1={SHA1_A} sha256={SHA256_A}"),
            format!("2: md5={MD5_B} sha256={SHA256_B}")
        ]
    );
}

#[test]
fn a_name_with_two_digests_of_one_algorithm_stands_for_several_items() {
    // Nothing says which of them has the SHA-256, so it stands alone and contradicts neither.
    let text = format!("{MD5_A}  a\n{MD5_B}  a\n{SHA256_A}  a\n");
    let expected = [format!("1: md5={MD5_A}"), format!("2: md5={MD5_B}"), format!("3: sha256={SHA256_A}")];
    assert_eq!(entries(text), expected);
}

#[test]
fn a_repeated_line_changes_nothing() {
    let once = format!("{MD5_A}  a\n{MD5_B}  a\n{SHA1_A}  a\n{MD5_A}\n{SHA256_A}  b\n{SHA1_A}  b\n");
    let expected = entries(&once);
    assert_eq!(expected.len(), 5);
    assert_eq!(entries(format!("{once}{once}")), expected);
    assert_eq!(
        entries(format!("{once}{}{once}", once.to_uppercase().replace(" A", " a").replace(" B", " b"))),
        expected
    );
}

#[test]
fn a_name_of_many_digests_takes_no_longer_for_each() {
    let lines: Vec<String> = (0..20_000).map(|n: u32| format!("{n:032x}  same\n")).collect();
    let text = lines.concat();
    assert_eq!(entries(format!("{text}{text}")).len(), 20_000);
}

#[test]
fn without_a_name_each_digest_is_an_entry() {
    for nameless in ["", "  ", "  -", " *-"] {
        let text = format!("{MD5_A}{nameless}\n{SHA256_A}{nameless}\n{MD5_A}{nameless}\n");
        assert_eq!(entries(text), [format!("1: md5={MD5_A}"), format!("2: sha256={SHA256_A}")]);
    }
    let text = format!("MD5(stdin)= {MD5_A}\nSHA256 (-) = {SHA256_A}\nSHA1 () = {SHA1_A}\n");
    assert_eq!(entries(text).len(), 3);
}

#[test]
fn escaped_names_are_the_names_they_stand_for() {
    let text = format!("\\{MD5_A}  a\\\\b\nSHA256 (a\\b) = {SHA256_A}\n\\SHA1 (a\\\\b) = {SHA1_A}\n");
    assert_eq!(entries(text).len(), 1);
}

#[test]
fn ids_stay_when_lines_move_and_nothing_else_does() {
    let lines = [
        format!("{MD5_A}  a"),
        format!("{SHA256_A}  b"),
        SHA1_A.to_owned(),
        SHA256_B.to_owned(),
        format!("BLAKE3 () = {SHA256_B}"),
    ];
    let forth = ids(&lines.join("\n"));
    let moved: Vec<&str> = lines.iter().rev().flat_map(|line| ["# moved", line]).collect();
    let mut back = ids(&moved.join("\n"));
    back.reverse();
    assert_eq!(forth, back);
    assert_eq!(forth.iter().collect::<HashSet<_>>().len(), lines.len(), "each has its own");

    // A named entry stays itself when its digests change; an entry without a name is its digest.
    assert_eq!(ids(&format!("{MD5_B}  a")), forth[..1]);
    assert_ne!(ids(MD5_A), ids(MD5_B));
    // Entries of one name differ, and so do entries of two lists.
    assert_ne!(ids(&format!("{MD5_A}  a\n{MD5_B}  a"))[1], forth[0]);
    let other = parse_text_bytes(lines[0].as_bytes(), &"other-list".parse().unwrap()).unwrap();
    assert_ne!(other.entries[0].id, forth[0]);
}

/// Alerts are told apart by these: a change of how they are made must be meant.
#[test]
fn ids_are_made_as_ever() {
    let text = format!("{MD5_A}  a\n{MD5_B}  a\n{MD5_A}\n");
    let told: Vec<String> = ids(&text).iter().map(EntryId::to_string).collect();
    assert_eq!(told, ["e-98fe0b1adfe2bc0b", "e-94114942bfb5d20b", "e-61e2b530b66a7985"]);
}

#[test]
fn more_entries_than_numbers_are_an_error() {
    let text = format!("{MD5_A}\n{MD5_B}\n{MD5_A}\n");
    let parse = |max| parse_text_limited(text.as_bytes(), Path::new("a.txt"), &list_id(), max);
    assert_eq!(parse(2).unwrap().entries.len(), 2);
    let error = parse(1).unwrap_err();
    assert!(matches!(error, ListError::TooManyEntries { entries_max: 1, .. }));
    assert_eq!(error.to_string(), "a.txt: more than 1 entries: split the list");
}
