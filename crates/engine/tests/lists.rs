//! Lists behind one index: built, sealed, opened, changed, and held against the rails.
#![allow(clippy::unwrap_used, clippy::format_collect, reason = "a test may panic, and takes its time")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashward_core::{Action, Algorithm, Category, Digest, Digests, EntryId, Generation, ListInfo, Territory};
use hashward_engine::lists::{
    BuildOptions, Changes, ChangesError, KnownGood, ListIndex, ListIndexBuilder, ListIndexError, Mismatch,
    Rails, Refusal, StepCaps, verify_against,
};
use hashward_engine::{LoadedList, Snapshot};
use hashward_index::{IndexError, SealKey};
use hashward_list::store::{StepInfo, Store};
use hashward_list::{Change, LoadOptions, NamedHistory, Statement, open};
use jiff::Timestamp;
use proptest::prelude::{any, prop, proptest};
use proptest::{prop_assert_eq, prop_oneof};
use tempfile::TempDir;

const NOW: i64 = 1_795_000_000;

fn digest(number: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Digest::new(Algorithm::Sha256, &bytes).unwrap()
}

fn by() -> StepInfo {
    StepInfo { who: "tester".to_owned(), why: "a test".to_owned(), when: Timestamp::now() }
}

fn statement(number: u64, change: Change) -> Statement {
    Statement { change, digests: Digests::from_iter([digest(number)]), ..Statement::default() }
}

/// A list folder with the entries of some numbers.
fn folder(at: &Path, id: &str, numbers: impl IntoIterator<Item = u64>) -> Store {
    let mut store = Store::init(at, &ListInfo::bare(id.parse().unwrap()), by()).unwrap();
    put(&mut store, numbers);
    store
}

fn put(store: &mut Store, numbers: impl IntoIterator<Item = u64>) {
    step(store, numbers.into_iter().map(|number| statement(number, Change::Put)));
}

fn withdraw(store: &mut Store, numbers: impl IntoIterator<Item = u64>) {
    step(store, numbers.into_iter().map(|number| statement(number, Change::Withdraw)));
}

fn step(store: &mut Store, statements: impl IntoIterator<Item = Statement>) {
    let mut step = store.begin(by()).unwrap();
    for statement in statements {
        step.apply(&statement).unwrap();
    }
    step.commit().unwrap();
}

/// A text list with the digests of some numbers.
fn text(at: &Path, numbers: impl IntoIterator<Item = u64>) -> PathBuf {
    let lines: String = numbers.into_iter().map(|number| format!("{}\n", digest(number).to_hex())).collect();
    fs::write(at, lines).unwrap();
    at.to_owned()
}

fn built(
    lists: &[&Path],
    key: &SealKey,
    path: Option<&Path>,
    rails: Rails<'_>,
) -> Result<ListIndex, ListIndexError> {
    let options = BuildOptions { path, layout: None, rails, now: NOW };
    let mut builder = ListIndexBuilder::new(key, options)?;
    for list in lists {
        builder.add(open(list, &LoadOptions::default())?, &mut |_| {})?;
    }
    builder.finish(&mut |_| {})
}

fn snapshot(generation: u64, index: ListIndex) -> Snapshot {
    Snapshot::new(Generation(generation), vec![Arc::new(index)]).unwrap()
}

/// Which numbers below `end` lead to an entry, and to which of which list.
fn found(snapshot: &Snapshot, end: u64) -> BTreeMap<u64, Vec<(String, EntryId, bool)>> {
    let mut all: BTreeMap<u64, Vec<(String, EntryId, bool)>> = BTreeMap::new();
    for number in 0..end {
        let mut numbers = Vec::new();
        snapshot.lookup(&[digest(number)], &mut |_, entry| numbers.push(entry)).unwrap();
        for entry in numbers {
            let record = snapshot.record(entry).unwrap();
            let list = snapshot.list(&record).info.id.to_string();
            all.entry(number).or_default().push((list, record.id, record.disputed));
        }
    }
    for entries in all.values_mut() {
        entries.sort();
    }
    all
}

fn keys(found: &BTreeMap<u64, Vec<(String, EntryId, bool)>>) -> Vec<u64> {
    found.keys().copied().collect()
}

