use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Instant;

use hashward_core::{Action, Decision, Unreadable, UnreadableKind};
use hashward_engine::{Batch, Checkpoint, Payload, PortError, Record, Source};
use prometheus::Registry;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;

struct Bench {
    dir: TempDir,
    source: Inbox,
    checkpoint: InboxCheckpoint,
}

fn metrics() -> Metrics {
    Metrics::register(Registry::new()).unwrap()
}

fn quick(dir: &Path) -> InboxOptions {
    InboxOptions { poll: Duration::ZERO, settle: Duration::ZERO, ..InboxOptions::new(dir) }
}

impl Bench {
    fn new() -> Self {
        Self::with(quick)
    }

    fn with(options: impl Fn(&Path) -> InboxOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (source, checkpoint) = inbox(options(dir.path()), metrics()).unwrap();
        Self { dir, source, checkpoint }
    }

    /// As after a crash: nothing was settled, everything starts again.
    fn restarted(self) -> Self {
        let (source, checkpoint) = inbox(quick(self.dir.path()), metrics()).unwrap();
        Self { source, checkpoint, ..self }
    }

    fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: impl AsRef<OsStr>, content: &str) {
        let path = self.at("inbox").join(Path::new(name.as_ref()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn batch(&mut self) -> Vec<Record> {
        let mut batch = Batch::default();
        self.source.next_batch(&mut batch).unwrap();
        batch.records
    }

    /// Judges the next batch by each name, and settles it.
    fn judge(&mut self, decide: impl Fn(&str) -> Decision) -> Result<usize, PortError> {
        let records = self.batch();
        for record in &records {
            let decision = decide(&subject(record));
            if decision != Decision::Allow {
                self.checkpoint.decided(record.position, &decision);
            }
        }
        if let Some(last) = records.last() {
            self.checkpoint.settle(last.position.stream, last.position.offset + 1);
        }
        self.checkpoint.commit(false).map(|()| records.len())
    }

    /// Every file and link, by its path in the data folder.
    fn files(&self) -> Vec<String> {
        let entries =
            walkdir::WalkDir::new(self.dir.path()).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| !entry.file_type().is_dir());
        files
            .map(|file| file.path().strip_prefix(self.dir.path()).unwrap().to_string_lossy().into_owned())
            .collect()
    }
}

fn subject(record: &Record) -> String {
    record.identity.as_ref().unwrap().subject.clone().unwrap()
}

fn id(record: &Record) -> String {
    record.identity.as_ref().unwrap().id.clone()
}

fn subjects(records: &[Record]) -> Vec<String> {
    let mut subjects: Vec<String> = records.iter().map(subject).collect();
    subjects.sort();
    subjects
}

fn act(action: Action) -> Decision {
    Decision::Act(action)
}

fn unreadable() -> Decision {
    Decision::Unreadable(Unreadable::new(UnreadableKind::ReadFailed, "test"))
}

#[test]
fn files_go_where_their_decision_says() {
    let mut bench = Bench::new();
    for name in ["clean", "a/observed", "a/reviewed", "a/b/blocked", "taken-down", "bad"] {
        bench.put(name, name);
    }
    let decide = |name: &str| match name {
        "a/observed" => act(Action::Observe),
        "a/reviewed" => act(Action::Review),
        "a/b/blocked" => act(Action::Block),
        "taken-down" => act(Action::Takedown),
        "bad" => unreadable(),
        _ => Decision::Allow,
    };
    assert_eq!(bench.judge(decide).unwrap(), 6);
    let shelved = [
        "held/a/b/blocked",
        "held/a/reviewed",
        "held/taken-down",
        "passed/a/observed",
        "passed/clean",
        "unreadable/bad",
    ];
    assert_eq!(bench.files(), shelved);
    assert_eq!(bench.judge(decide).unwrap(), 0);
}

#[test]
fn what_is_no_file_is_unreadable_and_nothing_hangs() {
    let mut bench = Bench::new();
    bench.put("outside/secret", "not for the inbox");
    fs::rename(bench.at("inbox/outside"), bench.at("outside")).unwrap();
    symlink(bench.at("outside"), bench.at("inbox/folder-link")).unwrap();
    symlink(bench.at("outside/secret"), bench.at("inbox/file-link")).unwrap();
    mknodat(CWD, bench.at("inbox/pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let records = bench.batch();
    assert_eq!(subjects(&records), ["file-link", "folder-link", "pipe"]);
    for record in &records {
        let Payload::Unreadable(reason) = &record.payload else { panic!("{} is offered", subject(record)) };
        assert_eq!(reason.kind, UnreadableKind::NotAFile);
        bench.checkpoint.decided(record.position, &unreadable());
    }
    bench.checkpoint.settle(STREAM, 3);
    bench.checkpoint.commit(true).unwrap();
    let shelved = ["outside/secret", "unreadable/file-link", "unreadable/folder-link", "unreadable/pipe"];
    assert_eq!(bench.files(), shelved);
}

#[test]
fn a_file_that_is_read_as_content_has_its_bytes() {
    let mut bench = Bench::new();
    bench.put(OsStr::from_bytes(b"d\xff/\xfename"), "strange");
    let records = bench.batch();
    assert_eq!(subject(&records[0]), "d%FF/%FEname");
    let Payload::Deferred(content) = &records[0].payload else { panic!("no content") };
    let mut text = String::new();
    content.open().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "strange");
    bench.checkpoint.settle(STREAM, 1);
    bench.checkpoint.commit(true).unwrap();
    assert!(bench.at(OsStr::from_bytes(b"passed/d\xff/\xfename")).is_file());
}

#[test]
fn what_is_being_written_is_left_alone() {
    let mut bench = Bench::with(|dir| InboxOptions { settle: Duration::from_millis(150), ..quick(dir) });
    for name in ["x.part", "y.tmp", ".z", ".rsync/file", "folder.part/file", "growing", "done.mp4"] {
        bench.put(name, "1");
    }
    let started = Instant::now();
    let mut seen = Vec::new();
    let mut content = String::from("1");
    while started.elapsed() < Duration::from_millis(600) {
        content.push('1');
        bench.put("growing", &content);
        seen.extend(bench.batch().iter().map(subject));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(seen, ["done.mp4"]);
    std::thread::sleep(Duration::from_millis(20));
    bench.batch();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(subjects(&bench.batch()), ["growing"]);
    fs::rename(bench.at("inbox/x.part"), bench.at("inbox/x")).unwrap();
    bench.batch();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(subjects(&bench.batch()), ["x"]);
}

#[test]
fn batches_are_bounded_ordered_and_never_overlap() {
    let mut bench = Bench::with(|dir| InboxOptions { records_max: 3, ..quick(dir) });
    for name in ["e", "d", "c", "b", "a"] {
        bench.put(name, name);
        std::thread::sleep(Duration::from_millis(15));
    }
    let first = bench.batch();
    let second = bench.batch();
    assert_eq!(first.iter().map(subject).collect::<Vec<_>>(), ["e", "d", "c"]);
    assert_eq!(second.iter().map(subject).collect::<Vec<_>>(), ["b", "a"]);
    let offsets: Vec<i64> = first.iter().chain(&second).map(|record| record.position.offset).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
    assert!(bench.batch().is_empty(), "everything is in flight");
    bench.checkpoint.settle(STREAM, 2);
    bench.checkpoint.commit(false).unwrap();
    assert_eq!(bench.files(), ["inbox/a", "inbox/b", "inbox/c", "passed/d", "passed/e"]);
    assert!(bench.batch().is_empty());
}

#[test]
fn after_a_crash_the_same_ids_come_again_and_a_later_upload_has_another() {
    let mut bench = Bench::new();
    bench.put("one", "1");
    bench.put("deep/two", "2");
    let mut before: Vec<String> = bench.batch().iter().map(id).collect();
    let mut bench = bench.restarted();
    let mut after: Vec<String> = bench.batch().iter().map(id).collect();
    before.sort();
    after.sort();
    assert_eq!(before, after);
    bench.checkpoint.settle(STREAM, 2);
    bench.checkpoint.commit(true).unwrap();
    std::thread::sleep(Duration::from_millis(15));
    bench.put("one", "1");
    let again = bench.batch();
    assert!(id(&again[0]).starts_with("one@") && !before.contains(&id(&again[0])));
}

#[test]
fn nothing_is_overwritten() {
    let mut bench = Bench::new();
    let long = "n".repeat(255);
    for content in ["first", "second", "third"] {
        bench.put("f/same", content);
        bench.put(&long, content);
        bench.judge(|_| act(Action::Block)).unwrap();
    }
    for (suffix, content) in [("", "first"), ("~2", "second"), ("~3", "third")] {
        assert_eq!(fs::read_to_string(bench.at(format!("held/f/same{suffix}"))).unwrap(), content);
        let name = format!("held/{}{suffix}", &long[..255 - suffix.len()]);
        assert_eq!(fs::read_to_string(bench.at(name)).unwrap(), content);
    }
    // A file where a folder is wanted, and a link that leads out.
    bench.put("f/same/below", "file over folder");
    symlink("/tmp", bench.at("held/link")).unwrap();
    bench.put("link/below", "not through the link");
    bench.judge(|_| act(Action::Block)).unwrap();
    assert!(bench.at("held/f/same~4/below").is_file() && bench.at("held/link~2/below").is_file());
    // Also when many are taken.
    for i in 0..120 {
        bench.put("many", &i.to_string());
        bench.judge(|_| Decision::Allow).unwrap();
    }
    assert_eq!(bench.files().iter().filter(|name| name.starts_with("passed/many")).count(), 120);
}

#[test]
fn what_changed_or_vanished_meanwhile_is_not_moved_unjudged() {
    let mut bench = Bench::new();
    for name in ["changed", "replaced", "gone"] {
        bench.put(name, "old");
    }
    let before: Vec<String> = bench.batch().iter().map(id).collect();
    bench.put("changed", "new!");
    bench.put("new.part", "old");
    fs::rename(bench.at("inbox/new.part"), bench.at("inbox/replaced")).unwrap();
    fs::remove_file(bench.at("inbox/gone")).unwrap();
    bench.checkpoint.settle(STREAM, 3);
    bench.checkpoint.commit(false).unwrap();
    assert_eq!(bench.files(), ["inbox/changed", "inbox/replaced"]);
    let records = bench.batch();
    assert_eq!(subjects(&records), ["changed", "replaced"]);
    assert!(records.iter().all(|record| !before.contains(&id(record))));
}

#[test]
fn emptied_folders_go_and_others_stay() {
    let mut bench = Bench::new();
    fs::create_dir_all(bench.at("inbox/prepared")).unwrap();
    bench.put("a/b/c", "1");
    bench.put("writing/done", "1");
    bench.put("writing/more.part", "1");
    assert_eq!(bench.judge(|_| Decision::Allow).unwrap(), 2);
    assert!(bench.at("inbox/a/b").is_dir(), "not at once");
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(1100));
        bench.checkpoint.commit(false).unwrap();
    }
    let is_there =
        ["inbox", "inbox/a", "inbox/prepared", "inbox/writing"].map(|name| bench.at(name).is_dir());
    assert_eq!(is_there, [true, false, true, true]);
}

#[test]
fn what_cannot_be_moved_is_told_without_names_and_tried_again() {
    let mut bench = Bench::new();
    bench.put("sensitive-name", "1");
    // Also root cannot create anything there.
    fs::remove_dir(bench.at("passed")).unwrap();
    fs::write(bench.at("passed"), "in the way").unwrap();
    let error = bench.judge(|_| Decision::Allow).unwrap_err().to_string();
    assert!(
        error.starts_with("inbox is unavailable: moving a file from ") && !error.contains("sensitive"),
        "{error}"
    );
    let started = Instant::now();
    assert!(bench.checkpoint.commit(false).is_err() && started.elapsed() < Duration::from_millis(500));
    assert!(bench.batch().is_empty(), "it is still in flight");
    fs::remove_file(bench.at("passed")).unwrap();
    fs::create_dir(bench.at("passed")).unwrap();
    bench.checkpoint.commit(true).unwrap();
    assert_eq!(bench.files(), ["passed/sensitive-name"]);
}

#[test]
fn unusable_folders_are_told_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = inbox(quick(&file), metrics()).unwrap_err();
    assert!(matches!(&error, LocalError::Folder { path, .. } if path.starts_with(&file)), "{error}");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write there nevertheless.
    if fs::write(dir.path().join("probe"), "").is_err() {
        assert!(matches!(inbox(quick(dir.path()), metrics()).unwrap_err(), LocalError::Folder { .. }));
    }
    let shelf_elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = Path::new("/dev/shm");
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    if device(elsewhere).is_some_and(|other| Some(other) != device(shelf_elsewhere.path())) {
        symlink(elsewhere, shelf_elsewhere.path().join("held")).unwrap();
        let error = inbox(quick(shelf_elsewhere.path()), metrics()).unwrap_err();
        assert!(
            matches!(&error, LocalError::OtherFileSystem { path, .. } if path.ends_with("held")),
            "{error}"
        );
    }
    let none = InboxOptions { records_max: 0, ..quick(dir.path()) };
    assert!(matches!(inbox(none, metrics()).unwrap_err(), LocalError::Zero { .. }));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
}
