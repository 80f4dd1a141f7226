//! What can be wrong with one format and not with others.

use hashward_core::{Algorithm, Digest};

use super::{MD5, MD5_B, SHA256, nsrl_database, read};
use crate::format::{Format, ITEM_BYTES_MAX};

#[test]
fn digests_of_empty_content_are_told_in_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let hex = Digest::of_empty_content(*algorithm).to_hex();
        let told = read(format!("{algorithm} {hex}\n"), Format::SignalLines);
        assert!(
            told.lines[0].contains(&format!("the {algorithm} digest of empty content")),
            "{}",
            told.lines[0]
        );
    }
}

#[test]
fn repeated_fields_and_two_digests_of_one_item_are_told() {
    let twice = format!(r#"{{"value": [{{"Category": 1, "MD5": "{MD5}", "MD5": "{MD5_B}"}}]}}"#);
    let told = read(twice, Format::Vics).lines;
    assert!(told[0].starts_with("! item 1: not to be read from byte "), "{told:?}");
    let stix = format!(
        r#"{{"objects": [{{"type": "indicator", "pattern": "[file:hashes.MD5 = '{MD5}' AND file:hashes.MD5 = '{MD5_B}']"}}]}}"#
    );
    let told = read(stix, Format::Stix).lines;
    assert_eq!(
        told,
        ["! item 1, pattern: two different digests of md5: expected at most one digest of md5 for one item"]
    );
}

#[test]
fn entities_and_document_types_are_refused() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
        <queryResult><images><image><id>&lol2;</id></image></images></queryResult>"#;
    let outside =
        r#"<!DOCTYPE foo [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><queryResult>&xxe;</queryResult>"#;
    for file in [laughs, outside] {
        let error = read(file, Format::Ncmec).error.unwrap();
        assert!(error.ends_with("a document type: expected plain elements and text"), "{error}");
    }
    for (text, told) in
        [("&lol;", "an entity of the file's own"), ("&#xFFFFFFFF;", "a character that there is not")]
    {
        let file = format!("<queryResult><images><image><id>{text}</id></image></images></queryResult>");
        let error = read(file, Format::Ncmec).error.unwrap();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn broken_markup() {
    for (file, told) in [
        ("<html></html>", "expected `queryResult` as the outermost element"),
        ("<queryResult></images>", "expected well-formed XML"),
        ("<queryResult><images count=\"1\"></queryResult>", "expected well-formed XML"),
        ("", "the file ends here"),
        ("<queryResult", "the file ends here"),
    ] {
        let error = read(file, Format::Ncmec).error.unwrap();
        assert!(error.contains(told), "{file}: {error}");
    }
    let empty = "<no/>".repeat(ITEM_BYTES_MAX);
    let many =
        format!("<queryResult><images><image><feedback>{empty}</feedback></image></images></queryResult>");
    let told = read(many, Format::Ncmec);
    assert!(told.error.is_none() && told.lines[0].contains("longer than 1048576 bytes"), "{:?}", told.lines);
}

#[test]
fn broken_json() {
    for (file, told) in [
        ("", "the file ends here"),
        ("1", "expected an object"),
        (r#"{"other": []}"#, "expected an object with the array `value`"),
        (r#"{"value": {}}"#, "expected an array"),
        (r#"{"value": [}"#, "expected a value"),
        (r#"{"value": [1 2]}"#, "expected ',' or ']' after an element"),
        (r#"{"value": [] x}"#, "expected ',' or '}' after a field"),
        (r#"{"value" []}"#, "expected ':' after a field's name"),
        (r"{value: []}", "expected a field's name in quotes"),
        (r#"{"\ud800": 1, "value": []}"#, "expected a field's name in quotes"),
        (r#"{"value": []}}"#, "expected an object"),
    ] {
        let error = read(file, Format::Vics).error.unwrap();
        assert!(error.starts_with("(memory): after ") && error.contains(told), "{file}: {error}");
    }
    for (item, told) in [
        ("1", "not to be read from byte"),
        ("null", "not to be read from byte"),
        (r#"{"MD5": }"#, "not to be read from byte"),
        (r#"{"MD5": 1, "Category": 1}"#, "MD5: this is not text"),
        (r#"{"MD5": ["x"], "Category": 1}"#, "MD5: this is not text"),
        (r#"{"MediaSize": -1, "Category": 1}"#, "MediaSize: this is not a whole number"),
        (r#"{"MediaSize": 1e400, "Category": 1}"#, "not to be read from byte"),
        (
            r#"{"MediaSize": 99999999999999999999999999, "Category": 1}"#,
            "MediaSize: this is not a whole number",
        ),
        (r#"{"MediaSize": "many", "Category": 1}"#, "MediaSize: this is not a whole number"),
        (
            r#"{"MD5": "00112233445566778899aabbccddeeff", "Category": 1, "IsDistributed": "?"}"#,
            "IsDistributed: this is not true or false",
        ),
        (
            r#"{"AlternativeHashes": [{"HashValue": "x"}], "Category": 1}"#,
            "AlternativeHashes: the word names no kind of signal",
        ),
        (r#"{"Category": 1}"#, "there is no signal"),
        (
            r#"{"Media": [], "Category": 1}"#,
            "Media: something else stands here: expected a medium; a file of cases",
        ),
    ] {
        let told_all = read(format!(r#"{{"value": [{item}]}}"#), Format::Vics);
        assert_eq!(told_all.error, None, "{item}");
        assert!(
            told_all.lines[0].starts_with("! item 1") && told_all.lines[0].contains(told),
            "{:?}",
            told_all.lines
        );
    }
    let huge =
        format!(r#"{{"value": [{{"MediaSize": {}, "MD5": "{MD5}", "Category": 1}}]}}"#, "9".repeat(100_000));
    assert!(read(huge, Format::Vics).lines[0].starts_with("! item 1"));
}

#[test]
fn broken_tables() {
    for (format, file, told) in [
        (Format::Hashdeep, format!("1,{MD5},x"), "line 1, header: it is missing"),
        (Format::Hashdeep, "%%%% size,?".into(), "line 1, header: the word names no kind of signal"),
        (
            Format::Hashdeep,
            "%%%% size,md5,filename\n1".into(),
            "line 2: 1 columns: expected 3, as in the file's header",
        ),
        (Format::Hashdeep, format!("%%%% size,md5\n-1,{MD5}"), "line 2, size: this is not a whole number"),
        (Format::NsrlText, "\"a\",\"b\"".into(), "line 1, header: it is missing"),
        (Format::NsrlText, "\"MD5\",\"x\"\n\"1".into(), "line 2: a quoted field has no end"),
        (Format::NsrlText, "\"MD5\",\"x\"\n1,2,3".into(), "line 2: 3 columns: expected 2"),
        (Format::Icse, "a;b".into(), "line 1, header: it is missing"),
        (Format::Icse, format!("MD5;Baseline\n{MD5};perhaps"), "line 2, Baseline: this is not true or false"),
        (Format::ClamAv, MD5.into(), "line 1, size: it is missing"),
        (Format::ClamAv, format!("{MD5}:x:y"), "line 1, size: this is not a whole number or `*`"),
        (Format::ClamAv, format!("{MD5}:1:"), "line 1, name: it is missing"),
        (Format::SignalLines, "md5".into(), "line 1, value: it is missing"),
        (Format::SignalLines, format!("m\u{e4}5 {MD5}"), "line 1, value: the word names no kind of signal"),
        (Format::SignalLines, format!("hash {MD5}"), "line 1, value: the word names no kind of signal"),
        (
            Format::SignalLines,
            format!("hash {SHA256}"),
            "line 1, value: 64 hexadecimal digits that may be SHA-256 and may be PDQ: expected the kind said",
        ),
    ] {
        let lines = read(&file, format).lines;
        assert!(lines[0].starts_with(&format!("! {told}")), "{file}: {lines:?}");
    }
}

#[test]
fn an_item_has_a_bounded_number_of_signals() {
    let hashes: Vec<String> =
        (0..10_000).map(|number| format!(r#"{{"HashName": "pdq", "HashValue": "{number}"}}"#)).collect();
    let file = format!(r#"{{"value": [{{"Category": 1, "AlternativeHashes": [{}]}}]}}"#, hashes.join(","));
    assert!(read(file, Format::Vics).lines[0].contains("too many signals: expected at most 64 signals"));
}

#[test]
fn databases_that_are_none_or_do_harm() {
    let good = nsrl_database(&[[SHA256, "", MD5, "1"], ["x", "", "", "1"], ["", "", MD5_B, "-1"]]);
    let told = read(&good, None);
    assert_eq!(told.error, None);
    assert!(
        told.lines[1].starts_with("! row 2, sha256: 1 hexadecimal digits are no digest"),
        "{:?}",
        told.lines
    );
    assert!(told.lines[2].starts_with("! row 3, file_size: this is not a whole number"), "{:?}", told.lines);
    // Cut off, and with every page damaged in turn: an error or fewer rows, never a crash.
    for end in (16..good.len()).step_by(512) {
        let told = read(&good[..end], Format::NsrlSqlite);
        assert!(told.error.is_some() || told.lines.len() <= 3, "{end}");
    }
    for sql in [
        "CREATE TABLE OTHER (x)",
        "CREATE TABLE FILE (x, sha256 AS (x LIKE '%_%_%_%_%_%_%_%_%_%_%_%_%_%a'), sha1, md5, file_size)",
        "CREATE VIEW FILE AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS sha256 FROM c",
    ] {
        let mut database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(sql).unwrap();
        let bytes = database.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
        let error = read(bytes, Format::NsrlSqlite).error.unwrap();
        assert_eq!(
            error,
            "(memory): after 0 bytes, FILE: something else stands here: expected a table with columns that hold values, \
             and compute none"
        );
    }
    let error = read("SQLite format 3\0 and nothing else", None).error.unwrap();
    assert!(error.ends_with("expected SQLite with a table FILE"), "{error}");
}

/// Whatever its name is; and nothing beside it is taken for a part of it, or written.
#[test]
fn a_database_is_opened_as_it_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b?%#\u{e4}.db");
    std::fs::write(&path, nsrl_database(&[[SHA256, "", MD5, "1"]])).unwrap();
    let journal = folder.path().join("a b?%#\u{e4}.db-journal");
    std::fs::write(&journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and so on").unwrap();
    let mut good = 0;
    let result = crate::format::read(&path, None, &crate::format::ReadOptions::default(), &mut |item| {
        good += usize::from(item.said.is_ok());
        std::ops::ControlFlow::Continue(())
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(good, 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let folder_error = crate::format::open(folder.path(), None).map(|source| source.format()).unwrap_err();
    assert!(folder_error.to_string().ends_with("is no regular file: expected a hash list"), "{folder_error}");
}
