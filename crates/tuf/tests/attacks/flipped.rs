//! Any byte of any metadata file of a good repository, changed: refused, or without meaning.

use hashward_tuf::TargetPath;
use proptest::prelude::*;

use crate::editor::{Bench, now};

const FILES: [&str; 4] = [
    "metadata/2.root.json",
    "metadata/timestamp.json",
    "metadata/2.snapshot.json",
    "metadata/2.targets.json",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_byte_is_refused_or_harmless(file in 0..FILES.len(), at in any::<prop::sample::Index>(), mask in 1..=255_u8) {
        let mut bench = Bench::new();
        bench.put("list", b"second");
        bench.next(&["root", "targets", "snapshot", "timestamp"]);
        let mut bytes = bench.file(FILES[file]);
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        bench.serve(FILES[file], &bytes);
        let mut client = bench.client();
        if let Ok(refreshed) = client.refresh(now()) {
            prop_assert_eq!((refreshed.root_version, refreshed.timestamp_version), (2, 2));
            prop_assert_eq!((refreshed.snapshot_version, refreshed.targets_version), (2, 2));
            let target = client.target(&"list".parse::<TargetPath>().unwrap()).unwrap().unwrap();
            prop_assert_eq!(target.length, 6);
        }
    }

    #[test]
    fn whatever_a_file_holds_it_is_parsed_or_refused(
        file in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bench = Bench::new();
        bench.next(&["root", "targets", "snapshot", "timestamp"]);
        let mut bytes = bench.file(FILES[file]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        hashward_tuf::parse_any(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        hashward_tuf::parse_any(&bytes);
    }
}
