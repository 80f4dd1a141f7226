//! All wanted digests of a block in every lane, in one pass over the transposed block.

use std::hint::black_box;

use super::simd::Simd;
use super::{md5, sha1, sha256};
use crate::midstate::{LaneSet, Midstate};

/// The midstates of `L` contents, lane by lane: one row of numbers for each word of a state.
#[derive(Clone)]
pub(crate) struct Lanes<const L: usize> {
    md5: [[u32; L]; 4],
    sha1: [[u32; L]; 5],
    sha256: [[u32; L]; 8],
    /// All ones where the next block is a content's last. Its last two words are the content's length, of which MD5
    /// takes the low half first and SHA the high half.
    last: [u32; L],
}

impl<const L: usize> Lanes<L> {
    pub(crate) const fn new() -> Self {
        Self { md5: [[0; L]; 4], sha1: [[0; L]; 5], sha256: [[0; L]; 8], last: [0; L] }
    }

    pub(crate) fn set(&mut self, lane: usize, state: &Midstate) {
        self.md5.iter_mut().zip(state.md5).for_each(|(row, word)| row[lane] = word);
        self.sha1.iter_mut().zip(state.sha1).for_each(|(row, word)| row[lane] = word);
        self.set_sha256(lane, state.sha256);
    }

    pub(crate) fn sha256(&self, lane: usize) -> [u32; 8] {
        self.sha256.map(|row| row[lane])
    }

    pub(crate) fn set_sha256(&mut self, lane: usize, state: [u32; 8]) {
        self.sha256.iter_mut().zip(state).for_each(|(row, word)| row[lane] = word);
    }

    pub(crate) fn get(&self, lane: usize) -> Midstate {
        Midstate {
            md5: self.md5.map(|row| row[lane]),
            sha1: self.sha1.map(|row| row[lane]),
            sha256: self.sha256(lane),
        }
    }

    pub(crate) fn is_last(&self, lane: usize) -> bool {
        self.last[lane] != 0
    }

    /// Says whether the next block of a lane is its content's last, the one with the length.
    pub(crate) fn set_last(&mut self, lane: usize, last: bool) {
        self.last[lane] = if last { u32::MAX } else { 0 };
    }
}

/// Takes every lane's state over the blocks of that lane. All lanes have as many. A state that is not wanted stays as it is.
#[inline(always)]
pub(super) fn advance<S: Simd<L>, const L: usize>(
    s: S,
    wanted: LaneSet,
    lanes: &mut Lanes<L>,
    blocks: &[&[[u8; 64]]; L],
) {
    match wanted {
        LaneSet { md5: true, sha1: true, sha256: true } => each::<S, L, true, true, true>(s, lanes, blocks),
        LaneSet { md5: true, sha1: true, sha256: false } => each::<S, L, true, true, false>(s, lanes, blocks),
        LaneSet { md5: true, sha1: false, sha256: true } => each::<S, L, true, false, true>(s, lanes, blocks),
        LaneSet { md5: true, sha1: false, sha256: false } => {
            each::<S, L, true, false, false>(s, lanes, blocks);
        }
        LaneSet { md5: false, sha1: true, sha256: true } => each::<S, L, false, true, true>(s, lanes, blocks),
        LaneSet { md5: false, sha1: true, sha256: false } => {
            each::<S, L, false, true, false>(s, lanes, blocks);
        }
        LaneSet { md5: false, sha1: false, sha256: true } => {
            each::<S, L, false, false, true>(s, lanes, blocks);
        }
        LaneSet { md5: false, sha1: false, sha256: false } => {}
    }
}

#[inline(always)]
fn each<S: Simd<L>, const L: usize, const MD5: bool, const SHA1: bool, const SHA256: bool>(
    s: S,
    lanes: &mut Lanes<L>,
    blocks: &[&[[u8; 64]]; L],
) {
    let count = blocks[0].len();
    let last = s.load(&lanes.last);
    let mut md5 = load(s, &lanes.md5);
    let mut sha1 = load(s, &lanes.sha1);
    let mut sha256 = load(s, &lanes.sha256);
    // The block as MD5 reads it, and the message schedules of SHA-1 and SHA-256, which begin as the block.
    let mut m = [s.splat(0); 16];
    let mut w_1 = m;
    let mut w_256 = m;
    for i in 0..count {
        let mut block = [&[0; 64]; L];
        for lane in 0..L {
            block[lane] = &blocks[lane][i];
        }
        s.transpose(&block, &mut m);
        for i in 0..16 {
            let word = s.swap_bytes(m[i]);
            w_1[i] = word;
            w_256[i] = word;
        }
        let high = s.choose(last, m[15], w_1[14]);
        let low = s.choose(last, m[14], w_1[15]);
        (w_1[14], w_1[15]) = (high, low);
        (w_256[14], w_256[15]) = (high, low);

        let (k_md5, k_1, k_256) = black_box((&md5::K, &sha1::K, &sha256::K));
        let before = (md5, sha1, sha256);
        macro_rules! steps {
            ($($step:literal)*) => {$(
                if MD5 { md5 = md5::step(s, k_md5, $step, md5, &m); }
                if SHA1 { sha1 = sha1::step(s, k_1, $step, sha1, &mut w_1); }
                if SHA256 { sha256 = sha256::step(s, k_256, $step, sha256, &mut w_256); }
            )*};
        }
        // The algorithms take turns, a sixteenth of their rounds each. MD5 alone would wait for its own results: each
        // of its rounds needs the one before, and nothing else would be left to do meanwhile.
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        md5 = sum(s, before.0, md5);
        sha1 = sum(s, before.1, sha1);
        sha256 = sum(s, before.2, sha256);
    }
    if MD5 {
        store(s, &mut lanes.md5, md5);
    }
    if SHA1 {
        store(s, &mut lanes.sha1, sha1);
    }
    if SHA256 {
        store(s, &mut lanes.sha256, sha256);
    }
}

// Loops over indices, here and in the kernels: what goes through a closure of the standard library is compiled without
// the unit's instructions and not always inlined.

#[inline(always)]
fn load<S: Simd<L>, const L: usize, const N: usize>(s: S, rows: &[[u32; L]; N]) -> [S::V; N] {
    let mut state = [s.splat(0); N];
    for i in 0..N {
        state[i] = s.load(&rows[i]);
    }
    state
}

#[inline(always)]
fn store<S: Simd<L>, const L: usize, const N: usize>(s: S, rows: &mut [[u32; L]; N], state: [S::V; N]) {
    for i in 0..N {
        s.store(&mut rows[i], state[i]);
    }
}

#[inline(always)]
fn sum<S: Simd<L>, const L: usize, const N: usize>(s: S, a: [S::V; N], b: [S::V; N]) -> [S::V; N] {
    let mut sums = a;
    for i in 0..N {
        sums[i] = s.add(a[i], b[i]);
    }
    sums
}
