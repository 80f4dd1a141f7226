//! What a step does, and what is refused.

use hashward_core::Algorithm::{Md5, Sha1, Sha256, Xxh3};
use hashward_core::{Action, Algorithm, Digest, ListInfo};

use super::{Fixture, at, bare, by, digest, put, told, withdraw};
use crate::Statement;
use crate::store::{
    ChangeKind, Dispute, KEY_BYTES_MAX, KIND_BYTES_MAX, KINDS_MAX, NOTE_BYTES_MAX, Outcome, Refusal,
    Selector, StepInfo, Store, Summary, Tombstone, UNMATCHED_BYTES_MAX, Which, is_list_folder,
};

#[test]
fn digests_of_one_file_stand_together() {
    let mut fixture = Fixture::new();
    // As `md5sum` and then `sha256sum` write them, then a tool that knows both and no name.
    fixture.import(&[put("a", &[(Md5, 1)]), put("b", &[(Md5, 2)]), put("a", &[(Sha256, 1)])]);
    let summary = fixture.import(&[put("", &[(Md5, 2), (Sha256, 2)])]);
    assert_eq!((summary.changed, summary.new), (1, 0));
    let digests: Vec<Vec<Digest>> =
        fixture.all().iter().map(|entry| entry.digests.iter().collect()).collect();
    assert_eq!(digests, [1, 2].map(|byte| vec![digest(Md5, byte), digest(Sha256, byte)]));
    assert_eq!(fixture.store.find(&digest(Sha256, 2)).unwrap(), fixture.all()[1..]);
    assert_eq!(fixture.store.find(&digest(Sha256, 3)).unwrap(), []);
}

#[test]
fn another_content_for_a_key_takes_the_place_of_the_first() {
    let mut fixture = Fixture::new();
    let first =
        Statement { size_bytes: Some(5), note: Some("n".into()), ..put("a", &[(Md5, 1), (Sha256, 1)]) };
    fixture.import(&[first]);
    assert_eq!(fixture.import(&[put("a", &[(Md5, 2)])]).changed, 1);
    let entry = &fixture.all()[0];
    assert_eq!(entry.digests.iter().collect::<Vec<_>>(), [digest(Md5, 2)], "no digest of the former content");
    assert_eq!((entry.size_bytes, entry.note.as_deref()), (None, Some("n")));
    assert_eq!(fixture.store.find(&digest(Md5, 1)).unwrap(), []);
    // Within one step it is a key for several items, and none is lost.
    let summary = fixture.import(&[put("b", &[(Md5, 5)]), put("b", &[(Md5, 6)]), put("b", &[(Sha1, 6)])]);
    assert_eq!(summary.new, 3);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let mut fixture = Fixture::new();
    fixture.import(&[put("a", &[(Md5, 1), (Sha256, 1)])]);
    let id = fixture.all()[0].id;
    let long = |field, bytes_max| Refusal::TooLong { field, bytes: bytes_max + 1, bytes_max };
    let text = |bytes_max| "x".repeat(bytes_max + 1);
    let good = || put("", &[(Md5, 9)]);
    let kinds = (0..=KINDS_MAX).map(|kind| (kind.to_string(), String::new())).collect();
    let empty = |algorithm| Digest::of_empty_content(algorithm);
    let mut cases = vec![
        (put("b", &[]), Refusal::NoSignal),
        (withdraw("", &[]), Refusal::NoSignal),
        (put("", &[(Md5, 1), (Sha256, 2)]), Refusal::Contradicts(id)),
        (Statement { valid_from: Some(at(5)), valid_until: Some(at(5)), ..good() }, Refusal::NeverValid),
        (
            Statement { unmatched_signals: kinds, ..good() },
            Refusal::TooManyKinds { kinds: KINDS_MAX + 1, kinds_max: KINDS_MAX },
        ),
        (Statement { key: Some(text(KEY_BYTES_MAX)), ..good() }, long("key", KEY_BYTES_MAX)),
        (Statement { note: Some(text(NOTE_BYTES_MAX)), ..good() }, long("note", NOTE_BYTES_MAX)),
        (
            Statement { unmatched_signals: [(text(KIND_BYTES_MAX), String::new())].into(), ..good() },
            long("the name of a kind of signals", KIND_BYTES_MAX),
        ),
        (
            Statement { unmatched_signals: [("pdq".into(), text(UNMATCHED_BYTES_MAX))].into(), ..good() },
            long("what is there of unmatched signals", UNMATCHED_BYTES_MAX),
        ),
    ];
    cases.extend(Algorithm::ALL.iter().map(|algorithm| {
        let mut statement = put("c", &[(Sha1, 3)]);
        statement.digests.insert(&empty(*algorithm));
        (statement, Refusal::EmptyContent(*algorithm))
    }));
    let before = fixture.all();
    let mut step = fixture.store.begin(by(2)).unwrap();
    for (statement, refusal) in &cases {
        assert_eq!(step.apply(statement).unwrap(), Outcome::Refused(refusal.clone()));
    }
    let summary = step.commit().unwrap();
    assert_eq!((summary.refused, summary.state), (cases.len() as u64, None));
    assert_eq!(summary.first_refusals.len(), Summary::REFUSALS_MAX);
    assert_eq!(summary.first_refusals[1].statement, 2);
    assert_eq!(fixture.all(), before);
}

