//! What is written reads back.

use std::collections::BTreeMap;

use hashward_core::{Algorithm, Category, Digest, Digests, ListInfo};
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use super::{MD5, SHA256, read};
use crate::format::{Format, FormatError, Written, write};
use crate::{Change, Statement};

fn info() -> ListInfo {
    let mut info = ListInfo::bare("test-list".parse().unwrap());
    info.owner = Some("An \"authority\"".to_owned());
    info
}

fn written(format: Format, statements: &[Statement]) -> (Vec<u8>, Written) {
    let mut file = Vec::new();
    let written = write(format, &info(), statements.iter().cloned(), &mut file).unwrap();
    (file, written)
}

fn any_digest() -> impl Strategy<Value = Digest> {
    (select(Algorithm::ALL), any::<[u8; 32]>()).prop_map(|(algorithm, bytes)| {
        let bytes = bytes.repeat(2);
        Digest::new(algorithm, &bytes[..algorithm.digest_bytes()]).unwrap()
    })
}

/// Text with everything in it that formats use to part things.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "a", "\u{fc}", " ", "  ", "\\", "'", "\"", "(", ")", " = ", "-", ",", ";", "#", "/", "stdin",
            "\t"
        ]),
        select(vec!["\n", "\r", "\r\n", "%%%%", "<", "&", "{", "[", "]", "hashward-item-", "\u{feff}", "1"]),
    ];
    vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    // Not the epoch, which stands for no time in STIX.
    (1_i64..4_000_000_000, 0..1_000_000_000_i32)
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

fn any_category() -> impl Strategy<Value = Category> {
    select(vec!["csam-a1", "terrorist-content", "own:project-vic-3", "unspecified"])
        .prop_map(|word| word.parse().unwrap())
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let signals = (
        vec(any_digest(), 0..4),
        btree_map(
            select(vec!["pdq", "photodna", "tmk_pdqf", "pdq#2"]).prop_map(str::to_owned),
            "[!-~]{1,9}( [!-~]{1,9})?",
            0..3,
        ),
    );
    let texts = (option::of(any_text()), option::of(any_text()), option::of(any_text()));
    let rest = (
        prop_oneof![9 => Just(Change::Put), 1 => Just(Change::Withdraw)],
        option::of(any::<u64>()),
        option::of(any_category()),
        option::of(any_time()),
        option::of(any_time()),
    );
    (signals, texts, rest).prop_map(|((digests, unmatched_signals), (key, reference, note), rest)| {
        let (change, size_bytes, category, valid_from, valid_until) = rest;
        let digests: Digests = digests.into_iter().collect();
        Statement {
            change,
            key,
            digests,
            unmatched_signals,
            size_bytes,
            category,
            reference,
            valid_from,
            valid_until,
            note,
        }
    })
}

/// A list: each key once, as a list has it.
fn any_list() -> impl Strategy<Value = Vec<Statement>> {
    vec(any_statement(), 0..12).prop_map(|mut statements| {
        for (number, statement) in statements.iter_mut().enumerate() {
            if let Some(key) = &mut statement.key {
                key.push_str(&number.to_string());
            }
        }
        statements
    })
}

fn has_signals(statement: &Statement) -> bool {
    !statement.digests.algorithms().is_empty() || !statement.unmatched_signals.is_empty()
}

/// Reads a file back: by the format that it was written in, and recognised.
fn read_back(format: Format, file: &[u8], is_empty: bool) -> Vec<Statement> {
    let told = read(file, format);
    assert_eq!(told.error, None);
    assert_eq!(told.lines.iter().find(|line| line.starts_with('!')), None);
    if !is_empty {
        assert_eq!(read(file, None).lines, told.lines, "the file is recognised");
    }
    told.statements
}

