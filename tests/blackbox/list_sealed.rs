//! Sealed files: built, checked, used wherever a list is named, and useless to a thief.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hashward_core::Algorithm;
use serde_json::Value;

use crate::fixture::{harmless, hex, json, listed};
use crate::list_fixture::{Lists, last, text_list};
use crate::worker::{Worker, hashward, text, wait_for};

const ENTRIES: usize = 200;

/// A sealed file of a list folder and a text list, and its key, outside of the data folder `data`.
fn sealed() -> Lists {
    let lists = Lists::new();
    fs::create_dir(lists.path("data")).unwrap();
    lists.write("import.txt", text_list(0..ENTRIES - 50));
    lists.ok(&["import", "national", "import.txt"]);
    lists.write("other.txt", text_list(ENTRIES - 50..ENTRIES));
    lists.ok(&["key", "seal.key"]);
    lists.ok(&["build", "national", "other.txt", "--sealed", "data/all.index", "--key-file", "seal.key"]);
    lists
}

fn scan(lists: &Lists, arguments: &[&str]) -> std::process::Output {
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["scan", "--json"]).args(arguments);
    command.output().unwrap()
}

#[test]
fn a_sealed_file_is_built_checked_and_named_like_a_list() {
    let lists = sealed();
    let key = ["--key-file", "seal.key"];
    let checked = lists.json(
        &[&["check", "data/all.index", "--against", "national", "--against", "other.txt"], &key[..]].concat(),
    );
    assert_eq!(
        (&last(&checked)["sound"], &last(&checked)["lists"][0]["entries"]),
        (&true.into(), &150.into())
    );
    // Built twice, it is the same file.
    let first = fs::read(lists.path("data/all.index")).unwrap();
    lists.ok(&[&["build", "national", "other.txt", "--sealed", "data/all.index"], &key[..]].concat());
    assert_eq!(fs::read(lists.path("data/all.index")).unwrap(), first);
    assert_eq!(names(&lists.path("data")), ["all.index"]);

    fs::create_dir(lists.path("files")).unwrap();
    lists.write("files/a", listed(3));
    lists.write("files/b", harmless(3));
    lists.write("files/c", listed(ENTRIES - 1));
    let key_file = ["--set", "lists.key_file=seal.key"];
    let found = scan(&lists, &[&["--list", "data/all.index", "files"], &key_file[..]].concat());
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let found: Vec<Value> = text(&found.stdout).lines().map(|line| json(line.as_bytes())).collect();
    assert_eq!((&found[0]["path"], &found[0]["verdict"]), (&"files/a".into(), &"block".into()));
    assert_eq!((&found[1]["path"], &found[1]["verdict"]), (&"files/c".into(), &"review".into()));
    assert_eq!(found[2]["summary"]["matched"], 2);

    // Beside a list that is no sealed file.
    lists.write("third.txt", text_list(ENTRIES..ENTRIES + 1));
    lists.write("files/d", listed(ENTRIES));
    let both = scan(
        &lists,
        &[&["--list", "third.txt", "--list", "data/all.index", "files"], &key_file[..]].concat(),
    );
    assert_eq!(json(text(&both.stdout).lines().last().unwrap().as_bytes())["summary"]["matched"], 3);

    let told = |output: &std::process::Output| text(&output.stderr);
    let keyless = scan(&lists, &["--list", "data/all.index", "files"]);
    assert_eq!(keyless.status.code(), Some(2));
    assert!(
        told(&keyless).contains("data/all.index") && told(&keyless).contains("lists.key_file"),
        "{}",
        told(&keyless)
    );
    lists.ok(&["key", "other.key"]);
    let wrong = scan(&lists, &["--list", "data/all.index", "--set", "lists.key_file=other.key", "files"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(told(&wrong).contains("another key"), "{}", told(&wrong));
    // From the environment, as secrets often come.
    let mut command = hashward();
    command.current_dir(lists.path("")).args(["scan", "--list", "data/all.index", "files"]);
    command.env("HASHWARD_SEAL_KEY", fs::read_to_string(lists.path("seal.key")).unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(1));

    assert!(lists.refused(&["key", "seal.key"]).contains("seal.key"), "a key is never written over");
    let twice = lists.refused(&[&["build", "data/all.index", "--sealed", "x.index"], &key[..]].concat());
    assert!(twice.contains("is sealed"), "{twice}");
}

#[test]
fn what_is_not_what_its_source_says_is_told() {
    let lists = sealed();
    let check = ["check", "data/all.index", "--key-file", "seal.key"];
    let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(ENTRIES + 7)));
    lists.ok(&["add", "national", "--digest", &digest]);
    let told = lists.refused(&[&check[..], &["--against", "national"]].concat());
    assert!(told.contains("is not found in the index") && !told.contains(&digest[7..]), "{told}");
    lists.ok(&check);
    let mut bytes = fs::read(lists.path("data/all.index")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    lists.write("data/all.index", bytes);
    assert!(lists.refused(&check).contains("damaged"));
    let known_good = ["--known-good", "other.txt", "--never-match", &digest];
    let built = ["build", "national", "--sealed", "data/less.index", "--key-file", "seal.key", "--json"];
    lists.write("other.txt", text_list(0..10));
    let built = json(lists.ok(&[&built[..], &known_good[..]].concat()).as_bytes());
    assert_eq!((&built["lists"][0]["entries"], &built["lists"][0]["held_back"]), (&140.into(), &11.into()));
}

#[test]
fn a_stolen_data_folder_holds_no_digest_of_the_list() {
    let lists = sealed();
    fs::create_dir(lists.path("files")).unwrap();
    for n in 0..20 {
        lists.write(&format!("files/{n}"), harmless(n));
    }
    lists.write("files/listed", listed(0));
    let sets = [
        "lists.key_file=../seal.key",
        "lists.generations_dir=kept",
        "http.listen=127.0.0.1:0",
        "inbox.poll_ms=10",
        "inbox.settle_ms=0",
        "log.level=trace",
    ];
    let mut command = hashward();
    command.current_dir(lists.path("data")).args(["run", "--log-format", "json", "--list", "all.index"]);
    // A list folder is the maintainer's own: here it is read, and stays outside.
    command.args(["--list", "../more.txt"]);
    lists.write("more.txt", text_list(ENTRIES..ENTRIES + 50));
    sets.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    let mut worker = Worker::spawn(command);
    worker.wait_ready();
    let inbox = lists.path("data/hashward-data/inbox");
    for file in fs::read_dir(lists.path("files")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), inbox.join(format!(".{}", file.file_name().display()))).unwrap();
        fs::rename(inbox.join(format!(".{}", file.file_name().display())), inbox.join(file.file_name()))
            .unwrap();
    }
    wait_for("all to be judged", || (worker.metric("hashward_contents_total", "") == 21.0).then_some(()));
    let metrics = worker.get("/metrics").1;
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0));
    lists.write("data/run.log", format!("{log}{metrics}"));
    let mut command = hashward();
    command.current_dir(lists.path("data")).args([
        "scan",
        "--list",
        "all.index",
        "../files",
        "--log-level",
        "trace",
    ]);
    command.args(["--set", "lists.key_file=../seal.key"]);
    let scanned = command.output().unwrap();
    lists.write("data/scan.log", [scanned.stdout, scanned.stderr].concat());

    let alerts = fs::read_to_string(lists.path("data/hashward-data/alerts.ndjson")).unwrap();
    assert_eq!(alerts.lines().count(), 1);
    let files = all_files(&lists.path("data"));
    assert!(files.iter().any(|file| file.extension().is_some_and(|end| end == "index")), "{files:?}");
    let contents: Vec<(PathBuf, Vec<u8>)> = files
        .into_iter()
        // The inbox's own copies are the provider's content, and no list.
        .filter(|file| {
            !["held", "passed"]
                .iter()
                .any(|name| file.starts_with(lists.path("data/hashward-data").join(name)))
        })
        .map(|file| (file.clone(), fs::read(&file).unwrap()))
        .collect();
    let mut seen = 0;
    // The one content that matched is told with its digests: the provider has it.
    for n in 1..ENTRIES + 50 {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let hex = hex(algorithm, &listed(n));
            let start: Vec<u8> =
                (0..12).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
            for (file, bytes) in &contents {
                seen += bytes.len();
                let lower = bytes.to_ascii_lowercase();
                assert!(!holds(bytes, &start), "{file:?} holds the first bytes of digest {n}");
                assert!(
                    !holds(&lower, &hex.as_bytes()[..24]),
                    "{file:?} holds the first digits of digest {n}"
                );
            }
        }
    }
    assert!(seen > 1_000_000, "the search looked at something");
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn names(folder: &Path) -> Vec<String> {
    let names: BTreeSet<String> =
        fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().display().to_string()).collect();
    names.into_iter().collect()
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files
}
