//! MD5 (RFC 1321), its 64 rounds in steps of four.

use super::simd::Simd;

/// The sines of RFC 1321, section 3.4.
#[rustfmt::skip]
pub(super) static K: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// Which word of the block round `t` takes.
pub(super) const fn word(t: usize) -> usize {
    match t / 16 {
        0 => t % 16,
        1 => (5 * t + 1) % 16,
        2 => (3 * t + 5) % 16,
        _ => (7 * t) % 16,
    }
}

/// Rounds `4 * step` to `4 * step + 3` on the state (a, b, c, d). `m` is the block.
#[inline(always)]
pub(super) fn step<S: Simd<L>, const L: usize>(
    s: S,
    k: &[u32; 64],
    step: usize,
    [mut a, mut b, mut c, mut d]: [S::V; 4],
    m: &[S::V; 16],
) -> [S::V; 4] {
    let t = 4 * step;
    match step / 4 {
        0 => {
            a = round::<S, L, 7, 25>(s, k, t, a, b, s.choose(b, c, d), m);
            d = round::<S, L, 12, 20>(s, k, t + 1, d, a, s.choose(a, b, c), m);
            c = round::<S, L, 17, 15>(s, k, t + 2, c, d, s.choose(d, a, b), m);
            b = round::<S, L, 22, 10>(s, k, t + 3, b, c, s.choose(c, d, a), m);
        }
        1 => {
            a = round::<S, L, 5, 27>(s, k, t, a, b, s.choose(d, b, c), m);
            d = round::<S, L, 9, 23>(s, k, t + 1, d, a, s.choose(c, a, b), m);
            c = round::<S, L, 14, 18>(s, k, t + 2, c, d, s.choose(b, d, a), m);
            b = round::<S, L, 20, 12>(s, k, t + 3, b, c, s.choose(a, c, d), m);
        }
        2 => {
            a = round::<S, L, 4, 28>(s, k, t, a, b, s.xor3(b, c, d), m);
            d = round::<S, L, 11, 21>(s, k, t + 1, d, a, s.xor3(a, b, c), m);
            c = round::<S, L, 16, 16>(s, k, t + 2, c, d, s.xor3(d, a, b), m);
            b = round::<S, L, 23, 9>(s, k, t + 3, b, c, s.xor3(c, d, a), m);
        }
        _ => {
            a = round::<S, L, 6, 26>(s, k, t, a, b, s.md5_i(b, c, d), m);
            d = round::<S, L, 10, 22>(s, k, t + 1, d, a, s.md5_i(a, b, c), m);
            c = round::<S, L, 15, 17>(s, k, t + 2, c, d, s.md5_i(d, a, b), m);
            b = round::<S, L, 21, 11>(s, k, t + 3, b, c, s.md5_i(c, d, a), m);
        }
    }
    [a, b, c, d]
}

/// `b + ((a + f + word + K) <<< LEFT)`. Word and constant are added first: they wait for no earlier round.
#[inline(always)]
fn round<S: Simd<L>, const L: usize, const LEFT: i32, const RIGHT: i32>(
    s: S,
    k: &[u32; 64],
    t: usize,
    a: S::V,
    b: S::V,
    f: S::V,
    m: &[S::V; 16],
) -> S::V {
    let early = s.opaque(s.add(a, s.add(m[word(t)], s.splat(k[t]))));
    s.add(b, s.rotate::<LEFT, RIGHT>(s.add(early, f)))
}
