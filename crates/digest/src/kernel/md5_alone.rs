//! MD5 of one content in plain registers, so that each round waits for the round before as shortly as can be.

use std::arch::asm;

use super::md5;

/// Takes the state over `blocks`.
pub(crate) fn advance(state: &mut [u32; 4], blocks: &[[u8; 64]]) {
    for block in blocks {
        let m = words(block);
        let mut now = *state;
        macro_rules! steps {
            ($($step:literal)*) => {$( now = step($step, now, &m); )*};
        }
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for i in 0..4 {
            state[i] = state[i].wrapping_add(now[i]);
        }
    }
}

#[inline]
pub(super) fn words(block: &[u8; 64]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

/// [`md5::step`] on plain numbers.
#[inline]
pub(super) fn step(step: usize, [mut a, mut b, mut c, mut d]: [u32; 4], m: &[u32; 16]) -> [u32; 4] {
    let t = 4 * step;
    macro_rules! rounds {
        ($f:ident, $($left:literal),*) => {{
            let [r_0, r_1, r_2, r_3] = [$($left),*];
            a = $f(early(a, t, m), b, c, d).rotate_left(r_0).wrapping_add(b);
            d = $f(early(d, t + 1, m), a, b, c).rotate_left(r_1).wrapping_add(a);
            c = $f(early(c, t + 2, m), d, a, b).rotate_left(r_2).wrapping_add(d);
            b = $f(early(b, t + 3, m), c, d, a).rotate_left(r_3).wrapping_add(c);
        }};
    }
    match step / 4 {
        0 => rounds!(f, 7, 12, 17, 22),
        1 => rounds!(g, 5, 9, 14, 20),
        2 => rounds!(h, 4, 11, 16, 23),
        _ => rounds!(i, 6, 10, 15, 21),
    }
    [a, b, c, d]
}

/// What of a round is ready before the round before it ends.
#[inline]
fn early(a: u32, t: usize, m: &[u32; 16]) -> u32 {
    opaque(a.wrapping_add(m[md5::word(t)]).wrapping_add(md5::K[t]))
}

/// See [`super::simd::Simd::opaque`].
#[inline]
fn opaque(mut number: u32) -> u32 {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0:e} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags)) };
    number
}

// The functions of MD5, added to a sum. `x` comes from the round just before, so that it should be used last.

#[inline]
fn f(sum: u32, x: u32, y: u32, z: u32) -> u32 {
    sum.wrapping_add(z ^ (x & (y ^ z)))
}

#[inline]
fn g(sum: u32, x: u32, y: u32, z: u32) -> u32 {
    // The two halves share no bit, so that their sum is their union.
    opaque(sum.wrapping_add(y & !z)).wrapping_add(x & z)
}

#[inline]
fn h(sum: u32, x: u32, y: u32, z: u32) -> u32 {
    sum.wrapping_add(x ^ opaque(y ^ z))
}

#[inline]
fn i(sum: u32, x: u32, y: u32, z: u32) -> u32 {
    sum.wrapping_add(y ^ (x | !z))
}
