//! SHA-1 (FIPS 180-4, section 6.1.2), its 80 rounds in steps of five.

use super::simd::Simd;

/// FIPS 180-4, section 4.2.1: one for every twenty rounds.
pub(super) static K: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// Rounds `5 * step` to `5 * step + 4` on the state (a, b, c, d, e). `w` holds the last sixteen words of the message
/// schedule, word `t` at `t % 16`; before the first step it is the block, as big-endian numbers.
#[inline(always)]
pub(super) fn step<S: Simd<L>, const L: usize>(
    s: S,
    k: &[u32; 4],
    step: usize,
    [mut a, mut b, mut c, mut d, mut e]: [S::V; 5],
    w: &mut [S::V; 16],
) -> [S::V; 5] {
    let t = 5 * step;
    (e, b) = round(s, k, t, a, b, c, d, e, w);
    (d, a) = round(s, k, t + 1, e, a, b, c, d, w);
    (c, e) = round(s, k, t + 2, d, e, a, b, c, w);
    (b, d) = round(s, k, t + 3, c, d, e, a, b, w);
    (a, c) = round(s, k, t + 4, b, c, d, e, a, w);
    [a, b, c, d, e]
}

/// Round `t`: what `e` and `b` become. The caller renames the five instead of moving them.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the five words of the state are what a round is about")]
fn round<S: Simd<L>, const L: usize>(
    s: S,
    k: &[u32; 4],
    t: usize,
    a: S::V,
    b: S::V,
    c: S::V,
    d: S::V,
    e: S::V,
    w: &mut [S::V; 16],
) -> (S::V, S::V) {
    if t >= 16 {
        let mixed = s.xor3(w[(t + 13) % 16], w[(t + 8) % 16], w[(t + 2) % 16]);
        w[t % 16] = s.rotate::<1, 31>(s.xor(mixed, w[t % 16]));
    }
    let f = match t / 20 {
        0 => s.choose(b, c, d),
        2 => s.majority(b, c, d),
        _ => s.xor3(b, c, d),
    };
    let early = s.opaque(s.add(e, s.add(w[t % 16], s.splat(k[t / 20]))));
    let sum = s.add(s.add(early, f), s.rotate::<5, 27>(a));
    (sum, s.rotate::<30, 2>(b))
}
