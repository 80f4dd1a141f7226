use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use hashward_core::Digest;

use super::{Held, LAYOUTS, add_all, bytes_of, entries, key, record, scattered};
use crate::{Index, IndexError, IndexWriter, Layout, Progress, SignalIndex as _};

/// Tells a test that it is the child of itself, and where to build.
const CHILD: &str = "HASHWARD_INDEX_TEST_CHILD";

fn held(entries: u64, from: u64) -> Vec<Held> {
    (from..from + entries).map(|number| vec![scattered(number)]).collect()
}

fn build_at(path: &Path, entries: &[Held], layout: Layout) -> Result<(), IndexError> {
    let mut writer = IndexWriter::create(path, &key())?.with_layout(layout);
    for (number, digests) in entries.iter().enumerate() {
        writer.add(&record(number), digests)?;
    }
    writer.finish(b"a catalogue", &mut |_| {})
}

fn leftovers(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains(".building-")).count()
}

/// Whether the index at `path` is whole and holds exactly these entries.
fn assert_holds(path: &Path, held: &[Held]) {
    let index = Index::open(path, &key()).unwrap();
    index.verify().unwrap();
    let asked: Vec<Digest> = held.iter().map(|digests| digests[0]).collect();
    let expected: Vec<Vec<u32>> =
        (0..u32::try_from(held.len()).unwrap()).map(|number| vec![number]).collect();
    assert_eq!(entries(&index, &asked), expected);
    assert_eq!(index.entries(), held.len() as u64);
}

/// This test again, as another process; a shell that ends with `exec "$0" "$@"` starts it.
fn child(shell: &str, test: &str, path: &Path) -> Child {
    let name = format!("tests::disk::{test}");
    let mut command = Command::new("sh");
    command.args(["-c", shell]).arg(std::env::current_exe().unwrap()).args(["--exact", &name]);
    command.env(CHILD, path).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_file_holds_the_bytes_of_memory_and_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    for layout in LAYOUTS {
        let path = folder.path().join("index");
        let old = held(300, 0);
        build_at(&path, &old, layout).unwrap();
        assert!(fs::read(&path).unwrap() == bytes_of(&old, layout), "one code path, the same bytes");
        let [first, second] = [(); 2].map(|()| Index::open(&path, &key()).unwrap());
        first.warm().unwrap();

        // A new file takes the place; who has the old one open keeps it, whole.
        let new = held(500, 1000);
        build_at(&path, &new, layout).unwrap();
        assert_holds(&path, &new);
        let asked: Vec<Digest> = old.iter().map(|digests| digests[0]).collect();
        for index in [first, second] {
            std::thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        assert!(entries(&index, &asked).iter().all(|entries| entries.len() == 1));
                        index.verify().unwrap();
                    });
                }
            });
        }
        assert_eq!(leftovers(folder.path()), 0);
    }
}

#[test]
fn files_that_are_no_index_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    assert!(matches!(Index::open(&path, &key()), Err(IndexError::Open { .. })));
    assert!(matches!(
        Index::open(folder.path(), &key()),
        Err(IndexError::Open { .. } | IndexError::Length { .. })
    ));
    fs::write(&path, vec![b'a'; 10_000]).unwrap();
    assert!(matches!(Index::open(&path, &key()), Err(IndexError::NotAnIndex { .. })));
    let mut bytes = bytes_of(&held(1, 0), Layout::LineTable);
    bytes[16] = 9;
    fs::write(&path, bytes).unwrap();
    let error = Index::open(&path, &key()).unwrap_err();
    assert!(matches!(error, IndexError::Version { found: 9, expected: 1, .. }), "{error}");
    assert!(matches!(
        IndexWriter::create(&folder.path().join("none/index"), &key()),
        Err(IndexError::Write { .. })
    ));
}

#[test]
fn progress_ends_at_the_total() {
    let mut writer = IndexWriter::in_memory(&key()).unwrap();
    add_all(&mut writer, &held(100, 0));
    let mut told = Vec::new();
    writer.finish(&[], &mut |progress| told.push(progress)).unwrap();
    assert_eq!(told, [Progress { written: 100, total: 100 }]);
}

/// A limit on file sizes stands for a disk without room: writing fails in the middle.
#[test]
fn a_full_disk_leaves_the_old_index() {
    let new = held(20_000, 1000);
    if let Some(path) = std::env::var_os(CHILD) {
        let error = build_at(Path::new(&path), &new, Layout::LineTable).unwrap_err();
        let IndexError::Write { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.kind(), io::ErrorKind::FileTooLarge, "{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let old = held(100, 0);
    build_at(&path, &old, Layout::LineTable).unwrap();
    // Blocks of 512 bytes: in the header's page, in the records, in the rows, in the front.
    for blocks in [4, 100, 2560, 3440] {
        let shell = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let ended = child(&shell, "a_full_disk_leaves_the_old_index", &path).wait().unwrap();
        assert!(ended.success(), "the child says that it was no full disk, at {blocks} blocks");
        assert_holds(&path, &old);
        assert_eq!(leftovers(folder.path()), 0);
    }
    build_at(&path, &new, Layout::LineTable).unwrap();
    assert_holds(&path, &new);
}

#[test]
fn a_kill_leaves_the_old_or_the_new_index() {
    let old = held(20_000, 0);
    let new = held(20_000, 50_000);
    if let Some(path) = std::env::var_os(CHILD) {
        loop {
            build_at(Path::new(&path), &new, Layout::FilterAndSet).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    build_at(&path, &old, Layout::FilterAndSet).unwrap();
    let mut unfinished = 0;
    for round in 0..10 {
        let mut child = child("exec \"$0\" \"$@\"", "a_kill_leaves_the_old_or_the_new_index", &path);
        while leftovers(folder.path()) == 0 && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        unfinished += leftovers(folder.path());
        let index = Index::open(&path, &key()).unwrap();
        let is_old = entries(&index, &old[0])[0] == [0];
        assert_holds(&path, if is_old { &old } else { &new });
    }
    assert!(unfinished > 0, "no kill met a build");
    build_at(&path, &old, Layout::FilterAndSet).unwrap();
    assert_eq!(leftovers(folder.path()), 0, "what a kill leaves, the next build removes");
    assert_holds(&path, &old);
}

/// Two builders at the same time do not take each other's unfinished file for a leftover.
#[test]
fn a_builder_at_work_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut first = IndexWriter::create(&path, &key()).unwrap();
    build_at(&path, &held(10, 0), Layout::LineTable).unwrap();
    assert_eq!(leftovers(folder.path()), 1);
    add_all(&mut first, &held(20, 100));
    first.finish(&[], &mut |_| {}).unwrap();
    assert_holds(&path, &held(20, 100));
    drop(IndexWriter::create(&path, &key()).unwrap());
    assert_eq!(leftovers(folder.path()), 0, "a writer that is dropped leaves nothing");
}
