//! The corpus of the fuzz target `evidence`, each file of it also changed at random; the changes are the same in each run.
#![allow(missing_docs, reason = "a test has no readers of its documentation")]
#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test may cast numbers, and panic")]

#[path = "../../../fuzz/src/evidence.rs"]
#[allow(unreachable_pub, reason = "the fuzz target is another crate")]
mod evidence;

use std::fs;
use std::path::Path;

/// How often each file is changed.
const CHANGES_PER_FILE: usize = 20_000;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/evidence");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn the_corpus_is_read() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 8);
    corpus.iter().for_each(|input| evidence::check(input));
}

#[test]
fn changed_files_are_read() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    for input in corpus() {
        for _ in 0..CHANGES_PER_FILE {
            let mut changed = input.clone();
            for _ in 0..=below(3) {
                let at = below(changed.len());
                match below(4) {
                    0 => changed.truncate(at),
                    1 => changed.insert(at, [b'\n', b' ', b'0', b'+', b'=', b'"'][below(6)]),
                    2 => changed.extend_from_within(at..),
                    _ => changed.iter_mut().skip(at).take(2).for_each(|byte| *byte = below(256) as u8),
                }
            }
            evidence::check(&changed);
        }
    }
}
