//! Founding, publishing, rotating, keeping alive; and every way in which signatures are missing.

use std::fs;

use hashward_tuf::desk::{Changes, DeskError, Draft, Terms};
use hashward_tuf::{PrivateKey, Role, TargetPath, TufError, verify_folder};

use crate::house::{House, after, now, public};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn two_of_three_found_a_repository_on_two_machines() {
    let house = House::new();
    let repository = house.repository();
    let draft = repository.create(&house.terms(), now()).unwrap();
    assert!(!house.path().exists(), "a draft alone changes nothing");
    let first = house.sign(draft, &["anna"]);
    let error = repository.finish(&first, &house.online, now()).unwrap_err();
    match &error {
        DeskError::SignatureMissing { role: Role::Root, signed_by, missing, threshold: 2, .. } => {
            assert_eq!((signed_by, missing), (&names(&["anna"]), &names(&["ben", "cleo"])));
        }
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("missing: ben, cleo"), "{error}");
    let pending = first.pending().unwrap();
    assert!(pending.len() == 2 && pending.iter().all(|pending| !pending.is_done()));
    let signed = house.sign(first, &["anna", "cleo"]);
    assert!(signed.pending().unwrap().iter().all(|pending| pending.is_done()));
    let published = repository.finish(&signed, &house.online, now()).unwrap();
    assert_eq!((published.root_version, published.targets_version, published.timestamp_version), (1, 1, 1));
    assert!(matches!(repository.create(&house.terms(), now()), Err(DeskError::Present { .. })));
    assert_eq!(house.read("reader").unwrap().targets_version, 1);
    let status = repository.status(after(30)).unwrap();
    let told: Vec<(Role, bool)> =
        status.roles.iter().map(|role| (role.signatures.role, role.is_expired)).collect();
    let expected =
        [(Role::Root, false), (Role::Targets, false), (Role::Snapshot, false), (Role::Timestamp, true)];
    assert_eq!(told, expected);
    assert_eq!(status.roles[0].signatures.signed_by.len(), 2);
    assert_eq!(repository.terms().unwrap(), house.terms());
}

#[test]
fn a_release_reaches_a_reader_with_its_custom_words() {
    let house = House::founded();
    let mut reader = house.reader("reader");
    reader.refresh(now()).unwrap();
    house.publish("lists/sample/7.snapshot", b"the list");
    reader.refresh(now()).unwrap();
    let targets: Vec<_> = reader.targets().unwrap().map(Result::unwrap).collect();
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0].custom, Some(serde_json::json!({ "release": 7 })));
    let to = house.folder.path().join("pulled");
    reader.download(&targets[0], &to).unwrap();
    assert_eq!(fs::read(to).unwrap(), b"the list");
    let path: TargetPath = "lists/sample/7.snapshot".parse().unwrap();
    let changes = Changes { put: Vec::new(), remove: vec![path.clone()] };
    let draft = house.sign(house.repository().plan(&changes, now()).unwrap(), &["anna", "ben"]);
    house.repository().finish(&draft, &house.online, now()).unwrap();
    reader.refresh(now()).unwrap();
    assert_eq!(reader.target(&path).unwrap(), None);
    assert!(matches!(house.repository().plan(&changes, now()), Err(DeskError::NoSuchTarget { .. })));
}

#[test]
fn what_is_not_placed_or_not_as_stated_is_not_published() {
    let house = House::founded();
    let repository = house.repository();
    let mut changes = Changes { put: vec![house.target("list", b"content")], remove: Vec::new() };
    let draft = house.sign(repository.plan(&changes, now()).unwrap(), &["anna", "ben"]);
    let error = repository.finish(&draft, &house.online, now()).unwrap_err();
    assert!(matches!(error, DeskError::OtherFile { .. }), "{error}");
    changes.put[0].length += 1;
    assert!(matches!(repository.place(&changes), Err(DeskError::OtherFile { .. })));
    changes.put[0].length -= 1;
    repository.place(&changes).unwrap();
    repository.finish(&draft, &house.online, now()).unwrap();
    assert_eq!(
        repository.finish(&draft, &house.online, now()).unwrap().targets_version,
        2,
        "again is no harm"
    );
    house.publish("list", b"later");
    let error = repository.finish(&draft, &house.online, now()).unwrap_err();
    assert!(matches!(error, DeskError::Superseded { draft: 2, published: 3, .. }), "{error}");
}

#[test]
fn a_strangers_signature_is_refused_and_an_online_key_is_needed() {
    let house = House::founded();
    let mut draft = house.repository().plan(&Changes::default(), now()).unwrap();
    let error = draft.sign(&house.keys["dora"]).unwrap_err();
    assert!(error.to_string().contains("anna, ben, cleo"), "{error}");
    let draft = house.sign(draft, &["anna", "ben"]);
    let error = house.repository().finish(&draft, &[], now()).unwrap_err();
    assert!(error.to_string().contains("missing: online"), "{error}");
    assert_eq!(house.read("reader").unwrap().targets_version, 1, "nothing was written");
}

#[test]
fn two_who_signed_at_the_same_time_are_joined() {
    let house = House::founded();
    let draft = house.repository().plan(&Changes::default(), now()).unwrap();
    let mut one = house.sign(draft.clone(), &["anna"]);
    let other = house.sign(draft, &["ben"]);
    one.merge(&other).unwrap();
    assert_eq!(house.repository().finish(&one, &house.online, now()).unwrap().targets_version, 2);
    let later = house.repository().plan(&Changes::default(), now()).unwrap();
    assert!(matches!(one.merge(&later), Err(DeskError::NoDraft { .. })));
}

