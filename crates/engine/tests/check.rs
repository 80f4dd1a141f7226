//! The verdict, case by case.

mod support;

use hashward_core::{
    Action, Algorithm, Decision, Digests, Generation, Ground, Identity, Priority, Unreadable, UnreadableKind,
};
use hashward_engine::{Conditions, Content, Policy, Stage, alert, check};
use jiff::Timestamp;
use support::{ListText, content, lines, snapshot};

use Algorithm::{Blake3, Md5, Sha1, Sha256, Sha512, Xxh3};

const LISTED: &[u8] = b"listed content";

/// Some moment at which nothing has tripped.
fn now() -> Conditions {
    Conditions::at(Timestamp::UNIX_EPOCH)
}

fn list(id: &'static str, toml: &'static str, algorithms: &[Algorithm]) -> ListText {
    ListText { id, toml, text: lines("item", LISTED, algorithms) }
}

/// The decision's word and each match's list, ground and action, for `LISTED`.
fn told(lists: &[ListText], policy: &Policy) -> (String, Vec<(String, Ground, Action)>) {
    let snapshot = snapshot(lists);
    let verdict = check(&snapshot, policy, &now(), &content(&snapshot, LISTED));
    assert_eq!(verdict.generation, Generation(7));
    let matches = verdict.matches.iter().map(|m| (m.list.id.to_string(), m.ground, m.action)).collect();
    (verdict.decision.word().to_owned(), matches)
}

fn one(toml: &'static str, algorithms: &[Algorithm], policy: &Policy) -> (String, Ground, Action) {
    let (word, matches) = told(&[list("one", toml, algorithms)], policy);
    let (_, ground, action) = matches[0];
    (word, ground, action)
}

#[test]
fn what_a_list_asks_for_is_done() {
    let policy = Policy::default();
    for (toml, expected) in [
        ("", Action::Review),
        ("action = 'observe'", Action::Observe),
        ("action = 'review'", Action::Review),
        ("action = 'block'", Action::Block),
        ("action = 'takedown'", Action::Block),
    ] {
        assert_eq!(
            one(toml, &[Sha256], &policy),
            (expected.word().to_owned(), Ground::AsListed, expected),
            "{toml}"
        );
    }
}

#[test]
fn published_content_is_taken_down_and_not_blocked() {
    let policy = Policy { stage: Stage::Published, ..Policy::default() };
    assert_eq!(one("action = 'block'", &[Sha256], &policy).2, Action::Takedown);
    assert_eq!(one("action = 'review'", &[Sha256], &policy).2, Action::Review);
}

#[test]
fn a_weak_digest_alone_is_reviewed() {
    let policy = Policy::default();
    for algorithms in [&[Md5][..], &[Sha1]] {
        let (word, ground, _) = one("action = 'block'", algorithms, &policy);
        assert_eq!((word.as_str(), ground), ("review", Ground::WeakDigestAlone), "{algorithms:?}");
        let (word, ground, _) = one("action = 'observe'", algorithms, &policy);
        assert_eq!((word.as_str(), ground), ("observe", Ground::AsListed), "{algorithms:?}");
    }
    let bold = Policy { weak_digest_action: Action::Takedown, ..Policy::default() };
    assert_eq!(one("action = 'block'", &[Md5], &bold), ("block".to_owned(), Ground::AsListed, Action::Block));
    let shy = Policy { weak_digest_action: Action::Observe, ..Policy::default() };
    assert_eq!(one("action = 'block'", &[Md5], &shy).0, "observe");
}

#[test]
fn a_second_digest_of_the_same_entry_agrees() {
    let policy = Policy::default();
    for algorithms in [&[Md5, Sha1][..], &[Md5, Sha256], &[Sha1, Sha512], &[Blake3]] {
        assert_eq!(one("action = 'block'", algorithms, &policy).0, "block", "{algorithms:?}");
    }
    // Two entries with one weak digest each do not agree with one another.
    let text = lines("a", LISTED, &[Md5]) + &lines("b", LISTED, &[Sha1]);
    let (word, matches) = told(&[ListText { id: "two", toml: "action = 'block'", text }], &policy);
    assert_eq!((word.as_str(), matches.len()), ("review", 2));
}

#[test]
fn xxh3_is_no_ground() {
    let policy = Policy { weak_digest_action: Action::Takedown, ..Policy::default() };
    let (word, matches) = told(&[list("one", "action = 'block'", &[Xxh3])], &policy);
    assert_eq!((word.as_str(), matches.len()), ("allow", 0));
    // Nor does it make a weak digest stronger.
    let policy = Policy::default();
    assert_eq!(one("action = 'block'", &[Md5, Xxh3], &policy).1, Ground::WeakDigestAlone);
}

