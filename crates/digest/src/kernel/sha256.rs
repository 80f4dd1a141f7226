//! SHA-256 (FIPS 180-4, section 6.2.2), its 64 rounds in steps of four.

use super::simd::Simd;

/// FIPS 180-4, section 4.2.2.
#[rustfmt::skip]
pub(super) static K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Rounds `4 * step` to `4 * step + 3` on the state (a, b, …, h). `w` holds the last sixteen words of the message
/// schedule, word `t` at `t % 16`; before the first step it is the block, as big-endian numbers.
#[inline(always)]
pub(super) fn step<S: Simd<L>, const L: usize>(
    s: S,
    k: &[u32; 64],
    step: usize,
    mut state: [S::V; 8],
    w: &mut [S::V; 16],
) -> [S::V; 8] {
    for t in [4 * step, 4 * step + 1, 4 * step + 2, 4 * step + 3] {
        if t >= 16 {
            let (before_15, before_2) = (w[(t + 1) % 16], w[(t + 14) % 16]);
            let sigma_0 = s.xor3(
                s.rotate::<25, 7>(before_15),
                s.rotate::<14, 18>(before_15),
                s.shift_right::<3>(before_15),
            );
            let sigma_1 = s.xor3(
                s.rotate::<15, 17>(before_2),
                s.rotate::<13, 19>(before_2),
                s.shift_right::<10>(before_2),
            );
            w[t % 16] = s.add(s.add(w[t % 16], w[(t + 9) % 16]), s.add(sigma_0, sigma_1));
        }
        let [a, b, c, d, e, f, g, h] = state;
        let sum_1 = s.xor3(s.rotate::<26, 6>(e), s.rotate::<21, 11>(e), s.rotate::<7, 25>(e));
        let sum_0 = s.xor3(s.rotate::<30, 2>(a), s.rotate::<19, 13>(a), s.rotate::<10, 22>(a));
        let early = s.opaque(s.add(h, s.add(w[t % 16], s.splat(k[t]))));
        let t_1 = s.add(s.add(early, s.choose(e, f, g)), sum_1);
        let t_2 = s.add(sum_0, s.majority(a, b, c));
        state = [s.add(t_1, t_2), a, b, c, s.add(d, t_1), e, f, g];
    }
    state
}
