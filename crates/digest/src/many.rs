use hashward_core::{Algorithm, AlgorithmSet, Digests};

use crate::midstate::{BLOCK_BYTES, LaneSet, Midstate, Tail};
use crate::others::one_shot_into;
use crate::schedule::{Job, Until, run};
use crate::{Path, digest_bytes};

/// The digests of each content, in the order of `contents`: one of each wanted algorithm.
///
/// Contents are computed side by side, so that many cost far less than each alone. Sizes may differ widely: the long ones
/// begin first, and a short one takes the place of whichever ends. A few dozen fill the lanes, and more fill them better.
pub fn digest_many(wanted: AlgorithmSet, contents: &[&[u8]]) -> Vec<Digests> {
    digest_many_on(Path::chosen(), wanted, contents)
}

/// [`digest_many`] on a path of the caller's choice.
pub fn digest_many_on(path: Path, wanted: AlgorithmSet, contents: &[&[u8]]) -> Vec<Digests> {
    let mut digests = vec![Digests::default(); contents.len()];
    let lane_set = LaneSet::of(wanted);
    if !lane_set.is_empty() {
        let longest_first = longest_first(contents);
        let jobs = longest_first.iter().map(|&key| job(key, contents[key]));
        run(path, lane_set, Until::NoneUrgent, jobs, |key, state, _| {
            state.digests_into(lane_set, &mut digests[key]);
        });
    }
    for (content, digests) in contents.iter().zip(&mut digests) {
        one_shot_into(wanted, content, digests);
    }
    digests
}

/// The places of the contents, those with the most blocks first. Contents of as many blocks stand together and so end
/// together, which saves steps.
fn longest_first(contents: &[&[u8]]) -> Vec<usize> {
    let mut keys: Vec<usize> = (0..contents.len()).collect();
    keys.sort_unstable_by_key(|&key| std::cmp::Reverse(contents[key].len() / BLOCK_BYTES));
    keys
}

fn job(key: usize, content: &[u8]) -> Job<'_> {
    let (body, rest) = content.as_chunks();
    let tail = Some(Tail::new(rest, content.len() as u64));
    Job { key, state: Midstate::INITIAL, body, tail, urgent: true }
}

/// The digests of one large content, with a thread for each wanted algorithm: for a machine whose other cores are idle.
///
/// It takes as long as the slowest algorithm alone, and more processor time than [`digest_bytes`].
pub fn digest_bytes_in_threads(wanted: AlgorithmSet, content: &[u8]) -> Digests {
    let only = |algorithm: Algorithm| AlgorithmSet::EMPTY.with(algorithm);
    std::thread::scope(|scope| {
        let threads: Vec<_> = wanted
            .iter()
            .map(|algorithm| scope.spawn(move || digest_bytes(only(algorithm), content)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("digests do not panic").iter().collect::<Vec<_>>())
            .collect()
    })
}
