//! No room, no other writer, no right to write.

use std::fs;
use std::time::{Instant, UNIX_EPOCH};

use hashward_core::Algorithm::{Md5, Sha256};

use super::{Fixture, by, put};
use crate::Statement;
use crate::store::{Store, StoreError, Which, check};

fn many(count: u32) -> impl Iterator<Item = Statement> {
    (1..=count).map(|number| {
        let mut statement = put(&format!("item {number}"), &[(Md5, 1)]);
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        statement.digests.set(Sha256, &bytes);
        statement.note = Some("n".repeat(200));
        statement
    })
}

#[test]
fn a_full_disk_leaves_the_old_state() {
    let mut fixture = Fixture::new();
    fixture.import(&[put("a", &[(Md5, 1)])]);
    let (all, newest) = (fixture.all(), fixture.store.newest_state().unwrap());
    fixture.store.connection.pragma_update(None, "max_page_count", 200).unwrap();
    let mut step = fixture.store.begin(by(2)).unwrap();
    let error = many(10_000).find_map(|statement| step.apply(&statement).err());
    assert!(matches!(error, Some(StoreError::NoRoom { .. })), "{error:?}");
    // A step that failed cannot go on: what followed would be without what was lost.
    assert!(matches!(step.apply(&put("b", &[(Md5, 2)])), Err(StoreError::StepFailed)));
    assert!(matches!(step.commit(), Err(StoreError::StepFailed)));
    assert_eq!((fixture.all(), fixture.store.newest_state().unwrap()), (all, newest));
    assert_eq!(fixture.import(&[put("b", &[(Md5, 2)])]).new, 1, "what fits goes on");
    assert!(fixture.store.check().unwrap().is_sound());
}

#[test]
fn a_second_writer_is_told_and_a_reader_does_not_wait() {
    let mut fixture = Fixture::new();
    let path = fixture.path();
    let mut step = fixture.store.begin(by(1)).unwrap();
    for statement in many(2_000) {
        step.apply(&statement).unwrap();
    }
    let mut second = Store::open(&path).unwrap();
    second.connection.busy_timeout(std::time::Duration::from_millis(50)).unwrap();
    let error = second.begin(by(2)).err();
    assert!(matches!(error, Some(StoreError::Busy { .. })), "{error:?}");
    let reader = Store::open_read_only(&path).unwrap();
    let began = Instant::now();
    let mut entries = reader.entries(Which::All).unwrap();
    assert!(entries.next().is_none() && began.elapsed().as_secs() < 5, "the state before the step, at once");
    step.commit().unwrap();
    assert_eq!(entries.state_number(), 0);
    let mut entries = reader.entries(Which::All).unwrap();
    assert_eq!((entries.by_ref().take(1_000).count(), entries.state_number()), (1_000, 1));
    let mut step = second.begin(by(2)).unwrap();
    step.withdraw(&"key:item 1500".parse().unwrap(), "why").unwrap();
    step.commit().unwrap();
    assert!(entries.all(|entry| entry.unwrap().is_in_force()), "a reader sees one moment");
}

/// As on a read-only mount: the file through which readers and writers find each other cannot be made.
#[test]
fn a_list_is_read_where_nothing_can_be_written() {
    let mut fixture = Fixture::new();
    let folder = fixture.folder.path().join("100% ?#");
    fixture.import(&many(2_000).collect::<Vec<_>>());
    let Fixture { folder: whole, store } = fixture;
    drop(store);
    fs::rename(whole.path().join("list"), &folder).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("entries.sqlite-shm")).unwrap();
    let store = Store::open_read_only(&folder).unwrap();
    assert_eq!(store.state_number().unwrap(), 1);
    assert_eq!(store.entries(Which::All).unwrap().count(), 2_000);
    assert!(check(&folder).unwrap().is_sound());
    let mut entries = store.entries(Which::All).unwrap();
    assert!(entries.next().unwrap().is_ok());
    fs::File::options()
        .append(true)
        .open(folder.join("entries.sqlite"))
        .unwrap()
        .set_modified(UNIX_EPOCH)
        .unwrap();
    let error = entries.find_map(Result::err).unwrap();
    assert!(matches!(error, StoreError::ChangedMeanwhile(_)), "{error}");
    // With a writer's log there, the file alone is not the list.
    fs::write(folder.join("entries.sqlite-wal"), "frames").unwrap();
    assert!(Store::open_read_only(&folder).is_err());
}
