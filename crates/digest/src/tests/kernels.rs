//! Each kernel against the compression functions of the `RustCrypto` crates, lane by lane and state by state.

use super::{noise, noise_bytes};
use crate::kernel::portable::Portable;
use crate::kernel::{Kernel, Lanes, single};
use crate::midstate::{LaneSet, Midstate};

/// More than a piece of [`crate::kernel::avx2_and_sha`], and not a multiple of it.
const BLOCKS_MAX: usize = 37;

fn state(seed: u64) -> Midstate {
    let mut words = noise(seed).map(|word| (word >> 32) as u32);
    let mut next = || words.next().unwrap();
    Midstate {
        md5: std::array::from_fn(|_| next()),
        sha1: std::array::from_fn(|_| next()),
        sha256: std::array::from_fn(|_| next()),
    }
}

fn sets() -> impl Iterator<Item = LaneSet> {
    (0..8).map(|bits| LaneSet { md5: bits & 1 != 0, sha1: bits & 2 != 0, sha256: bits & 4 != 0 })
}

/// `state` over `blocks`; if `last`, the length at the end of the one block is turned for SHA.
fn expected(state: &Midstate, blocks: &[[u8; 64]], last: bool) -> Midstate {
    let mut state = state.clone();
    md5::block_api::compress(&mut state.md5, blocks);
    let mut blocks = blocks.to_vec();
    if last {
        blocks[0][56..].reverse();
    }
    sha1::block_api::compress(&mut state.sha1, &blocks);
    sha2::block_api::compress256(&mut state.sha256, &blocks);
    state
}

fn assert_same(wanted: LaneSet, ours: &Midstate, theirs: &Midstate, which: &str) {
    if wanted.md5 {
        assert_eq!(ours.md5, theirs.md5, "md5, {which}");
    }
    if wanted.sha1 {
        assert_eq!(ours.sha1, theirs.sha1, "sha1, {which}");
    }
    if wanted.sha256 {
        assert_eq!(ours.sha256, theirs.sha256, "sha256, {which}");
    }
}

fn check<K: Kernel<L>, const L: usize>(kernel: K, name: &str) {
    let bytes = noise_bytes(1, L * BLOCKS_MAX * 64);
    let contents: [&[[u8; 64]]; L] =
        std::array::from_fn(|lane| bytes[lane * BLOCKS_MAX * 64..].as_chunks().0);
    for wanted in sets() {
        for count in 0..=BLOCKS_MAX {
            let blocks = contents.map(|content| &content[..count]);
            // The last lane alone, every second, all: where one block is a content's last.
            for last_each in [0, L, 2, 1] {
                let is_last =
                    |lane: usize| count == 1 && last_each != 0 && (lane + 1).is_multiple_of(last_each);
                let mut lanes = Lanes::new();
                for lane in 0..L {
                    lanes.set(lane, &state(lane as u64));
                    lanes.set_last(lane, is_last(lane));
                }
                kernel.advance(wanted, &mut lanes, &blocks);
                for (lane, blocks) in blocks.iter().enumerate() {
                    let theirs = expected(&state(lane as u64), blocks, is_last(lane));
                    let which = format!("{name}, lane {lane}, {count} blocks, {wanted:?}");
                    assert_same(wanted, &lanes.get(lane), &theirs, &which);
                }
            }
        }
    }
}

#[test]
fn portable() {
    check(Portable, "portable");
}

#[test]
fn single_stream() {
    let bytes = noise_bytes(2, BLOCKS_MAX * 64);
    for wanted in sets() {
        for count in 0..=BLOCKS_MAX {
            let blocks = &bytes.as_chunks().0[..count];
            let mut ours = state(3);
            single::advance(wanted, &mut ours, blocks);
            assert_same(wanted, &ours, &expected(&state(3), blocks, false), &format!("{count} blocks"));
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::check;
    use crate::kernel::avx2::Avx2;
    use crate::kernel::avx2_and_sha::Avx2AndSha;
    use crate::kernel::avx512::Avx512;
    use crate::kernel::sha_ni::ShaNi;

    /// Says so where a kernel could not be tested.
    fn found<T>(unit: Option<T>, name: &str) -> Option<T> {
        if unit.is_none() {
            eprintln!("this processor has no {name}: its kernel is not tested here");
        }
        unit
    }

    #[test]
    fn avx512() {
        if let Some(kernel) = found(Avx512::detect(), "AVX-512") {
            check(kernel, "avx512");
        }
    }

    #[test]
    fn avx2() {
        if let Some(kernel) = found(Avx2::detect(), "AVX2") {
            check(kernel, "avx2");
        }
    }

    #[test]
    fn avx2_and_sha() {
        if let (Some(avx2), Some(sha_ni)) = (found(Avx2::detect(), "AVX2"), found(ShaNi::detect(), "SHA")) {
            check(Avx2AndSha { avx2, sha_ni }, "avx2_and_sha");
        }
    }
}
