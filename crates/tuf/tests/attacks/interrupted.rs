//! A client that is stopped behind any of its writes.

use hashward_tuf::{Client, Store, TufError};

use crate::editor::{Bench, now};
use crate::faults::Faulty;

#[test]
fn a_refresh_that_stops_behind_any_write_is_healed_by_the_next() {
    for has_room in [true, false] {
        let mut stopped = 0;
        for steps in 0.. {
            let mut bench = Bench::new();
            bench.next(&["timestamp"]);
            bench.client().refresh(now()).unwrap();
            let before = bench.trusted();
            for role in ["snapshot", "timestamp"] {
                bench.keys(role, &[10], 1);
            }
            bench.put("list", b"second");
            bench.next(&["root", "targets", "snapshot", "timestamp"]);
            let store = Store::with_disk(bench.client_store().folder(), Faulty::after(steps, has_room));
            let mut client = Client::new(bench.files.clone(), store, bench.limits.clone());
            let result = client.refresh(now());
            let after = bench.trusted();
            for (name, bytes) in
                after.iter().filter(|(name, _)| name.ends_with(".json") && !name.starts_with('.'))
            {
                let version: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                assert!(before.get(name) == Some(bytes) || version["signed"]["version"].as_u64() >= Some(2));
            }
            let refreshed = bench.client().refresh(now()).unwrap();
            assert_eq!((refreshed.root_version, refreshed.targets_version), (2, 2), "after {steps}");
            match result {
                Ok(_) => break,
                Err(TufError::Disk { .. }) => stopped += 1,
                Err(other) => panic!("after {steps}: {other}"),
            }
        }
        assert!(stopped >= 17, "two removals, five files of three steps each: {stopped}");
    }
}
