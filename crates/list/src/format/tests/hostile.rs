//! Files that are wrong by mistake or on purpose: each is told clearly, takes bounded memory, and hides nothing of the
//! rest of the file that could be read.

use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;

use hashward_core::{Algorithm, Digest};

use super::{EMPTY_MD5, MD5, MD5_B, SHA256, nsrl_database, read};
use crate::format::out::{Out, Progress};
use crate::format::read::read as read_stream;
use crate::format::{DEPTH_MAX, Format, ITEM_BYTES_MAX, ReadOptions};

/// What comes before an item, the item around a digest (`@`), what comes between items and after them.
struct Frame {
    format: Format,
    before: &'static str,
    item: &'static str,
    between: &'static str,
    after: &'static str,
}

const fn frame(
    format: Format,
    before: &'static str,
    item: &'static str,
    between: &'static str,
    after: &'static str,
) -> Frame {
    Frame { format, before, item, between, after }
}

/// One for each format that is a stream of bytes.
const FRAMES: [Frame; 13] = [
    frame(Format::Text, "", "MD5 (@) = @", "\n", "\n"),
    frame(Format::Hashdeep, "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n", "1,@,x", "\n", "\n"),
    frame(Format::SignalLines, "", "md5 @", "\n", "\n"),
    frame(Format::ClamAv, "", "@:1:Name", "\n", "\n"),
    frame(Format::NsrlText, "\"SHA-1\",\"MD5\",\"FileName\"\n", "\"\",\"@\",\"x\"", "\n", "\n"),
    frame(Format::Icse, "MD5;SHA1;Image ID;Baseline\n", "@;;1;True", "\n", "\n"),
    frame(
        Format::Vics,
        r#"{"@odata.context": "x#Media", "value": ["#,
        r#"{"MediaID": 1, "Category": 1, "MD5": "@"}"#,
        ",",
        "]}",
    ),
    frame(
        Format::Ncmec,
        "<queryResult><images>",
        r#"<image><member id="1"/><id>@</id><fingerprints><md5>@</md5></fingerprints></image>"#,
        " ",
        "</images></queryResult>",
    ),
    frame(
        Format::StopNcii,
        r#"{"hashRecords": ["#,
        r#"{"signalType": "VideoMD5", "hashValue": "@"}"#,
        ",",
        "]}",
    ),
    frame(
        Format::TechAgainstTerrorism,
        r#"{"results": ["#,
        r#"{"id": 1, "algorithm": "MD5", "hash_digest": "@"}"#,
        ",",
        "]}",
    ),
    frame(
        Format::ThreatExchange,
        r#"{"data": ["#,
        r#"{"id": "1", "type": "HASH_MD5", "indicator": "@"}"#,
        ",",
        "]}",
    ),
    frame(
        Format::Stix,
        r#"{"objects": ["#,
        r#"{"type": "indicator", "id": "indicator--1", "pattern": "[file:hashes.MD5 = '@']"}"#,
        ",",
        "]}",
    ),
    frame(
        Format::Misp,
        r#"{"Event": {"Attribute": ["#,
        r#"{"uuid": "u", "type": "md5", "value": "@"}"#,
        ",",
        "]}}",
    ),
];

impl Frame {
    /// A file with these digests.
    fn file(&self, digests: &[&str]) -> String {
        let items: Vec<String> = digests.iter().map(|digest| self.item.replace('@', digest)).collect();
        format!("{}{}{}", self.before, items.join(self.between), self.after)
    }

    fn is_lines(&self) -> bool {
        self.between == "\n"
    }

    /// Reads a good item, then a bad one, then a good one: the bad one must be told, and the others read.
    fn bad_item(&self, bad: &str) -> String {
        let told = read(self.file(&[MD5, bad, MD5_B]), self.format);
        assert_eq!(told.error, None, "{}", self.format);
        assert_eq!(told.statements.len(), 2, "{}: {:?}", self.format, told.lines);
        assert_eq!(told.lines.len(), 3, "{}: {:?}", self.format, told.lines);
        told.lines[1].clone()
    }
}

#[test]
fn frames_are_good() {
    for frame in FRAMES {
        let told = read(frame.file(&[MD5, MD5_B]), frame.format);
        assert_eq!((told.error, told.statements.len()), (None, 2), "{}", frame.format);
        assert!(told.statements[0].digests.get(Algorithm::Md5).is_some());
    }
}

#[test]
fn wrong_digests_are_told_and_passed_over() {
    let cut = &MD5[1..];
    let foreign = format!("{cut}g");
    let umlaut = format!("{cut}\u{e4}");
    let long = format!("{MD5}{MD5}0");
    for frame in FRAMES {
        for (bad, wrong) in [
            (cut, &["31 hexadecimal digits"][..]),
            (&long, &["65 hexadecimal digits"]),
            (&foreign, &["is no hexadecimal digit"]),
            (&umlaut, &["is no hexadecimal digit", "32 hexadecimal digits"]),
            (EMPTY_MD5, &["the md5 digest of empty content"]),
            (
                " ",
                &[
                    "there is no signal",
                    "gives no digest",
                    "is missing",
                    "0 hexadecimal digits",
                    "1 hexadecimal",
                ],
            ),
        ] {
            let told = frame.bad_item(bad);
            assert!(wrong.iter().any(|wrong| told.contains(wrong)), "{}, {bad:?}: {told}", frame.format);
            assert!(told.contains(": expected "), "{told}");
            assert!(!told.contains(&cut[..8]), "a problem shows digits: {told}");
        }
    }
}

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
fn bytes_that_are_no_text() {
    for frame in FRAMES {
        let marked = frame.file(&[MD5, "<>", MD5_B]);
        for (bytes, what) in [(&b"\xff\xfe\xfa"[..], "no UTF-8"), (b"00\0", "a NUL byte")] {
            let (before, after) = marked.split_once("<>").unwrap();
            let after = after.replace("<>", "");
            let told = read([before.as_bytes(), bytes, after.as_bytes()].concat(), frame.format);
            let clear = told.error.is_some() || told.lines.iter().any(|line| line.starts_with('!'));
            assert!(clear, "{}: {what} is not told: {told:?}", frame.format);
            assert!(!told.statements.is_empty(), "{}: what comes before is read", frame.format);
        }
    }
}

