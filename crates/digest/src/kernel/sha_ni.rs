//! One content, or two side by side, with the processor's own instructions for SHA.
//!
//! Those have a throughput several times what their latency lets one chain of rounds use. So independent chains take
//! turns, four rounds each: the three algorithms of one content, or the SHA-256 of two.

use std::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_add_epi32, _mm_alignr_epi8, _mm_loadu_si128, _mm_prefetch, _mm_set_epi32,
    _mm_set_epi64x, _mm_setzero_si128, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32,
    _mm_sha1rnds4_epu32, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_storeu_si128, _mm_xor_si128,
};

use super::md5_alone::{step as md5_step, words};
use super::sha256;
use crate::midstate::Midstate;

/// The proof that this processor has the SHA extensions, and SSSE3 and SSE4.1 with them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ShaNi(());

#[allow(clippy::unused_self, reason = "the value is the proof")]
impl ShaNi {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1");
        found.then_some(Self(()))
    }

    /// MD5, SHA-1 and SHA-256 of one content, in one pass over `blocks`.
    pub(crate) fn advance(self, state: &mut Midstate, blocks: &[[u8; 64]]) {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { three(state, blocks) }
    }

    /// SHA-256 of two contents side by side. Both have as many blocks.
    pub(crate) fn sha256_of_two(self, states: [&mut [u32; 8]; 2], blocks: [&[[u8; 64]]; 2]) {
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { sha256_of_two(states, blocks) }
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn three(state: &mut Midstate, blocks: &[[u8; 64]]) {
    let mut md5 = state.md5;
    let mut sha1 = Sha1::load(&state.sha1);
    let mut sha256 = Sha256::load(&state.sha256);
    for (place, block) in blocks.iter().enumerate() {
        fetch(blocks.get(place + AHEAD_BLOCKS));
        let m: [u32; 16] = words(block);
        let before = (md5, sha1, sha256);
        sha1.words(block);
        sha256.words(block);
        macro_rules! steps {
            ($($step:literal, $sha1:literal $(, $again:literal)?;)*) => {$(
                md5 = md5_step($step, md5, &m);
                sha256.step($step);
                sha1.step($sha1);
                $( sha1.step($again); )?
            )*};
        }
        steps!(
            0, 0; 1, 1; 2, 2; 3, 3, 4; 4, 5; 5, 6; 6, 7; 7, 8, 9;
            8, 10; 9, 11; 10, 12; 11, 13, 14; 12, 15; 13, 16; 14, 17; 15, 18, 19;
        );
        for i in 0..4 {
            md5[i] = md5[i].wrapping_add(before.0[i]);
        }
        sha1.add(before.1);
        sha256.add(before.2);
    }
    state.md5 = md5;
    sha1.store(&mut state.sha1);
    sha256.store(&mut state.sha256);
}

/// So far ahead a block is fetched that it is there when its turn comes, from memory too: 2 KiB.
const AHEAD_BLOCKS: usize = 32;

/// Has a block fetched into the caches. What the processor fetches by itself comes late for a content that is read from
/// memory only once.
#[inline]
fn fetch(block: Option<&[u8; 64]>) {
    if let Some(block) = block {
        // SAFETY: it reads nothing, whatever the address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().cast()) };
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_of_two([first, second]: [&mut [u32; 8]; 2], blocks: [&[[u8; 64]]; 2]) {
    let mut a = Sha256::load(first);
    let mut b = Sha256::load(second);
    for (block_a, block_b) in blocks[0].iter().zip(blocks[1]) {
        let before = (a, b);
        a.words(block_a);
        b.words(block_b);
        macro_rules! steps {
            ($($step:literal)*) => {$( a.step($step); b.step($step); )*};
        }
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        a.add(before.0);
        b.add(before.1);
    }
    a.store(first);
    b.store(second);
}

#[inline]
fn load(numbers: &[u32; 4]) -> __m128i {
    // SAFETY: the reference covers 16 readable bytes; the load needs no alignment; SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) }
}

#[inline]
fn store(numbers: &mut [u32; 4], v: __m128i) {
    // SAFETY: the reference covers 16 writable bytes; the store needs no alignment; SSE2 is part of x86-64.
    unsafe { _mm_storeu_si128(numbers.as_mut_ptr().cast(), v) }
}

#[inline]
fn quarter(block: &[u8; 64], i: usize) -> __m128i {
    let bytes = &block.as_chunks::<16>().0[i];
    // SAFETY: the reference covers 16 readable bytes; the load needs no alignment; SSE2 is part of x86-64.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// SHA-1 in the order of its instructions: `abcd` from the top down, `e` at the top.
#[derive(Clone, Copy)]
struct Sha1 {
    abcd: __m128i,
    /// `abcd` of four rounds before, whose `a` is the `e` of now, rotated. Before the first step, `e` itself.
    earlier: __m128i,
    /// The last sixteen words of the message schedule, four by four.
    w: [__m128i; 4],
}

impl Sha1 {
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(state: &[u32; 5]) -> Self {
        let [a, b, c, d, e] = *state;
        Self {
            abcd: _mm_shuffle_epi32::<0x1b>(load(&[a, b, c, d])),
            earlier: _mm_set_epi32(e.cast_signed(), 0, 0, 0),
            w: [_mm_setzero_si128(); 4],
        }
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn store(self, state: &mut [u32; 5]) {
        let mut numbers = [0; 4];
        store(&mut numbers, self.abcd);
        let [d, c, b, a] = numbers;
        store(&mut numbers, self.earlier);
        *state = [a, b, c, d, numbers[3]];
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn words(&mut self, block: &[u8; 64]) {
        let order = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
        for i in 0..4 {
            self.w[i] = _mm_shuffle_epi8(quarter(block, i), order);
        }
    }

    /// Rounds `4 * step` to `4 * step + 3`.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn step(&mut self, step: usize) {
        let w = &mut self.w;
        if step >= 4 {
            let mixed = _mm_xor_si128(_mm_sha1msg1_epu32(w[step % 4], w[(step + 1) % 4]), w[(step + 2) % 4]);
            w[step % 4] = _mm_sha1msg2_epu32(mixed, w[(step + 3) % 4]);
        }
        let e = if step == 0 {
            _mm_add_epi32(self.earlier, w[0])
        } else {
            _mm_sha1nexte_epu32(self.earlier, w[step % 4])
        };
        self.earlier = self.abcd;
        self.abcd = match step / 5 {
            0 => _mm_sha1rnds4_epu32::<0>(self.abcd, e),
            1 => _mm_sha1rnds4_epu32::<1>(self.abcd, e),
            2 => _mm_sha1rnds4_epu32::<2>(self.abcd, e),
            _ => _mm_sha1rnds4_epu32::<3>(self.abcd, e),
        };
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn add(&mut self, before: Self) {
        self.abcd = _mm_add_epi32(self.abcd, before.abcd);
        self.earlier = _mm_sha1nexte_epu32(self.earlier, before.earlier);
    }
}

/// SHA-256 in the order of its instructions.
#[derive(Clone, Copy)]
struct Sha256 {
    abef: __m128i,
    cdgh: __m128i,
    /// The last sixteen words of the message schedule, four by four.
    w: [__m128i; 4],
}

impl Sha256 {
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn load(state: &[u32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = *state;
        let w = [_mm_setzero_si128(); 4];
        Self { abef: load(&[f, e, b, a]), cdgh: load(&[h, g, d, c]), w }
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn store(self, state: &mut [u32; 8]) {
        let mut numbers = [0; 4];
        store(&mut numbers, self.abef);
        let [f, e, b, a] = numbers;
        store(&mut numbers, self.cdgh);
        let [h, g, d, c] = numbers;
        *state = [a, b, c, d, e, f, g, h];
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn words(&mut self, block: &[u8; 64]) {
        let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        for i in 0..4 {
            self.w[i] = _mm_shuffle_epi8(quarter(block, i), order);
        }
    }

    /// Rounds `4 * step` to `4 * step + 3`.
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn step(&mut self, step: usize) {
        let w = &mut self.w;
        if step >= 4 {
            let [w_1, w_2, w_3] = [w[(step + 1) % 4], w[(step + 2) % 4], w[(step + 3) % 4]];
            let mixed = _mm_add_epi32(_mm_sha256msg1_epu32(w[step % 4], w_1), _mm_alignr_epi8::<4>(w_3, w_2));
            w[step % 4] = _mm_sha256msg2_epu32(mixed, w_3);
        }
        let sum = _mm_add_epi32(w[step % 4], load(&sha256::K.as_chunks::<4>().0[step]));
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, _mm_shuffle_epi32::<0x0e>(sum));
    }

    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn add(&mut self, before: Self) {
        self.abef = _mm_add_epi32(self.abef, before.abef);
        self.cdgh = _mm_add_epi32(self.cdgh, before.cdgh);
    }
}