proptest! {
    #[test]
    fn stix(list in any_list()) {
        let (file, written) = written(Format::Stix, &list);
        let expected: Vec<Statement> = list.iter().filter(|statement| has_signals(statement)).cloned().collect();
        prop_assert_eq!(read_back(Format::Stix, &file, expected.is_empty()), expected.clone());
        prop_assert_eq!(written.statements, expected.len() as u64);
        prop_assert_eq!(written.left_out, (list.len() - expected.len()) as u64);
        prop_assert_eq!(written.incomplete, 0);
    }

    #[test]
    fn vics(list in any_list()) {
        let (file, written) = written(Format::Vics, &list);
        let carried = |statement: &&Statement| has_signals(statement) && statement.change == Change::Put;
        let expected: Vec<Statement> = list.iter().filter(carried).cloned().collect();
        prop_assert_eq!(read_back(Format::Vics, &file, false), expected.clone());
        prop_assert_eq!((written.statements, written.incomplete), (expected.len() as u64, 0));
        prop_assert_eq!(written.left_out, (list.len() - expected.len()) as u64);
    }

    /// Digests and keys, and items without a name stay together.
    #[test]
    fn text(list in any_list()) {
        let (file, written) = written(Format::Text, &list);
        let carried = |statement: &&Statement| {
            statement.change == Change::Put && !statement.digests.algorithms().is_empty()
        };
        let expected: Vec<Statement> = list.iter().filter(carried).cloned().collect();
        let read = read_back(Format::Text, &file, expected.is_empty());
        prop_assert_eq!(read.len(), expected.len());
        for (read, statement) in read.iter().zip(&expected) {
            prop_assert_eq!(read.digests, statement.digests);
            let dropped = statement.key.as_ref().is_some_and(|key| key.starts_with("hashward-item-"));
            prop_assert_eq!(&read.key, &statement.key.clone().filter(|_| !dropped));
        }
        let lost = expected.iter().filter(|statement| !statement.unmatched_signals.is_empty()).count();
        prop_assert_eq!(written.incomplete, lost as u64);
        prop_assert_eq!(written.left_out, (list.len() - expected.len()) as u64);
    }

    /// Three digests, the size, and keys that are one line.
    #[test]
    fn hashdeep(list in any_list()) {
        const CARRIED: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];
        let (file, written) = written(Format::Hashdeep, &list);
        let part = |statement: &Statement| -> Digests {
            CARRIED.iter().filter_map(|algorithm| statement.digests.get(*algorithm)).collect()
        };
        let carried = |statement: &&Statement| {
            statement.change == Change::Put && !part(statement).algorithms().is_empty()
        };
        let expected: Vec<Statement> = list.iter().filter(carried).cloned().collect();
        let read = read_back(Format::Hashdeep, &file, false);
        prop_assert_eq!(read.len(), expected.len());
        for (read, statement) in read.iter().zip(&expected) {
            prop_assert_eq!(read.digests, part(statement));
            prop_assert_eq!(read.size_bytes, statement.size_bytes);
            prop_assert_eq!(&read.key, &statement.key.clone().filter(|key| !key.contains(['\n', '\r'])));
        }
        prop_assert_eq!(written.left_out, (list.len() - expected.len()) as u64);
    }

    /// Every signal, each for itself.
    #[test]
    fn signal_lines(list in any_list()) {
        let (file, written) = written(Format::SignalLines, &list);
        let carried = |statement: &&Statement| has_signals(statement) && statement.change == Change::Put;
        let expected: Vec<Statement> = list.iter().filter(carried).cloned().collect();
        let mut signals = Vec::new();
        for statement in &expected {
            let one = |digest: Digest| Statement { digests: [digest].into_iter().collect(), ..Statement::default() };
            signals.extend(statement.digests.iter().map(one));
            signals.extend(statement.unmatched_signals.iter().map(|(word, value)| Statement {
                unmatched_signals: BTreeMap::from([(word.clone(), value.clone())]),
                ..Statement::default()
            }));
        }
        prop_assert_eq!(read_back(Format::SignalLines, &file, true), signals);
        prop_assert_eq!((written.statements, written.incomplete), (expected.len() as u64, 0));
        prop_assert!(written.left_out == (list.len() - expected.len()) as u64);
    }
}

#[test]
fn what_others_read_is_written_as_they_write_it() {
    let mut statement = Statement { key: Some("a\\b".into()), size_bytes: Some(7), ..Statement::default() };
    for (algorithm, hex) in [(Algorithm::Md5, MD5), (Algorithm::Sha256, SHA256), (Algorithm::Blake3, SHA256)]
    {
        statement.digests.insert(&Digest::from_hex(algorithm, hex).unwrap());
    }
    let file = |format| String::from_utf8(written(format, std::slice::from_ref(&statement)).0).unwrap();
    assert_eq!(
        file(Format::Text),
        format!("\\{MD5}  a\\\\b\n\\{SHA256}  a\\\\b\n\\BLAKE3 (a\\\\b) = {SHA256}\n")
    );
    let hashdeep = "%%%% HASHDEEP-1.0\n%%%% size,md5,sha1,sha256,filename\n";
    assert_eq!(file(Format::Hashdeep), format!("{hashdeep}7,{MD5},,{SHA256},a\\b\n"));
    assert_eq!(file(Format::SignalLines), format!("md5 {MD5}\nsha256 {SHA256}\nblake3 {SHA256}\n"));
    let stix: serde_json::Value = serde_json::from_str(&file(Format::Stix)).unwrap();
    assert_eq!(stix["objects"][0]["name"], "An \"authority\"");
    assert_eq!(stix["objects"][1]["created_by_ref"], stix["objects"][0]["id"]);
    assert_eq!(
        stix["objects"][1]["pattern"],
        format!(
            "[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-256' = '{SHA256}' AND file:hashes.'BLAKE3' = '{SHA256}' \
             AND file:size = 7]"
        )
    );
    let vics: serde_json::Value = serde_json::from_str(&file(Format::Vics)).unwrap();
    assert_eq!((&vics["value"][0]["MD5"], &vics["value"][0]["MediaSize"]), (&MD5.into(), &"7".into()));
    assert_eq!(vics["value"][0]["AlternativeHashes"][0]["HashName"], "sha256");
}

#[test]
fn an_item_keeps_its_stix_id() {
    let mut statement = Statement { key: Some("k".into()), ..Statement::default() };
    statement.digests.insert(&Digest::from_hex(Algorithm::Md5, MD5).unwrap());
    let id = |statement: &Statement| {
        let file = written(Format::Stix, std::slice::from_ref(statement)).0;
        let stix: serde_json::Value = serde_json::from_slice(&file).unwrap();
        stix["objects"][1]["id"].as_str().unwrap().to_owned()
    };
    let first = id(&statement);
    statement.note = Some("changed".into());
    assert_eq!(id(&statement), first);
    statement.key = Some("another".into());
    assert_ne!(id(&statement), first);
    statement.key = Some(first.clone());
    assert_eq!(id(&statement), first);
}

#[test]
fn most_formats_are_only_read() {
    for format in Format::ALL {
        let result = write(format, &info(), std::iter::empty(), &mut Vec::new());
        let writable = Format::WRITABLE.contains(&format);
        assert_eq!(result.is_ok(), writable, "{format}");
        assert!(writable || matches!(result, Err(FormatError::NotWritable(_))));
    }
}

/// What cannot be written is an error, and no short list.
#[test]
fn a_full_disk_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in [Format::Hashdeep, Format::Stix, Format::Vics] {
        let result = write(format, &info(), std::iter::empty(), &mut Full);
        assert!(matches!(result, Err(FormatError::Write(_))), "{format}");
    }
}
