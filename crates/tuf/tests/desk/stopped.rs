//! A desk that is stopped behind any of its writes: readers see the old release or the new one, and the next try ends
//! it.

use std::fs;

use hashward_tuf::desk::{Changes, DeskError, Draft};
use hashward_tuf::{Disk, PrivateKey, TargetPath};
use std::sync::Arc;

use crate::faults::Faulty;
use crate::house::{House, copy_folder, now};

/// Reads as somebody who followed before, and as somebody new; both must find all of one release.
fn readers_find(house: &House, expected: &[&[u8]], step: usize) -> Vec<u8> {
    let mut found = Vec::new();
    for name in ["old".to_owned(), format!("new-{step}")] {
        let mut reader = house.reader(&name);
        reader.refresh(now()).unwrap_or_else(|error| panic!("{name} after {step}: {error}"));
        let target = reader.target(&"list".parse::<TargetPath>().unwrap()).unwrap().unwrap();
        let to = house.folder.path().join(format!("{name}-{step}-list"));
        reader.download(&target, &to).unwrap();
        found.push(fs::read(to).unwrap());
    }
    assert_eq!(found[0], found[1], "after {step}");
    assert!(expected.contains(&found[0].as_slice()), "after {step}");
    found.remove(0)
}

/// Stops `publish` behind every step. `found` counts how often the new content was seen.
fn stopped_everywhere(house: &House, publish: impl Fn(Arc<dyn Disk>) -> Result<(), DeskError>) {
    let good = house.folder.path().join("good");
    copy_folder(&house.path(), &good);
    for has_room in [true, false] {
        let mut seen_new = false;
        for step in 0.. {
            fs::remove_dir_all(house.path()).unwrap();
            copy_folder(&good, &house.path());
            for name in ["old".to_owned(), format!("new-{step}")] {
                let _ = fs::remove_dir_all(house.folder.path().join(name));
            }
            house.read("old").unwrap();
            let is_done = publish(Faulty::after(step, has_room)).is_ok();
            let found = readers_find(house, &[b"before", b"after"], step);
            assert!(!seen_new || found == b"after", "after {step}: nothing goes back");
            seen_new |= found == b"after";
            if is_done {
                assert!(seen_new && step > 10);
                break;
            }
            publish(Arc::new(hashward_tuf::RealDisk)).unwrap_or_else(|error| panic!("after {step}: {error}"));
            assert_eq!(readers_find(house, &[b"after"], step), b"after");
        }
    }
}

#[test]
fn a_release_that_stops_behind_any_write_is_whole_or_not_there() {
    let house = House::founded();
    house.publish("list", b"before");
    let changes = Changes { put: vec![house.target("list", b"after")], remove: Vec::new() };
    let draft = house.sign(house.repository().plan(&changes, now()).unwrap(), &["anna", "cleo"]);
    stopped_everywhere(&house, |disk| {
        let repository = house.on(disk);
        repository.place(&changes)?;
        repository.finish(&draft, &house.online, now()).map(|_| ())
    });
}

#[test]
fn a_rotation_that_stops_behind_any_write_is_whole_or_not_there() {
    let mut house = House::founded();
    house.publish("list", b"after");
    house.online.push(PrivateKey::generate().unwrap());
    let draft: Draft = house.repository().rotate(&house.terms_of(&["ben", "cleo", "dora"]), now()).unwrap();
    let draft = house.sign(draft, &["ben", "cleo"]);
    stopped_everywhere(&house, |disk| house.on(disk).finish(&draft, &house.online, now()).map(|_| ()));
}

#[test]
fn only_one_process_changes_a_repository() {
    let house = House::founded();
    let held = fs::File::open(house.path()).unwrap();
    held.lock().unwrap();
    let error = house.repository().renew(&house.online, now()).unwrap_err();
    assert!(matches!(error, DeskError::Busy { .. }), "{error}");
}