#[test]
fn a_draft_whose_content_was_altered_on_the_way_is_not_published() {
    let house = House::founded();
    let draft = house.sign(house.repository().plan(&Changes::default(), now()).unwrap(), &["anna"]);
    let text = String::from_utf8(draft.to_bytes()).unwrap();
    let altered = Draft::parse(text.replace("2026-05-30", "2036-05-30").as_bytes()).unwrap();
    assert_ne!(altered, draft);
    let altered = house.sign(altered, &["ben"]);
    let error = house.repository().finish(&altered, &house.online, now()).unwrap_err();
    assert!(error.to_string().contains("missing: anna, cleo"), "{error}");
    for broken in ["", "{}", "[]", "{\"format\":\"x\",\"files\":[]}"] {
        assert!(matches!(Draft::parse(broken.as_bytes()), Err(DeskError::NoDraft { .. })));
    }
}

#[test]
fn a_folder_that_was_tampered_with_is_not_built_on() {
    let house = House::founded();
    house.publish("list", b"content");
    let path = house.path().join("metadata/2.targets.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"release\": 7", "\"release\": 8")).unwrap();
    let error = house.repository().plan(&Changes::default(), now()).unwrap_err();
    assert!(matches!(error, DeskError::Trust(TufError::TooFewSignatures { .. })), "{error}");
}

#[test]
fn keys_are_rotated_by_old_and_new_ones_and_readers_of_both_follow() {
    let mut house = House::founded();
    house.publish("list", b"content");
    house.read("before").unwrap();
    house.online.push(PrivateKey::generate().unwrap());
    let terms = house.terms_of(&["ben", "cleo", "dora"]);
    let draft = house.repository().rotate(&terms, now()).unwrap();
    let only_new = house.sign(draft.clone(), &["dora"]);
    let error = house.repository().finish(&only_new, &house.online, now()).unwrap_err();
    assert!(matches!(error, DeskError::SignatureMissing { .. }), "{error}");
    let draft = house.sign(draft, &["ben", "cleo"]);
    let published = house.repository().finish(&draft, &house.online, now()).unwrap();
    assert_eq!((published.root_version, published.targets_version), (2, 3));
    assert_eq!(house.read("before").unwrap().root_version, 2);
    assert_eq!(house.read("new").unwrap().root_version, 2);
    // Anna's key does not count any more.
    let draft = house.repository().plan(&Changes::default(), now()).unwrap();
    let mut draft = house.sign(draft, &["ben"]);
    assert!(matches!(draft.sign(&house.keys["anna"]), Err(DeskError::NotASigner { .. })));
    // The old online key does not either.
    let error = house.repository().renew(&house.online[..1], now()).unwrap_err();
    assert!(error.to_string().contains("missing: online"), "{error}");
    house.repository().renew(&house.online[1..], now()).unwrap();
    house.read("before").unwrap();
}

#[test]
fn a_repository_is_kept_alive_by_its_online_key() {
    let house = House::founded();
    let mut reader = house.reader("reader");
    reader.refresh(now()).unwrap();
    assert!(matches!(reader.refresh(after(24)), Err(TufError::Expired { .. })));
    let renewed = house.repository().renew(&house.online, after(24)).unwrap();
    assert_eq!((renewed.timestamp_version, renewed.snapshot_version), (2, 1));
    reader.refresh(after(24)).unwrap();
    let renewed = house.repository().renew(&house.online, after(24 * 4)).unwrap();
    assert_eq!((renewed.timestamp_version, renewed.snapshot_version), (3, 2), "half of its week is over");
    reader.refresh(after(24 * 4)).unwrap();
}

#[test]
fn terms_that_cannot_be_kept_are_refused() {
    let house = House::new();
    let key = &house.keys["anna"];
    let online = [public("online", &house.online[0])].into();
    let twice = [public("anna", key), public("anna again", key)].into();
    for (offline, threshold, why) in [
        (twice, 2, "listed twice"),
        ([public("anna", key)].into(), 2, "threshold"),
        ([public("anna", key)].into(), 0, "threshold"),
    ] {
        let error =
            house.repository().create(&Terms::usual(&offline, threshold, &online), now()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_folder_is_verified_step_by_step_and_offline() {
    let house = House::founded();
    house.publish("lists/a", b"content");
    let mut told = Vec::new();
    assert!(verify_folder(&house.path(), None, now(), &mut |step| told.push(step)));
    let sections: Vec<&str> = told.iter().map(|step| step.section).collect();
    assert_eq!(sections, ["5.3.2", "5.3.10", "5.4", "5.5", "5.6", "5.7.2"]);
    assert!(told[4].told.contains("signed by ben, cleo") || told[4].told.contains("signed by cleo, ben"));
    for (name, section) in [("timestamp.json", "5.4"), ("2.snapshot.json", "5.5"), ("2.targets.json", "5.6")]
    {
        let path = house.path().join("metadata").join(name);
        let bytes = fs::read(&path).unwrap();
        let mut altered = bytes.clone();
        let at = altered.iter().position(|byte| *byte == b'2').unwrap();
        altered[at] = b'3';
        fs::write(&path, altered).unwrap();
        let mut told = Vec::new();
        assert!(!verify_folder(&house.path(), None, now(), &mut |step| told.push(step)));
        assert_eq!(told.last().map(|step| step.section), Some(section));
        fs::write(&path, bytes).unwrap();
    }
    let other = House::founded();
    let root = fs::read(other.path().join("metadata/1.root.json")).unwrap();
    assert!(
        !verify_folder(&house.path(), Some(&root), now(), &mut |_| ()),
        "it is not what this root vouches for"
    );
}
