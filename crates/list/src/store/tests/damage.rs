//! Folders that are no lists, lists that were tampered with, files that are broken.

use std::fs;
use std::path::Path;

use hashward_core::Algorithm::{Md5, Sha256};
use rusqlite::Connection;

use super::{Fixture, bare, by, put, told};
use crate::Statement;
use crate::store::{Store, StoreError, check};

/// A list with some history, closed; `damage` is done to its file of entries.
fn damaged(damage: impl Fn(&Path)) -> (Fixture, Result<Vec<String>, String>) {
    let mut fixture = Fixture::new();
    for state in 1..=3 {
        let note = Some(format!("state {state}"));
        let items = (0..40_u8).map(|item| put(&format!("item {item}"), &[(Md5, item + 1), (Sha256, state)]));
        fixture.import(&items.map(|put| Statement { note: note.clone(), ..put }).collect::<Vec<_>>());
    }
    // The log goes into the file, as when the last one who has it open closes it.
    fixture.store.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    damage(&fixture.path().join("entries.sqlite"));
    let path = fixture.path();
    let report = check(&path).map_err(|error| told(&error, &path));
    (fixture, report.map(|report| report.problems))
}

/// What is done to a file of entries.
type Damage<'a> = &'a dyn Fn(&Path);

fn sql(statements: &str) -> impl Fn(&Path) {
    let statements = statements.to_owned();
    move |file| Connection::open(file).unwrap().execute_batch(&statements).unwrap()
}

#[test]
fn tampering_is_told() {
    assert_eq!(damaged(|_| {}).1, Ok(vec![]));
    let past = "DROP TRIGGER past_is_kept; DROP TRIGGER past_is_final;";
    let recreate = |trigger: &str| {
        let fresh = Fixture::new();
        let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
        fresh.store.connection.query_row(sql, [trigger], |row| row.get::<_, String>(0)).unwrap()
    };
    let past_again = format!("{};{}", recreate("past_is_kept"), recreate("past_is_final"));
    let state = "DROP TRIGGER state_is_final;";
    let state_again = recreate("state_is_final");
    let kept = "DROP TRIGGER state_is_kept;";
    let kept_again = recreate("state_is_kept");
    let entry = "DROP TRIGGER entry_has_a_past;";
    let entry_again = recreate("entry_has_a_past");
    let cases = [
        (
            format!("{state} UPDATE state SET who = 'nobody' WHERE number = 2; {state_again}"),
            "state 2 of the journal is not what it was when it was written",
        ),
        (
            format!("{state} UPDATE state SET added = 7 WHERE number = 3; {state_again}"),
            "state 3 of the journal is not what it was when it was written",
        ),
        (
            format!("{kept} DELETE FROM state WHERE number = 1; {kept_again}"),
            "state 2 of the journal does not follow the one before it",
        ),
        (
            format!("{entry} UPDATE entry SET note = 'other' WHERE number = 7; {entry_again}"),
            "the entries that state 3 changed are not what they were then",
        ),
        (
            format!("{past} UPDATE past SET note = 'other' WHERE entry = 7 AND state = 2; {past_again}"),
            "the entries that state 1 changed are not what they were then",
        ),
        (
            format!("{past} DELETE FROM past WHERE entry = 7; {past_again}"),
            "the entries that state 2 changed are not what they were then",
        ),
        (
            "INSERT INTO entry (id, md5, listed_since) VALUES (1, x'0102', 0)".to_owned(),
            "LIST/entries.sqlite: is damaged: entry 41: its md5 digest has 2 bytes: expected 16; restore the folder \
             from a copy",
        ),
        (
            "DELETE FROM name WHERE entry = 5".to_owned(),
            "is not found by one of its signals, its key or its id",
        ),
    ];
    for (statements, expected) in cases {
        let (fixture, problems) = damaged(sql(&statements));
        let folder = fixture.path().display().to_string();
        let problems: Vec<String> =
            problems.unwrap().iter().map(|problem| problem.replace(&folder, "LIST")).collect();
        assert!(problems.iter().any(|problem| problem.ends_with(expected)), "{statements}: {problems:#?}");
    }
}

#[test]
fn the_journal_cannot_be_changed_by_mistake() {
    for (statement, expected) in [
        ("UPDATE state SET who = 'nobody'", "the journal is append-only"),
        ("DELETE FROM state WHERE number = 3", "the journal is append-only"),
        ("INSERT INTO state SELECT * FROM state WHERE number = 3", "the journal is append-only"),
        ("UPDATE past SET note = 'other'", "the past is append-only"),
        ("DELETE FROM past", "the past is append-only"),
        ("INSERT INTO past SELECT * FROM past", "the past is append-only"),
        ("DELETE FROM entry", "entries are withdrawn, never removed"),
        ("UPDATE entry SET note = 'other'", "an entry changes in a step"),
    ] {
        let (_, problems) = damaged(|file| {
            let error = Connection::open(file).unwrap().execute_batch(statement).unwrap_err();
            assert_eq!(error.to_string(), expected, "{statement}");
        });
        assert_eq!(problems, Ok(vec![]));
    }
}