#[test]
fn a_stronger_digest_that_differs_contradicts() {
    // The entry's MD5 is the content's, as after a collision attack; its SHA-256 is another's.
    let text = lines("item", LISTED, &[Md5]) + &lines("item", b"the real item", &[Sha256]);
    let bold = Policy { weak_digest_action: Action::Takedown, ..Policy::default() };
    let lists = [ListText { id: "one", toml: "action = 'block'", text }];
    let (word, matches) = told(&lists, &bold);
    assert_eq!((word.as_str(), matches[0].1), ("review", Ground::Contradicted));
    // A provider that states the MD5 alone leaves the contradiction unseen.
    let snapshot = snapshot(&lists);
    let stated: Digests = hashward_digest::digest_bytes([Md5].into_iter().collect(), LISTED).iter().collect();
    let verdict = check(&snapshot, &Policy::default(), &now(), &Content::Digests(stated));
    assert_eq!(verdict.matches[0].ground, Ground::WeakDigestAlone);
}

#[test]
fn the_strictest_action_that_the_jurisdictions_accept_wins_and_all_matches_are_named() {
    let lists = [
        list("abroad", "action = 'block'\nterritories = ['US']", &[Sha256]),
        list("mild", "action = 'observe'", &[Sha256]),
        list("union", "action = 'review'\nterritories = ['EU']", &[Sha256]),
    ];
    let german = Policy { jurisdictions: vec!["DE".parse().unwrap()], ..Policy::default() };
    let (word, matches) = told(&lists, &german);
    assert_eq!(word, "review");
    let named: Vec<_> = matches.iter().map(|(id, ground, action)| (id.as_str(), *ground, *action)).collect();
    assert_eq!(
        named,
        [
            ("abroad", Ground::OutsideJurisdiction, Action::Observe),
            ("mild", Ground::AsListed, Action::Observe),
            ("union", Ground::AsListed, Action::Review),
        ]
    );
    assert_eq!(told(&lists, &Policy::default()).0, "block", "without jurisdictions every list is followed");
}

#[test]
fn what_cannot_be_judged_is_not_allowed() {
    let snapshot = snapshot(&[list("one", "", &[Sha256])]);
    let reason = Unreadable::new(UnreadableKind::ReadFailed, "gone");
    let verdict = check(&snapshot, &Policy::default(), &now(), &Content::Unreadable(reason.clone()));
    assert_eq!(verdict.decision, Decision::Unreadable(reason));
    let md5 = hashward_digest::digest_bytes([Md5].into_iter().collect(), LISTED);
    let verdict = check(&snapshot, &Policy::default(), &now(), &Content::Digests(md5));
    let Decision::Unreadable(reason) = verdict.decision else { panic!("{verdict:?}") };
    assert_eq!(reason.to_string(), "no-usable-digest: stated digests: md5; the loaded lists hold: sha256");
}

#[test]
fn other_content_is_allowed() {
    let snapshot = snapshot(&[list("one", "action = 'block'", &[Md5, Sha1, Sha256, Sha512, Blake3, Xxh3])]);
    for other in [&b""[..], b"listed conten", b"listed content ", &[0; 4096]] {
        assert_eq!(
            check(&snapshot, &Policy::default(), &now(), &content(&snapshot, other)).decision,
            Decision::Allow
        );
    }
}

#[test]
fn an_alert_tells_what_matched_and_nothing_else() {
    let toml =
        "action = 'block'\npriority = 'urgent'\ndeadline_minutes = 60\nterritories = ['EU']\nowner = 'BKA'";
    let lists = [list("one", toml, &[Md5, Sha256]), list("two", "action = 'observe'", &[Sha1])];
    let snapshot = snapshot(&lists);
    let verdict = check(&snapshot, &Policy::default(), &now(), &content(&snapshot, LISTED));
    let identity = |id: &str| Identity { id: id.to_owned(), ..Identity::default() };
    let decided: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let made = alert(&verdict, identity("uploads/0/7"), decided).unwrap();
    assert_eq!((made.action, made.priority), (Action::Block, Priority::Urgent));
    assert_eq!(made.decided_at, "2026-11-22T10:00:00.000Z");
    assert_eq!(made.deadline.as_deref(), Some("2026-11-22T11:00:00.000Z"));
    assert_eq!(made.territories.iter().map(ToString::to_string).collect::<Vec<_>>(), ["EU"]);
    assert_eq!(made.matches.len(), 2);
    let told: Vec<_> = made.matches.iter().map(|m| m.digests.keys().copied().collect::<Vec<_>>()).collect();
    assert_eq!(told, [vec![Md5, Sha256], vec![Sha1]]);

    let later = alert(&verdict, identity("uploads/0/7"), Timestamp::now()).unwrap();
    assert_eq!(made.alert_id, later.alert_id, "a replay makes the same id");
    let other = alert(&verdict, identity("uploads/0/8"), decided).unwrap();
    assert_ne!(made.alert_id, other.alert_id);
    let published = Policy { stage: Stage::Published, ..Policy::default() };
    let verdict = check(&snapshot, &published, &now(), &content(&snapshot, LISTED));
    assert_ne!(made.alert_id, alert(&verdict, identity("uploads/0/7"), decided).unwrap().alert_id);
}