#[test]
fn hints_and_unmatched_signals_are_kept_and_told() {
    let mut fixture = Fixture::new();
    let mut photo = put("", &[]);
    photo.unmatched_signals.insert("photodna".into(), "AAAA".into());
    let summary = fixture.import(&[put("", &[(Xxh3, 1)]), photo.clone(), put("", &[(Xxh3, 2), (Md5, 2)])]);
    assert_eq!((summary.new, summary.only_hints), (3, 1));
    assert_eq!(summary.unmatched_signals, [("photodna".to_owned(), 1)].into());
    assert_eq!(fixture.import(&[photo]).unchanged, 1, "it is found by what is not matched");
    let stats = fixture.store.stats().unwrap();
    assert_eq!((stats.in_force, stats.algorithms["xxh3"], stats.algorithms["md5"]), (3, 2, 1));
    assert_eq!(stats.unmatched_signals, [("photodna".to_owned(), 1)].into());
    assert_eq!(stats.categories, [("unspecified".to_owned(), 3)].into());
}

#[test]
fn an_entry_goes_and_comes_back() {
    let mut fixture = Fixture::new();
    fixture.import(&[put("a", &[(Md5, 1)]), put("b", &[(Md5, 1)]), put("c", &[(Md5, 2)])]);
    let mut step = fixture.store.begin(by(5)).unwrap();
    let selector = Selector::Digest(digest(Md5, 1));
    assert_eq!(step.dispute(&"c".parse().unwrap(), "it is a flag").unwrap().len(), 1);
    assert_eq!(step.withdraw(&selector, "a mistake").unwrap().len(), 2);
    assert_eq!(step.withdraw(&selector, "again").unwrap(), []);
    assert_eq!(step.commit().unwrap().withdrawn, 2);
    let all = fixture.all();
    let tombstone = Tombstone { reason: "a mistake".into(), since: at(5) };
    assert_eq!((&all[0].withdrawn, &all[1].withdrawn), (&Some(tombstone.clone()), &Some(tombstone)));
    assert_eq!(all[2].disputed, Some(Dispute { reason: "it is a flag".into(), since: at(5) }));
    assert_eq!(fixture.store.entries(Which::InForce).unwrap().count(), 1);
    let mut step = fixture.store.begin(by(6)).unwrap();
    assert_eq!(step.apply(&put("a", &[(Md5, 1)])).unwrap(), Outcome::Revived);
    assert_eq!(step.apply(&withdraw("gone", &[])).unwrap(), Outcome::Absent);
    assert_eq!(step.undispute(&"c".parse().unwrap()).unwrap().len(), 1);
    step.commit().unwrap();
    let kinds = |from, to| fixture.diff(from, to).iter().map(super::EntryChange::kind).collect::<Vec<_>>();
    assert_eq!(kinds(1, 2), [ChangeKind::Withdrawn, ChangeKind::Withdrawn, ChangeKind::Disputed]);
    assert_eq!(kinds(2, 3), [ChangeKind::Revived, ChangeKind::Undisputed]);
    assert_eq!(kinds(1, 3), [ChangeKind::Withdrawn], "only what is not the same in the two");
    assert_eq!(kinds(3, 0), [ChangeKind::Unlisted; 3]);
    let since: Vec<_> = fixture.store.changes_since(2).unwrap().map(Result::unwrap).collect();
    assert_eq!(since, fixture.diff(2, 3));
    let states = fixture.store.states(Some(0), 10).unwrap();
    assert_eq!(states.iter().map(|state| state.totals.in_force()).collect::<Vec<_>>(), [3, 1, 2]);
    assert_eq!((states[1].counts.withdrawn, states[1].totals.disputed), (2, 1));
}

