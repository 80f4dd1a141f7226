//! Contents in lanes, as many and as long as they may be, against the `RustCrypto` crates.

use hashward_core::{Algorithm, AlgorithmSet, Digests};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, proptest};
use proptest::{prop_assert, prop_oneof};

use super::{IN_LANES, noise, noise_bytes, reference, sets_in_lanes};
use crate::kernel::portable::Portable;
use crate::midstate::{LaneSet, Midstate, Tail};
use crate::schedule::{Job, Until, in_lanes};
use crate::{Path, digest_many, digest_many_on};

fn check(wanted: AlgorithmSet, contents: &[&[u8]], which: &str) {
    let expected: Vec<Digests> = contents.iter().map(|content| reference(wanted, content)).collect();
    for path in Path::available() {
        let digests = digest_many_on(path, wanted, contents);
        for (place, (ours, theirs)) in digests.iter().zip(&expected).enumerate() {
            assert!(
                ours == theirs,
                "{path:?}, {wanted:?}, {which}: place {place} of {} has {} bytes",
                contents.len(),
                contents[place].len()
            );
        }
    }
}

#[test]
fn every_length_up_to_sixteen_blocks() {
    let bytes = noise_bytes(1, 2_000);
    let contents: Vec<&[u8]> = (0..=1_025).map(|length| &bytes[length / 2..length / 2 + length]).collect();
    sets_in_lanes().for_each(|wanted| check(wanted, &contents, "each length once"));
    for length in 0..=1_025 {
        check(IN_LANES, &vec![&bytes[..length]; 17], "one length");
    }
}

#[test]
fn every_occupancy() {
    let bytes = noise_bytes(2, 100_000);
    for wanted in sets_in_lanes() {
        for occupancy in 0..=33 {
            check(wanted, &vec![&bytes[..1_000]; occupancy], "of the same length");
            let contents: Vec<&[u8]> = (0..occupancy).map(|i| &bytes[i..i * 61 + i]).collect();
            check(wanted, &contents, "a little longer each");
            let contents: Vec<&[u8]> =
                (0..occupancy).map(|i| &bytes[i..][..if i == 7 { 90_000 } else { 70 }]).collect();
            check(wanted, &contents, "one much longer");
        }
    }
}

/// A content that a unit with no lane to spare must still get right: the lanes of the safe twin.
#[test]
fn the_safe_twin_in_lanes() {
    let bytes = noise_bytes(3, 3_000);
    let contents: Vec<&[u8]> = (0..300).map(|i| &bytes[i..i * 7 + i]).collect();
    for wanted in sets_in_lanes() {
        let lane_set = LaneSet::of(wanted);
        let jobs = contents.iter().enumerate().map(|(key, content)| {
            let (body, rest) = content.as_chunks();
            let tail = Some(Tail::new(rest, content.len() as u64));
            Job { key, state: Midstate::INITIAL, body, tail, urgent: true }
        });
        let mut done = vec![Digests::default(); contents.len()];
        in_lanes(Portable, lane_set, Until::NoneUrgent, jobs, |key, state, _| {
            state.digests_into(lane_set, &mut done[key]);
        });
        for (content, digests) in contents.iter().zip(done) {
            assert!(digests == reference(wanted, content), "{wanted:?} of {} bytes", content.len());
        }
    }
}

/// Lengths as an upload pipeline sees them, and some large: a billion bytes in all.
#[test]
fn a_billion_bytes() {
    const BYTES_MIN: usize = 1_000_000_000;
    let pool = noise_bytes(4, 48_000_000);
    let mut numbers = noise(5);
    let mut number = |below: usize| (numbers.next().unwrap() >> 20) as usize % below;
    let mut bytes = 0;
    while bytes < BYTES_MIN {
        let contents: Vec<&[u8]> = (0..200)
            .map(|_| {
                let longest = [300, 5_000, 100_000, 2_000_000][number(4)];
                let length = number(longest);
                let start = number(pool.len() - length);
                &pool[start..start + length]
            })
            .collect();
        bytes += contents.iter().map(|content| content.len()).sum::<usize>();
        check(IN_LANES, &contents, "of mixed length");
    }
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let around_a_block =
        (0..40_usize, 0..3_usize).prop_map(|(blocks, off)| (64 * blocks + off).saturating_sub(1));
    let around_the_padding = (0..40_usize, 54..58_usize).prop_map(|(blocks, off)| 64 * blocks + off);
    vec(prop_oneof![0..300_usize, 0..20_000_usize, around_a_block, around_the_padding], 0..80)
}

proptest! {
    #[test]
    fn any_lengths_in_any_order(lengths in lengths(), set in 0..7_usize, seed in any::<u64>()) {
        let wanted = sets_in_lanes().nth(set).unwrap();
        let bytes = noise_bytes(seed, 20_100);
        let contents: Vec<&[u8]> =
            lengths.iter().enumerate().map(|(i, length)| &bytes[i..i + length]).collect();
        check(wanted, &contents, "any");
    }

    #[test]
    fn all_algorithms_in_one_call(lengths in vec(0..3_000_usize, 0..40), without in 0..6_usize) {
        let wanted = AlgorithmSet::ALL.difference(AlgorithmSet::EMPTY.with(Algorithm::ALL[without]));
        let bytes = noise_bytes(9, 3_000);
        let contents: Vec<&[u8]> = lengths.iter().map(|length| &bytes[..*length]).collect();
        let digests = digest_many(wanted, &contents);
        prop_assert!(digests.len() == contents.len());
        for (ours, content) in digests.iter().zip(contents) {
            prop_assert!(*ours == reference(wanted, content));
        }
    }
}
