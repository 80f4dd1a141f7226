//! Whatever a target file, a row or a header holds, it is read or refused: the corpus of the fuzz target, and what chance finds.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and takes a module in")]

#[path = "../../../fuzz/src/releases.rs"]
mod releases;

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{any, prop, proptest};

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/release");
    let files: Vec<Vec<u8>> =
        fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(files.len() >= 7);
    files
}

#[test]
fn the_corpus_is_borne() {
    for input in corpus() {
        releases::check(&input);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_borne(input in vec(any::<u8>(), 0..400)) {
        releases::check(&input);
    }

    #[test]
    fn what_is_nearly_good_is_borne(
        file in any::<prop::sample::Index>(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut input = file.get(&corpus()).clone();
        for (place, byte) in flips {
            let place = 1 + place.index(input.len() - 1);
            input[place] = byte;
        }
        releases::check(&input);
        releases::check(&input[..end.index(input.len())]);
    }
}
