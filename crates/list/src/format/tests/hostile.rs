//! The same wrong things in every format: each is told clearly, takes bounded memory, and hides nothing of the rest of
//! the file that could be read.

use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;

use hashward_core::Algorithm;

use super::{EMPTY_MD5, MD5, MD5_B, read};
use crate::format::out::{Out, Progress};
use crate::format::read::read as read_stream;
use crate::format::{DEPTH_MAX, Format, ReadOptions};

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
