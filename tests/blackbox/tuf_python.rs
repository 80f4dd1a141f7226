//! Against python-tuf, the reference implementation: it reads what `hashward release` writes, our client reads what it
//! writes, and it plays the repository for every behaviour that a conforming client must show.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::fixture::json;
use crate::release_house::ReleaseHouse;
use crate::worker::text;

/// Runs a script of `tests/python` in the environment that `tests/run.sh` makes.
fn python(script: &str, arguments: &[&Path]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/tools/venv/bin/python");
    assert!(python.exists(), "{} is not there: tests/run.sh makes it", python.display());
    let script = root.join("tests/python").join(script);
    Command::new(python).arg("-B").arg(script).args(arguments).output().expect("python starts")
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn python_tuf_reads_what_release_writes() {
    let house = ReleaseHouse::founded();
    let put = house.publish("lists/sample/1.snapshot", b"the list's first release");
    assert_eq!(put.targets_version, 2);
    let at = |name: &str| house.path(name);
    let root = at("repo/metadata/1.root.json");
    let follow = |name: &str| {
        let folder = at(name);
        let told =
            ok(&python("follow.py", &[&at("repo"), &root, "lists/sample/1.snapshot".as_ref(), &folder]));
        assert!(told.contains("'release': 1"), "{told}");
        fs::read(folder.join("downloaded")).unwrap()
    };
    assert_eq!(follow("python"), b"the list's first release");
    // It goes on behind a rotated root, with what it trusts from before.
    house.ok(&["keys", "new", "dora", "--no-passphrase"]);
    let rotate = "rotate-root repo --add dora.pub --remove anna --draft second.draft";
    house.ok(&rotate.split(' ').collect::<Vec<_>>());
    let sign = "sign second.draft --key ben.key --key cleo.key --repository repo --online-key desk.key";
    house.ok(&sign.split(' ').collect::<Vec<_>>());
    house.ok(&["renew", "repo", "--online-key", "desk.key"]);
    assert_eq!(follow("python"), b"the list's first release");
    assert_eq!(follow("another"), b"the list's first release");
}

#[test]
fn our_client_reads_what_python_tuf_writes() {
    let folder = TempDir::new().unwrap();
    ok(&python("write.py", &[folder.path()]));
    let store = hashward_tuf::Store::open(folder.path().join("trusted"));
    store.begin(&fs::read(folder.path().join("metadata/1.root.json")).unwrap()).unwrap();
    let transport = hashward_tuf::FolderTransport::new(folder.path());
    let mut client = hashward_tuf::Client::new(transport, store, hashward_tuf::Limits::default());
    let refreshed = client.refresh(jiff::Timestamp::now()).unwrap();
    assert_eq!((refreshed.root_version, refreshed.targets_version), (2, 2));
    let target = client.target(&"folder/list".parse().unwrap()).unwrap().unwrap();
    let to = folder.path().join("list");
    client.download(&target, &to).unwrap();
    assert_eq!(fs::read(to).unwrap(), b"written by others");
    let verified = crate::worker::hashward_output(folder.path(), &["release", "verify", "."]);
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}

#[test]
fn every_behaviour_of_a_conforming_client() {
    let output = python("conformance.py", &[env!("CARGO_BIN_EXE_hashward").as_ref()]);
    let behaviours: Vec<_> = ok(&output).lines().map(|line| json(line.as_bytes())).collect();
    let failed: Vec<_> = behaviours.iter().filter(|behaviour| !behaviour["why_not"].is_null()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(behaviours.len(), 102);
}