/// Cut off at every byte: what was whole is read, and JSON and XML tell that something is missing.
#[test]
fn truncated_files() {
    for frame in FRAMES {
        let file = frame.file(&[MD5, MD5_B]);
        for end in 0..file.len() {
            let told = read(&file[..end], frame.format);
            if frame.is_lines() {
                assert_eq!(told.error, None, "{}", frame.format);
            } else {
                let error = told.error.unwrap();
                assert!(
                    error.contains("the file ends here: expected the whole file"),
                    "{} {end}: {error}",
                    frame.format
                );
            }
            assert!(told.statements.len() <= 2);
        }
    }
}

#[test]
fn repeated_items_are_told_as_often() {
    for frame in FRAMES {
        // Lines of text with one name and one digest say one thing.
        let expected = if frame.format == Format::Text { 1 } else { 3 };
        assert_eq!(read(frame.file(&[MD5; 3]), frame.format).statements.len(), expected, "{}", frame.format);
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

/// Ten million characters where a digest should be, from a reader that holds none of them.
#[test]
fn ten_million_characters() {
    const CHARACTERS: u64 = 10_000_000;
    for frame in FRAMES {
        let file = frame.file(&[MD5, "<>", MD5_B]);
        let (before, after) = file.split_once("<>").unwrap();
        let after = after.replace("<>", "");
        let long = Cursor::new(before.to_owned())
            .chain(std::io::repeat(b'a').take(CHARACTERS))
            .chain(after.as_bytes());
        let (mut good, mut bad) = (0, Vec::new());
        let mut sink = |item: crate::format::Item| {
            match item.said {
                Ok(_) => good += 1,
                Err(problem) => bad.push(problem.to_string()),
            }
            ControlFlow::Continue(())
        };
        let mut out = Out::new(&mut sink, Progress::default());
        let read = read_stream(frame.format, &mut BufReader::new(long), ReadOptions::default(), &mut out);
        if frame.format == Format::Ncmec {
            // Nobody can say where markup goes on that is not read to its end.
            assert!(format!("{read:?}").contains("TooLarge"), "{read:?}");
        } else {
            assert!(read.is_ok(), "{}: {read:?}", frame.format);
            assert_eq!((good, bad.len()), (2, 1), "{}", frame.format);
            assert!(bad[0].starts_with("longer than "), "{}: {bad:?}", frame.format);
        }
    }
}

#[test]
fn deep_nesting_is_bounded() {
    for deep in [
        "[".repeat(100_000) + &"]".repeat(100_000),
        r#"{"a":"#.repeat(DEPTH_MAX) + "1" + &"}".repeat(DEPTH_MAX),
    ] {
        for frame in FRAMES.iter().filter(|frame| frame.before.starts_with('{')) {
            let item = frame.item.replace('@', MD5).replacen('{', &format!(r#"{{"Deep": {deep}, "#), 1);
            let file = format!("{}{item},{}{}", frame.before, frame.item.replace('@', MD5_B), frame.after);
            let told = read(file, frame.format);
            assert_eq!((told.error, told.statements.len()), (None, 1), "{}", frame.format);
            assert!(told.lines[0].contains("nested too deep"), "{:?}", told.lines);
        }
    }
    let outside =
        read(format!(r#"{{"a": {}, "results": []}}"#, "[".repeat(1_000_000)), Format::TechAgainstTerrorism);
    assert!(outside.error.unwrap().contains("the file ends here"));
    let misp = read("[".repeat(100_000), Format::Misp);
    assert!(misp.error.unwrap().contains("nested too deep"));
    let xml = format!("<queryResult><images>{}", "<a>".repeat(100_000));
    assert!(read(xml, Format::Ncmec).error.unwrap().contains("nested too deep"));
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
        (r#"{"Media": [], "Category": 1}"#, "Media: this is not a field of a medium"),
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
        (Format::SignalLines, format!("hash {SHA256}"), "line 1, value: the word names no kind of signal"),
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
        "CREATE VIEW FILE AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS sha256 FROM c",
    ] {
        let mut database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(sql).unwrap();
        let bytes = database.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
        let error = read(bytes, Format::NsrlSqlite).error.unwrap();
        assert_eq!(error, "(memory): after 0 bytes, FILE: it is missing: expected a value");
    }
    let error = read("SQLite format 3\0 and nothing else", None).error.unwrap();
    assert!(error.ends_with("expected SQLite with a table FILE"), "{error}");
}

#[test]
fn the_reader_stops_when_told_to() {
    for frame in FRAMES {
        let file = frame.file(&[MD5, MD5_B, MD5]);
        let mut told = 0;
        let source = crate::format::in_memory(file.as_bytes(), Some(frame.format)).unwrap();
        let stopped = source.read(&ReadOptions::default(), &mut |_| {
            told += 1;
            ControlFlow::Break(())
        });
        assert!(stopped.is_ok());
        assert_eq!(told, 1, "{}", frame.format);
    }
}