struct Desk {
    folder: TempDir,
    key: SealKey,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: SealKey::generate().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn a_sealed_file_stands_alone() {
    let desk = Desk::new();
    let mut info = ListInfo::bare("national".parse().unwrap());
    info.owner = Some("Example Authority".to_owned());
    info.category = "csam-baseline".parse::<Category>().unwrap();
    info.action = Action::Block;
    info.territories = vec![Territory::EU];
    info.deadline_minutes = Some(60);
    let mut store = Store::init(&desk.at("national"), &info, by()).unwrap();
    put(&mut store, 0..100);
    let other = text(&desk.at("other.txt"), 90..120);
    let sealed = desk.at("all.index");
    let index = built(&[&desk.at("national"), &other], &desk.key, Some(&sealed), Rails::default()).unwrap();
    let expected = found(&snapshot(1, index), 130);
    drop(store);
    fs::remove_dir_all(desk.at("national")).unwrap();
    fs::remove_file(&other).unwrap();

    let opened = ListIndex::open(&sealed, &desk.key).unwrap();
    opened.verify().unwrap();
    let lists: Vec<LoadedList> = opened.lists().to_vec();
    assert_eq!(*lists[0].info, info);
    assert_eq!((lists[0].entries, lists[1].entries), (100, 30));
    assert_eq!(lists[0].state.as_ref().unwrap().number, 1);
    let snapshot = snapshot(1, opened);
    assert_eq!(found(&snapshot, 130), expected);
    assert_eq!(keys(&expected), (0..120).collect::<Vec<_>>());
    assert_eq!(expected[&95].len(), 2, "both lists hold it");

    let stranger = SealKey::generate().unwrap();
    let wrong = ListIndex::open(&sealed, &stranger).unwrap_err();
    assert!(matches!(wrong, ListIndexError::Index(IndexError::WrongKey { .. })), "{wrong}");
}

#[test]
fn several_indexes_answer_as_one() {
    let desk = Desk::new();
    let (a, b) = (text(&desk.at("a.txt"), 0..50), text(&desk.at("b.txt"), 40..90));
    let apart = [&a, &b].map(|list| Arc::new(built(&[list], &desk.key, None, Rails::default()).unwrap()));
    let apart = Snapshot::new(Generation(1), apart.to_vec()).unwrap();
    let together = snapshot(1, built(&[&a, &b], &desk.key, None, Rails::default()).unwrap());
    assert_eq!(found(&apart, 100), found(&together, 100));
    let twice = built(&[&a, &a], &desk.key, None, Rails::default());
    assert!(matches!(twice, Err(ListIndexError::SameId { .. })));
    let index = Arc::new(built(&[&a], &desk.key, None, Rails::default()).unwrap());
    let twice = Snapshot::new(Generation(1), vec![Arc::clone(&index), index]);
    assert!(matches!(twice.err(), Some(ListIndexError::SameId { .. })));
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Whatever happens to list folders, the index with changes over it, and what it folds into, answer like one that is
    /// built anew.
    #[test]
    fn changes_over_an_index_equal_one_built_anew(
        steps in prop::collection::vec(
            (any::<bool>(), prop_oneof![0_u8..3, 0_u8..5], prop::collection::vec(0_u64..40, 1..12)), 1..8),
        base_after in 0_usize..8,
    ) {
        let desk = Desk::new();
        let mut stores = [folder(&desk.at("a"), "a", 0..10), folder(&desk.at("b"), "b", 5..15)];
        let fixed = text(&desk.at("c.txt"), 10..20);
        let paths = [desk.at("a"), desk.at("b"), fixed];
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let mut base = None;
        for (number, (second, what, numbers)) in steps.into_iter().enumerate() {
            if number == base_after.min(2) {
                base = Some(built(&paths, &desk.key, None, Rails::default()).unwrap());
            }
            let store = &mut stores[usize::from(second)];
            match what {
                0 => put(store, numbers),
                1 => withdraw(store, numbers),
                _ => dispute(store, &numbers),
            }
        }
        let base = base.unwrap_or_else(|| built(&paths, &desk.key, None, Rails::default()).unwrap());
        let open = |name: &str| history(name, Store::open_read_only(&desk.at(name)).unwrap());
        let folders = [open("a"), open("b")];
        let changes = Changes { lists: &folders, rails: Rails::default(), now: NOW };
        let laid = match (base.with_changes(&changes, &desk.key), built(&paths, &desk.key, None, Rails::default())) {
            (Ok(laid), Ok(anew)) => {
                let counts = |index: &ListIndex| index.lists().iter().map(|l| l.entries).collect::<Vec<_>>();
                prop_assert_eq!(counts(&laid), counts(&anew));
                let states = |index: &ListIndex| index.lists().iter().map(|l| l.state.clone()).collect::<Vec<_>>();
                prop_assert_eq!(states(&laid), states(&anew));
                let folded = laid.folded(None, &desk.key, &mut |_| {}).unwrap();
                prop_assert_eq!(folded.changes(), 0);
                let expected = found(&snapshot(1, anew), 50);
                prop_assert_eq!(&found(&snapshot(1, folded), 50), &expected);
                prop_assert_eq!(&found(&snapshot(1, laid), 50), &expected);
                return Ok(());
            }
            (laid, _) => laid,
        };
        // Both refuse a list that lost all its entries.
        assert!(laid.is_err_and(|error| matches!(error, ChangesError::Failed(ListIndexError::List(_)))));
    }
}

/// A folder as a list that knows its past.
fn history(list: &str, store: Store) -> NamedHistory {
    (list.parse().unwrap(), Box::new(store))
}

fn dispute(store: &mut Store, numbers: &[u64]) {
    let mut step = store.begin(by()).unwrap();
    for number in numbers {
        let selector = format!("sha256:{}", digest(*number).to_hex()).parse().unwrap();
        // What is not in the list cannot be disputed.
        let _ = step.dispute(&selector, "a complaint");
    }
    step.commit().unwrap();
}

#[test]
fn a_folder_that_the_index_does_not_hold_is_not_left_out() {
    let desk = Desk::new();
    let a = folder(&desk.at("a"), "a", 0..10);
    let base = built(&[&desk.at("a")], &desk.key, None, Rails::default()).unwrap();
    let folders = [history("a", a), history("b", folder(&desk.at("b"), "b", 10..20))];
    let laid = base.with_changes(&Changes { lists: &folders, rails: Rails::default(), now: NOW }, &desk.key);
    assert!(matches!(laid, Err(ChangesError::BuildAnew(list)) if list.as_str() == "b"));
}

#[test]
fn a_folder_with_another_history_is_built_anew() {
    let desk = Desk::new();
    drop(folder(&desk.at("a"), "a", 0..10));
    let base = built(&[&desk.at("a")], &desk.key, None, Rails::default()).unwrap();
    fs::remove_dir_all(desk.at("a")).unwrap();
    let mut store = folder(&desk.at("a"), "a", 20..30);
    put(&mut store, [31]);
    let folders = [history("a", store)];
    let laid = base.with_changes(&Changes { lists: &folders, rails: Rails::default(), now: NOW }, &desk.key);
    assert!(matches!(laid, Err(ChangesError::BuildAnew(_))));
}

#[test]
fn popular_files_in_a_list_are_all_caught() {
    let desk = Desk::new();
    let nsrl: String = (0..1000)
        .map(|n| format!("\"{}\",\"{}\",\"00000000\",\"f{n}\",1,1,\"1\",\"\"\r\n", "A".repeat(40), md5(n)))
        .collect();
    let head = "\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\",\"OpSystemCode\",\"SpecialCode\"\r\n";
    // The set has the empty file, and files that are not good at all.
    let special = format!(
        "\"{}\",\"{}\",\"00000000\",\"empty\",0,1,\"1\",\"\"\r\n\"{}\",\"{}\",\"00000000\",\"virus\",1,1,\"1\",\"M\"\r\n",
        "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
        "D41D8CD98F00B204E9800998ECF8427E",
        "B".repeat(40),
        "B".repeat(32)
    );
    fs::write(desk.at("NSRLFile.txt"), format!("{head}{nsrl}{special}")).unwrap();
    let known_good = KnownGood::load(&[desk.at("NSRLFile.txt")], &[digest(7)], &desk.key).unwrap();
    assert_eq!(known_good.digests(), 1000 + 1 + 1, "each MD5, one SHA-1, one by name");

    let mut lines: String = (0..1000).map(|n| format!("{}\n", md5(n).to_lowercase())).collect();
    lines.push_str(&digest(7).to_hex());
    lines.push('\n');
    lines.push_str(&(100..200).map(|n| format!("{}\n", digest(n).to_hex())).collect::<String>());
    fs::write(desk.at("list.txt"), lines).unwrap();
    let rails = Rails { known_good: Some(&known_good), ..Rails::default() };
    let index = built(&[&desk.at("list.txt")], &desk.key, None, rails).unwrap();
    let list = &index.lists()[0];
    assert_eq!((list.entries, list.quarantined.count, list.quarantined.first.len()), (100, 1001, 20));
    verify_against(
        &index,
        vec![open(&desk.at("list.txt"), &LoadOptions::default()).unwrap()],
        Some(&known_good),
    )
    .unwrap()
    .unwrap();
    assert_eq!(keys(&found(&snapshot(1, index), 200)), (100..200).collect::<Vec<_>>());

    // The same, where only seals are left of the list.
    let sealed = desk.at("list.index");
    built(&[&desk.at("list.txt")], &desk.key, Some(&sealed), Rails::default()).unwrap();
    let railed = ListIndex::open(&sealed, &desk.key).unwrap().railed(rails, &desk.key).unwrap();
    assert_eq!((railed.lists()[0].entries, railed.lists()[0].quarantined.count), (100, 1001));
    assert_eq!(keys(&found(&snapshot(1, railed), 200)), (100..200).collect::<Vec<_>>());

    // And where an entry comes by a change.
    let mut store = folder(&desk.at("a"), "a", [50]);
    let base = built(&[&desk.at("a")], &desk.key, None, rails).unwrap();
    put(&mut store, [7, 51]);
    let folders = [history("a", store)];
    let laid = base.with_changes(&Changes { lists: &folders, rails, now: NOW }, &desk.key).unwrap();
    assert_eq!((laid.lists()[0].entries, laid.lists()[0].quarantined.count), (2, 1));

    fs::write(desk.at("good.txt"), format!("{}\n", digest(60).to_hex())).unwrap();
    let all = KnownGood::load(&[desk.at("good.txt")], &[], &desk.key).unwrap();
    let only = text(&desk.at("only.txt"), [60]);
    let refused = built(&[&only], &desk.key, None, Rails { known_good: Some(&all), ..Rails::default() });
    assert!(matches!(refused, Err(ListIndexError::AllKnownGood { .. })));
}

fn md5(number: u64) -> String {
    format!("{:032X}", u128::from(number) + (1 << 100))
}

#[test]
fn known_good_digests_are_taken_all_or_none() {
    let desk = Desk::new();
    fs::write(desk.at("good.txt"), format!("{}\nnonsense\n", digest(1).to_hex())).unwrap();
    let error = KnownGood::load(&[desk.at("good.txt")], &[], &desk.key).err().unwrap().to_string();
    assert!(error.contains("good.txt: line 2: ") && error.contains("expected"), "{error}");
}

#[test]
fn too_large_a_step_is_refused() {
    let desk = Desk::new();
    let caps = StepCaps { growth_percent_max: 50, removals_percent_max: 20, free_entries: 2 };
    let list = text(&desk.at("list.txt"), 0..100);
    let before = snapshot(1, built(&[&list], &desk.key, None, Rails::default()).unwrap());
    let rails = Rails { caps: Some(caps), previous: Some(&before), ..Rails::default() };
    let word = |result: Result<ListIndex, ListIndexError>| match result {
        Ok(_) => "taken",
        Err(error) => error.refusal().map_or("failed", Refusal::word),
    };
    for (numbers, expected) in
        [(0..10, "removals"), (0..80, "taken"), (0..79, "removals"), (0..150, "taken"), (0..151, "growth")]
    {
        text(&list, numbers.clone());
        assert_eq!(word(built(&[&list], &desk.key, None, rails)), expected, "{numbers:?} of a text list");
        let sealed = desk.at("list.index");
        built(&[&list], &desk.key, Some(&sealed), Rails::default()).unwrap();
        let railed = ListIndex::open(&sealed, &desk.key).unwrap().railed(rails, &desk.key);
        assert_eq!(word(railed), expected, "{numbers:?} of a sealed file");
    }

    let word = |base: &ListIndex, list: &str, store: Store| {
        let folders = [history(list, store)];
        match base.with_changes(&Changes { lists: &folders, rails, now: NOW }, &desk.key) {
            Ok(_) => "taken",
            Err(ChangesError::BuildAnew(_)) => "anew",
            Err(ChangesError::Failed(error)) => error.refusal().map_or("failed", Refusal::word),
        }
    };
    // What ends is removed, and further digests are growth, whatever the entries are called.
    let end = Timestamp::from_second(NOW - 1).unwrap();
    let ends = |number| Statement { valid_until: Some(end), ..statement(number, Change::Put) };
    let further = |number: u64| {
        let mut more = statement(number, Change::Put);
        more.digests.insert(&Digest::new(Algorithm::Md5, &[u8::try_from(number + 1).unwrap(); 16]).unwrap());
        more
    };
    let withdrawn = |number| statement(number, Change::Withdraw);
    let changed = |list: &str, statements: Vec<Statement>| {
        let mut store = folder(&desk.at(list), list, 0..100);
        let base = built(&[&desk.at(list)], &desk.key, None, Rails::default()).unwrap();
        step(&mut store, statements);
        word(&base, list, store)
    };
    assert_eq!(changed("withdrawn", (0..90).map(withdrawn).collect()), "removals");
    assert_eq!(changed("ends", (0..90).map(ends).collect()), "removals");
    assert_eq!(changed("further", (0..90).map(further).collect()), "growth");
    assert_eq!(changed("a-few", (0..20).map(withdrawn).collect()), "taken");
}

#[test]
fn entries_of_a_text_list_keep_the_moment_they_came() {
    let desk = Desk::new();
    let list = text(&desk.at("list.txt"), 0..10);
    let since = |snapshot: &Snapshot, number: u64| {
        let mut since = None;
        let mut entry = None;
        snapshot.lookup(&[digest(number)], &mut |_, found| entry = Some(found)).unwrap();
        if let Some(entry) = entry {
            since = snapshot.record(entry).unwrap().listed_since;
        }
        since
    };
    let first = snapshot(1, built(&[&list], &desk.key, None, Rails::default()).unwrap());
    assert_eq!(since(&first, 3), None, "nobody knows since when what was there first is listed");
    text(&list, 0..12);
    let rails = Rails { previous: Some(&first), ..Rails::default() };
    let second = snapshot(2, built(&[&list], &desk.key, None, rails).unwrap());
    assert_eq!((since(&second, 3), since(&second, 11)), (None, Some(NOW)));
    let options = BuildOptions {
        rails: Rails { previous: Some(&second), ..Rails::default() },
        now: NOW + 1000,
        ..BuildOptions::default()
    };
    let mut builder = ListIndexBuilder::new(&desk.key, options).unwrap();
    builder.add(open(&list, &LoadOptions::default()).unwrap(), &mut |_| {}).unwrap();
    let third = snapshot(3, builder.finish(&mut |_| {}).unwrap());
    assert_eq!((since(&third, 3), since(&third, 11)), (None, Some(NOW)), "a new generation changes nothing");
}

#[test]
fn an_index_is_held_against_its_source() {
    let desk = Desk::new();
    let list = text(&desk.at("list.txt"), 0..5000);
    let index = built(&[&list], &desk.key, None, Rails::default()).unwrap();
    let against = |index: &ListIndex, numbers: std::ops::Range<u64>| {
        text(&list, numbers);
        verify_against(index, vec![open(&list, &LoadOptions::default()).unwrap()], None).unwrap()
    };
    assert_eq!(against(&index, 0..5000), Ok(()));
    assert!(matches!(against(&index, 0..5001), Err(Mismatch::Missing { .. })));
    assert!(matches!(against(&index, 0..4999), Err(Mismatch::Count { found: 5000, expected: 4999, .. })));
    let other = text(&desk.at("other.txt"), 0..1);
    let other = vec![open(&other, &LoadOptions::default()).unwrap()];
    assert!(matches!(verify_against(&index, other, None).unwrap(), Err(Mismatch::NoList { .. })));
}
