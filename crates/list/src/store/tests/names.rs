//! Ids, and what must not be shown.

use hashward_core::Algorithm::{Blake3, Md5, Sha256};
use hashward_core::EntryId;

use super::{Fixture, bare, by, digest, put, withdraw};
use crate::parse_text_bytes;
use crate::store::{Outcome, Refusal, Selector, StoreError};

#[test]
fn an_entry_has_the_id_that_a_text_list_gives_it() {
    let [md5, sha256, blake3] = [digest(Md5, 1), digest(Sha256, 2), digest(Blake3, 3)].map(|d| d.to_hex());
    let text = format!("{md5}  photo.jpg\n{sha256}\nBLAKE3 (other.jpg) = {blake3}\n");
    let of_text = parse_text_bytes(text.as_bytes(), &bare().id).unwrap().entries;
    let mut fixture = Fixture::new();
    fixture.import(&[
        put("photo.jpg", &[(Md5, 1)]),
        put("", &[(Sha256, 2)]),
        put("other.jpg", &[(Blake3, 3)]),
    ]);
    let of_store: Vec<EntryId> = fixture.all().iter().map(|entry| entry.id).collect();
    assert_eq!(of_store, of_text.iter().map(|entry| entry.id).collect::<Vec<_>>());
}

#[test]
fn an_id_stays_for_life_and_is_given_once() {
    let mut fixture = Fixture::new();
    fixture.import(&[put("", &[(Md5, 1)])]);
    let first = fixture.all()[0].id;
    // The entry gets a key, then another digest: that by which it was born is free again.
    fixture.import(&[put("a", &[(Md5, 1)])]);
    fixture.import(&[put("a", &[(Md5, 2)])]);
    fixture.import(&[put("", &[(Md5, 1)])]);
    let ids: Vec<EntryId> = fixture.all().iter().map(|entry| entry.id).collect();
    assert_eq!((ids.len(), ids[0]), (2, first));
    assert_ne!(ids[1], first);
    // The same key of two sources is two entries.
    for source in ["one", "two"] {
        let mut step = fixture.store.begin(by(9)).unwrap();
        step.set_source(source).unwrap();
        assert_eq!(step.apply(&put("b", &[(Md5, 7)])).unwrap(), Outcome::New);
        step.commit().unwrap();
    }
    let named = fixture.store.show(&"key:b".parse().unwrap()).unwrap();
    assert_eq!(named.len(), 2);
    assert_ne!(named[0].id, named[1].id);
    assert_eq!(fixture.store.show(&Selector::Id(named[1].id)).unwrap(), named[1..]);
}

#[test]
fn no_signal_is_shown_where_it_must_not_be() {
    let mut fixture = Fixture::new();
    let mut statement = put("a", &[(Md5, 0xab), (Sha256, 0xcd)]);
    statement.unmatched_signals.insert("photodna".into(), "SECRET".into());
    fixture.import(&[statement]);
    let mut shown = vec![format!("{:?} {:?}", fixture.all(), fixture.diff(0, 1))];
    shown.push(format!("{:?}", fixture.diff(0, 1)[0].fields()));
    let mut step = fixture.store.begin(by(2)).unwrap();
    let Outcome::Refused(refusal) = step.apply(&put("", &[(Md5, 0xab), (Sha256, 0xce)])).unwrap() else {
        panic!("the statement contradicts the entry")
    };
    assert!(matches!(refusal, Refusal::Contradicts(_)));
    shown.push(format!("{refusal} {refusal:?}"));
    let unknown: Selector = digest(Md5, 0xaa).to_hex().parse().unwrap();
    let error: StoreError = step.withdraw(&unknown, "why").unwrap_err();
    assert_eq!(error.to_string(), "no entry has this digest");
    shown.push(format!("{error:?} {unknown:?} {:?}", Selector::Key("abab".into())));
    let shown = shown.join("\n");
    for secret in ["abab", "cdcd", "cece", "aaaa", "SECRET", "171, 171"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("Digests(md5, sha256; …), [\"photodna\"], in force"), "{shown}");
    step.apply(&withdraw("a", &[])).unwrap();
}
