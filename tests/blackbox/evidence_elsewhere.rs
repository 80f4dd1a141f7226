//! Evidence logs under the eyes of another implementation: Go's packages for transparency logs (tests/tlog).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hashward_core::AlertId;
use hashward_evidence::{AuditLog, Hash, PrivateKey, Record, VerifierKey, What};
use jiff::Timestamp;

use crate::worker::text;

/// Builds the verifier, once for each run of the tests.
fn verifier(folder: &Path) -> PathBuf {
    let program = folder.join("tlog");
    let mut build = Command::new("go");
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tlog"));
    build.env("GOFLAGS", "-mod=readonly -buildvcs=false").args(["build", "-o"]).arg(&program).arg(".");
    let output = build.output().expect("go is there: tests/run.sh installs it");
    assert!(output.status.success(), "{}", text(&output.stderr));
    program
}

fn record(number: u64) -> Record {
    let what = What::Alert { alert: AlertId(u128::from(number)), sha256: Hash::of(&number.to_be_bytes()) };
    Record { when: Timestamp::UNIX_EPOCH, who: "worker-1".into(), what }
}

#[test]
fn another_implementation_verifies_checkpoint_tiles_and_entries() {
    let dir = tempfile::tempdir().unwrap();
    let program = verifier(dir.path());
    let at = |name: &str| dir.path().join(name);
    let private = PrivateKey::create(&at("key")).unwrap();
    let name: hashward_evidence::KeyName = "example.org/evidence".parse().unwrap();
    let key: VerifierKey = private.verifier(name.clone());
    fs::write(at("verifier"), key.to_string()).unwrap();
    AuditLog::init(&at("log"), &private, name).unwrap();
    let mut log = AuditLog::open(&at("log"), private).unwrap();
    let verify = |old: Option<&Path>| -> Output {
        let mut command = Command::new(&program);
        command.arg(at("log")).arg(at("verifier")).args(old);
        command.output().unwrap()
    };
    let mut kept: Vec<PathBuf> = Vec::new();
    for size in [1, 2, 255, 256, 300, 700, 66_000] {
        let records: Vec<Record> = (log.size()..size).map(record).collect();
        log.append(&records).unwrap();
        for old in kept.iter().map(|path| Some(path.as_path())).chain([None]) {
            let output = verify(old);
            assert!(output.status.success(), "{size}: {}", text(&output.stderr));
            assert_eq!(text(&output.stdout), format!("{size} entries of example.org/evidence\n"));
        }
        let copy = at(&format!("kept-{size}"));
        fs::copy(at("log/checkpoint"), &copy).unwrap();
        kept.push(copy);
    }
    // It sees what is wrong, too.
    for name in ["checkpoint", "tile/entries/007", "tile/0/007", "tile/1/000", "tile/1/001.p/1"] {
        let path = at("log").join(name);
        let sound = fs::read(&path).unwrap();
        let mut changed = sound.clone();
        let middle = sound.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(!verify(None).status.success(), "{name}");
        fs::write(&path, sound).unwrap();
    }
    assert!(verify(None).status.success());
}