#[test]
fn other_folders_are_told_from_lists() {
    let cut = |file: &Path, length: u64| {
        fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
    };
    let newer = "LIST/entries.sqlite: has schema version 2, and this program knows 1: use a newer one";
    let tables = "LIST/entries.sqlite: is damaged: its tables are not those of schema version 1; restore the folder from a copy";
    let cases: [(Damage, &str); 8] = [
        (&sql("PRAGMA user_version = 2"), newer),
        (
            &sql("PRAGMA application_id = 1"),
            "LIST: is no list folder: entries.sqlite is a database of something else",
        ),
        (&sql("CREATE TABLE more (x)"), tables),
        (&sql("DROP TRIGGER state_is_kept"), tables),
        (
            &|file| fs::write(file, "%PDF-1.7 and so on").unwrap(),
            "LIST: is no list folder: entries.sqlite is no SQLite database, or its beginning is damaged",
        ),
        (
            &|file| cut(file, 0),
            "LIST: is no list folder: its `list init` did not come to its end; expected that to be done again",
        ),
        (
            &|file| fs::remove_file(file).unwrap(),
            "LIST: is no list folder: it has no entries.sqlite; expected a folder that `list init` made",
        ),
        (
            &|file| fs::remove_file(file.with_file_name("list.toml")).unwrap(),
            "LIST: is no list folder: it has no list.toml",
        ),
    ];
    for (damage, expected) in cases {
        let (fixture, problems) = damaged(damage);
        assert_eq!(problems, Err(expected.to_owned()));
        let path = fixture.path();
        assert!(Store::open(&path).is_err());
    }
    let nowhere = Path::new("/nowhere/at/all");
    let error = Store::open(nowhere).err().unwrap();
    assert_eq!(
        told(&error, nowhere),
        "LIST: is no list folder: there is no such folder; expected one that `list init` made"
    );
}

#[test]
fn a_hostile_manifest_is_refused() {
    let fixture = Fixture::new();
    let toml = fixture.path().join("list.toml");
    let cases: [(Vec<u8>, &str); 7] = [
        (b"".to_vec(), "no `id`"),
        (b"id = 'other'".to_vec(), "names the list \"other\""),
        (b"id = 'test-list'\naction = 'destroy'".to_vec(), "list.toml:2: unknown action"),
        (b"id = 'test-list'\nid = 'test-list'".to_vec(), "list.toml:2: duplicate key"),
        (b"id = '\xff'".to_vec(), "no UTF-8"),
        (vec![b'#'; 70_000], "larger than 65536 bytes"),
        ([b"id = 'test-list'\nowner = ".as_slice(), &vec![b'['; 10_000]].concat(), "list.toml:2:"),
    ];
    for (text, expected) in cases {
        fs::write(&toml, text).unwrap();
        for opened in [Store::open(&fixture.path()), Store::open_read_only(&fixture.path())] {
            let error = told(&opened.err().unwrap(), &fixture.path());
            assert!(error.contains(expected), "{error}");
        }
    }
}

#[test]
fn a_list_is_never_made_over_another() {
    let fixture = Fixture::new();
    let error = Store::init(&fixture.path(), &bare(), by(1)).err().unwrap();
    let expected = "LIST/list.toml: is there already: expected a folder that holds no list";
    assert_eq!(told(&error, &fixture.path()), expected);
    fs::remove_file(fixture.path().join("list.toml")).unwrap();
    assert!(matches!(Store::init(&fixture.path(), &bare(), by(1)), Err(StoreError::AlreadyThere(_))));
    // What an interrupted `init` leaves does not stand in the way of another.
    let folder = fixture.path().join("half");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("entries.sqlite"), "").unwrap();
    assert!(Store::init(&folder, &bare(), by(1)).unwrap().check().unwrap().is_sound());
}

/// A byte of a file of entries is never so broken that the program breaks: the list is refused, or the check tells, or
/// what is read is what was written.
#[test]
fn broken_bytes_are_told_or_harmless() {
    let (fixture, _) = damaged(|_| {});
    let path = fixture.path();
    let whole = fixture.all();
    drop(fixture.store);
    let file = path.join("entries.sqlite");
    let bytes = fs::read(&file).unwrap();
    let mut told = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
        let mut broken = bytes.clone();
        broken[at] ^= 0xff;
        fs::write(&file, &broken).unwrap();
        let report = check(&path);
        let sound = report.is_ok_and(|report| report.is_sound());
        told += u32::from(!sound);
        if sound {
            let entries = Store::open_read_only(&path).unwrap().entries(crate::store::Which::All).unwrap();
            assert_eq!(entries.map(Result::unwrap).collect::<Vec<_>>(), whole, "byte {at}");
        }
    }
    assert!(told > 30, "only {told} were told");
}
