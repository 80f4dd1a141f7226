//! Sixteen lanes in registers of 512 bits. Any function of three bits is one instruction here, and so is a rotation.

use std::arch::asm;
use std::arch::x86_64::{
    __m512i, _mm_cvtsi32_si128, _mm512_add_epi32, _mm512_loadu_si512, _mm512_rol_epi32, _mm512_set1_epi32,
    _mm512_set4_epi32, _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_srl_epi32, _mm512_storeu_si512,
    _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::Kernel;
use super::block::{Lanes, advance};
use super::simd::Simd;
use crate::midstate::LaneSet;

/// The proof that this processor and its operating system have AVX-512 F and BW.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        found.then_some(Self(()))
    }
}

impl Kernel<16> for Avx512 {
    fn advance(self, wanted: LaneSet, lanes: &mut Lanes<16>, blocks: &[&[[u8; 64]]; 16]) {
        #[target_feature(enable = "avx512f,avx512bw")]
        fn compiled(simd: Avx512, wanted: LaneSet, lanes: &mut Lanes<16>, blocks: &[&[[u8; 64]]; 16]) {
            advance(simd, wanted, lanes, blocks);
        }
        // SAFETY: `self` exists, so the processor has both features.
        unsafe { compiled(self, wanted, lanes, blocks) }
    }
}

/// The truth tables of `vpternlogd`: bit `4a + 2b + c` is the result for the bits a, b, c.
const XOR3: i32 = 0b1001_0110;
const CHOOSE: i32 = 0b1100_1010;
const MAJORITY: i32 = 0b1110_1000;
const MD5_I: i32 = 0b0011_1001;

// SAFETY, for each block below without its own: the intrinsic needs AVX-512 F or BW and nothing else, and `self`
// exists, so the processor has both.
impl Simd<16> for Avx512 {
    type V = __m512i;

    #[inline(always)]
    fn splat(self, number: u32) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_set1_epi32(number.cast_signed()) }
    }

    #[inline(always)]
    fn load(self, numbers: &[u32; 16]) -> __m512i {
        // SAFETY: the reference covers 64 readable bytes; the load needs no alignment. The rest as above.
        unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [u32; 16], v: __m512i) {
        // SAFETY: the reference covers 64 writable bytes; the store needs no alignment. The rest as above.
        unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn transpose(self, blocks: &[&[u8; 64]; 16], words: &mut [__m512i; 16]) {
        let mut rows = [self.splat(0); 16];
        for i in 0..16 {
            // SAFETY: the reference covers 64 readable bytes; the load needs no alignment. The rest as above.
            rows[i] = unsafe { _mm512_loadu_si512(blocks[i].as_ptr().cast()) };
        }
        // A square of 4×4 numbers stands in each quarter of four rows. First the squares are transposed…
        let mut columns = rows;
        for square in 0..4 {
            let row = 4 * square;
            // SAFETY: as said above.
            unsafe {
                let ab_low = _mm512_unpacklo_epi32(rows[row], rows[row + 1]);
                let ab_high = _mm512_unpackhi_epi32(rows[row], rows[row + 1]);
                let cd_low = _mm512_unpacklo_epi32(rows[row + 2], rows[row + 3]);
                let cd_high = _mm512_unpackhi_epi32(rows[row + 2], rows[row + 3]);
                columns[row] = _mm512_unpacklo_epi64(ab_low, cd_low);
                columns[row + 1] = _mm512_unpackhi_epi64(ab_low, cd_low);
                columns[row + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
                columns[row + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
            }
        }
        // … then the 4×4 squares among themselves.
        for i in 0..4 {
            // SAFETY: as said above.
            unsafe {
                let low_01 = _mm512_shuffle_i32x4::<0x88>(columns[i], columns[4 + i]);
                let high_01 = _mm512_shuffle_i32x4::<0xdd>(columns[i], columns[4 + i]);
                let low_23 = _mm512_shuffle_i32x4::<0x88>(columns[8 + i], columns[12 + i]);
                let high_23 = _mm512_shuffle_i32x4::<0xdd>(columns[8 + i], columns[12 + i]);
                words[i] = _mm512_shuffle_i32x4::<0x88>(low_01, low_23);
                words[4 + i] = _mm512_shuffle_i32x4::<0x88>(high_01, high_23);
                words[8 + i] = _mm512_shuffle_i32x4::<0xdd>(low_01, low_23);
                words[12 + i] = _mm512_shuffle_i32x4::<0xdd>(high_01, high_23);
            }
        }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn opaque(self, v: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { opaque(v) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_ternarylogic_epi32::<XOR3>(a, b, c) }
    }

    #[inline(always)]
    fn choose(self, which: __m512i, yes: __m512i, no: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_ternarylogic_epi32::<CHOOSE>(which, yes, no) }
    }

    #[inline(always)]
    fn majority(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_ternarylogic_epi32::<MAJORITY>(a, b, c) }
    }

    #[inline(always)]
    fn md5_i(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_ternarylogic_epi32::<MD5_I>(a, b, c) }
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, v: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe { _mm512_rol_epi32::<LEFT>(v) }
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, v: __m512i) -> __m512i {
        // SAFETY: as said above. The count is a constant, which makes this the shift by a constant.
        unsafe { _mm512_srl_epi32(v, _mm_cvtsi32_si128(BITS)) }
    }

    #[inline(always)]
    fn swap_bytes(self, v: __m512i) -> __m512i {
        // SAFETY: as said above.
        unsafe {
            let order = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
            _mm512_shuffle_epi8(v, order)
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn opaque(mut v: __m512i) -> __m512i {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0} */", inout(zmm_reg) v, options(pure, nomem, nostack, preserves_flags)) };
    v
}