#[test]
fn a_difference_can_be_read_by_people_and_programs() {
    let mut fixture = Fixture::new();
    let noted = Statement { note: Some("first\u{1b}[31m".into()), ..put("a", &[(Md5, 0xab)]) };
    fixture.import(&[noted]);
    fixture.import(&[Statement { note: Some("second".into()), ..put("a", &[(Sha1, 0xcd)]) }]);
    let id = fixture.all()[0].id;
    let (md5, sha1) = (digest(Md5, 0xab).to_hex(), digest(Sha1, 0xcd).to_hex());
    let shown = |from, to| fixture.diff(from, to)[0].to_string();
    assert_eq!(shown(0, 1), format!(r#"+ {id} added: key "a"; md5 {md5}; note "first\u{{1b}}[31m""#));
    assert_eq!(shown(1, 2), format!(r#"~ {id} changed: note "first\u{{1b}}[31m" -> "second"; sha1 {sha1}"#));
    let json = serde_json::to_value(&fixture.diff(1, 2)[0]).unwrap();
    assert_eq!(json["kind"], "changed");
    assert_eq!(json["fields"], serde_json::json!(["note", "sha1"]));
    let before = serde_json::json!({
        "id": id.to_string(), "key": "a", "digests": {"md5": md5}, "note": "first\u{1b}[31m",
        "listed_since": "1970-01-01T00:00:01Z",
    });
    assert_eq!(json["before"], before);
    let state = serde_json::to_value(&fixture.store.states(Some(1), 1).unwrap()[0]).unwrap();
    assert_eq!((&state["who"], &state["when"]), (&"somebody".into(), &"1970-01-01T00:00:01Z".into()));
}

#[test]
fn what_changes_nothing_leaves_no_trace() {
    let mut fixture = Fixture::new();
    fixture.import(&[put("a", &[(Md5, 1)])]);
    let hash = fixture.store.newest_state().unwrap().hash;
    let mut step = fixture.store.begin(by(2)).unwrap();
    // There and back again.
    step.dispute(&"a".parse().unwrap(), "why").unwrap();
    step.undispute(&"a".parse().unwrap()).unwrap();
    let summary = step.commit().unwrap();
    assert_eq!((summary.state, summary.changes), (None, false));
    let mut step = fixture.store.begin(by(2)).unwrap();
    step.apply(&put("b", &[(Md5, 2)])).unwrap();
    let summary = step.dry_run().unwrap();
    assert_eq!((summary.state, summary.changes, summary.new), (None, true, 1));
    assert_eq!(fixture.store.newest_state().unwrap().hash, hash);
    assert_eq!(fixture.all().len(), 1);
    assert!(fixture.store.check().unwrap().is_sound());
}

#[test]
fn the_manifest_is_a_part_of_the_state() {
    let mut fixture = Fixture::new();
    let path = fixture.path();
    let info = ListInfo { owner: Some("An \"owner\"\n".into()), action: Action::Block, ..bare() };
    let mut step = fixture.store.begin(by(1)).unwrap();
    step.set_info(&info).unwrap();
    let other = ListInfo::bare("other".parse().unwrap());
    let error = step.set_info(&other).unwrap_err();
    assert_eq!(
        told(&error, &path),
        "LIST/list.toml: names the list \"other\": expected \"test-list\", after which its entries are named"
    );
    assert_eq!(step.commit().unwrap().state, Some(1));
    assert_eq!(fixture.store.info().unwrap(), info);
    assert_eq!(
        (fixture.store.info_at(0).unwrap(), fixture.store.info_at(1).unwrap()),
        (bare(), info.clone())
    );
    let fields: Vec<String> =
        fixture.store.diff(0, 1).unwrap().info().iter().map(ToString::to_string).collect();
    assert_eq!(fields[0], r#"action "review" -> "block""#);
    assert_eq!(fields.len(), 2);
    // People edit the file: that counts at once, and is recorded with the next step.
    let toml = fixture.path().join("list.toml");
    std::fs::write(&toml, "# by hand\nid = 'test-list'\naction = 'observe'\n").unwrap();
    let edited = ListInfo { action: Action::Observe, ..bare() };
    assert_eq!(Store::open_read_only(&fixture.path()).unwrap().info().unwrap(), edited);
    assert!(fixture.store.check().unwrap().info_edited);
    let summary = fixture.import(&[]);
    assert_eq!((summary.info_changed, summary.state), (true, Some(2)));
    assert_eq!(fixture.store.info_at(2).unwrap(), edited);
    assert!(std::fs::read_to_string(&toml).unwrap().starts_with("# by hand"), "the file is people's own");
    assert!(!fixture.store.check().unwrap().info_edited);
}

#[test]
fn who_and_why_are_asked_for() {
    let mut fixture = Fixture::new();
    for (info, field) in [
        (StepInfo { who: String::new(), ..by(1) }, "who"),
        (StepInfo { why: "x".repeat(5000), ..by(1) }, "why"),
    ] {
        let error = fixture.store.begin(info).err().unwrap().to_string();
        assert!(error.starts_with(&format!("`{field}` of a step has ")), "{error}");
    }
    assert!(is_list_folder(&fixture.path()) && !is_list_folder(&fixture.path().join("list.toml")));
    let mut reader = Store::open_read_only(&fixture.path()).unwrap();
    let error = reader.begin(by(1)).err().unwrap();
    assert_eq!(told(&error, &fixture.path()), "LIST: is opened for reading only");
}
