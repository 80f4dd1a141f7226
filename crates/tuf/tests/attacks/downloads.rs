//! Attacks on target files, and downloads that are continued.

use std::fs;
use std::time::Duration;

use hashward_tuf::{Client, Download, TargetPath, TufError};

use crate::editor::{Bench, Served, now, sha256};

const CONTENT: &[u8] = b"first content";

fn url() -> String {
    format!("targets/{}.list", sha256(CONTENT))
}

fn refreshed(bench: &Bench) -> Client {
    let mut client = bench.client();
    client.refresh(now()).unwrap();
    client
}

fn refused(served: Served) -> TufError {
    let mut bench = Bench::new();
    bench.limits.target_time_max = Duration::from_millis(30);
    let mut client = refreshed(&bench);
    let target = bench.list(&mut client);
    let to = bench.folder.path().join("list");
    fs::write(&to, b"what was there before").unwrap();
    bench.serve_so(&url(), served);
    let error = client.download(&target, &to).unwrap_err();
    assert_eq!(fs::read(&to).unwrap(), b"what was there before", "{error}");
    bench.serve(&url(), CONTENT);
    bench.limits.target_time_max = Duration::from_secs(60);
    let mut client = refreshed(&bench);
    let target = bench.list(&mut client);
    client.download(&target, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), CONTENT, "after: {error}");
    error
}

#[test]
fn a_target_is_what_was_signed_for_or_nothing() {
    let error = refused(Served::Whole(b"other content".to_vec()));
    assert!(matches!(error, TufError::WrongChecksum { .. }), "{error}");
    let error = refused(Served::Whole(b"first cont".to_vec()));
    assert!(matches!(error, TufError::WrongLength { expected: 13, found: 10, .. }), "{error}");
    let error = refused(Served::Endless);
    assert!(matches!(error, TufError::EndlessData { bytes_max: 13, .. }), "{error}");
    let error = refused(Served::Trickled(CONTENT.to_vec(), Duration::from_millis(10)));
    assert!(matches!(error, TufError::SlowRetrieval { .. }), "{error}");
    let error = refused(Served::Cut(CONTENT.to_vec(), 4));
    assert!(matches!(error, TufError::Transport { .. }), "{error}");
}

#[test]
fn a_download_that_broke_off_at_any_byte_is_continued_there() {
    for cut in 0..CONTENT.len() {
        let bench = Bench::new();
        let mut client = refreshed(&bench);
        let target = bench.list(&mut client);
        let to = bench.folder.path().join("list");
        bench.serve_so(&url(), Served::Cut(CONTENT.to_vec(), cut));
        client.download(&target, &to).unwrap_err();
        assert!(!to.exists());
        bench.serve(&url(), CONTENT);
        let done = client.download(&target, &to).unwrap();
        assert_eq!(done, Download::Fetched { resumed_bytes: cut as u64 });
        assert_eq!(fs::read(&to).unwrap(), CONTENT);
        assert_eq!(client.download(&target, &to).unwrap(), Download::Present);
    }
}

#[test]
fn a_part_that_is_wrong_or_too_long_is_begun_anew() {
    for part in [&b"wrong"[..], b"first contenX", b"much more than there should ever be"] {
        let bench = Bench::new();
        let mut client = refreshed(&bench);
        let target = bench.list(&mut client);
        let to = bench.folder.path().join("list");
        fs::write(bench.folder.path().join(".list.part"), part).unwrap();
        client.download(&target, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), CONTENT);
        assert!(!bench.folder.path().join(".list.part").exists());
    }
}

#[test]
fn a_target_beyond_the_limit_is_not_begun() {
    let mut bench = Bench::new();
    bench.limits.target_bytes_max = 12;
    let mut client = refreshed(&bench);
    let target = bench.list(&mut client);
    let error = client.download(&target, &bench.folder.path().join("list")).unwrap_err();
    assert!(matches!(error, TufError::TooLarge { length: 13, bytes_max: 12, .. }), "{error}");
}

#[test]
fn a_target_path_that_leaves_its_folder_is_refused() {
    for path in ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "a\\..\\b", "a//b"] {
        assert!(matches!(path.parse::<TargetPath>(), Err(TufError::PathTraversal { .. })), "{path}");
        let mut bench = Bench::new();
        let listed = bench.targets["targets"]["list"].clone();
        bench.targets["targets"][path] = listed;
        bench.next(&["targets", "snapshot", "timestamp"]);
        let client = refreshed(&bench);
        let all: Vec<_> = client.targets().unwrap().collect();
        let refused =
            all.iter().filter(|target| matches!(target, Err(TufError::PathTraversal { .. }))).count();
        assert_eq!((all.len(), refused), (2, 1), "{path}");
    }
}
