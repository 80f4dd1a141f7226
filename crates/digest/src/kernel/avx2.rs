//! Eight lanes in registers of 256 bits.

use std::arch::asm;
use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_slli_epi32,
    _mm256_srl_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::Kernel;
use super::block::{Lanes, advance};
use super::simd::Simd;
use crate::midstate::LaneSet;

/// The proof that this processor and its operating system have AVX2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl Kernel<8> for Avx2 {
    fn advance(self, wanted: LaneSet, lanes: &mut Lanes<8>, blocks: &[&[[u8; 64]]; 8]) {
        #[target_feature(enable = "avx2")]
        fn compiled(simd: Avx2, wanted: LaneSet, lanes: &mut Lanes<8>, blocks: &[&[[u8; 64]]; 8]) {
            advance(simd, wanted, lanes, blocks);
        }
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { compiled(self, wanted, lanes, blocks) }
    }
}

// SAFETY, for each block below without its own: the intrinsic needs AVX2 or less and nothing else, and `self` exists,
// so the processor has it.
impl Simd<8> for Avx2 {
    type V = __m256i;

    #[inline(always)]
    fn splat(self, number: u32) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_set1_epi32(number.cast_signed()) }
    }

    #[inline(always)]
    fn load(self, numbers: &[u32; 8]) -> __m256i {
        // SAFETY: the reference covers 32 readable bytes; the load needs no alignment. The rest as above.
        unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, numbers: &mut [u32; 8], v: __m256i) {
        // SAFETY: the reference covers 32 writable bytes; the store needs no alignment. The rest as above.
        unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn transpose(self, blocks: &[&[u8; 64]; 8], words: &mut [__m256i; 16]) {
        for half in 0..2 {
            let mut rows = [self.splat(0); 8];
            for i in 0..8 {
                // SAFETY: each reference covers 64 readable bytes, of which this takes 32 from the first or from
                // the middle; the load needs no alignment. The rest as above.
                rows[i] = unsafe { _mm256_loadu_si256(blocks[i].as_ptr().add(32 * half).cast()) };
            }
            // A square of 4×4 numbers stands in each half of four rows. First the squares are transposed…
            let mut columns = rows;
            for square in 0..2 {
                let row = 4 * square;
                // SAFETY: as said above.
                unsafe {
                    let ab_low = _mm256_unpacklo_epi32(rows[row], rows[row + 1]);
                    let ab_high = _mm256_unpackhi_epi32(rows[row], rows[row + 1]);
                    let cd_low = _mm256_unpacklo_epi32(rows[row + 2], rows[row + 3]);
                    let cd_high = _mm256_unpackhi_epi32(rows[row + 2], rows[row + 3]);
                    columns[row] = _mm256_unpacklo_epi64(ab_low, cd_low);
                    columns[row + 1] = _mm256_unpackhi_epi64(ab_low, cd_low);
                    columns[row + 2] = _mm256_unpacklo_epi64(ab_high, cd_high);
                    columns[row + 3] = _mm256_unpackhi_epi64(ab_high, cd_high);
                }
            }
            // … then the squares among themselves.
            for i in 0..4 {
                // SAFETY: as said above.
                unsafe {
                    words[8 * half + i] = _mm256_permute2x128_si256::<0x20>(columns[i], columns[4 + i]);
                    words[8 * half + 4 + i] = _mm256_permute2x128_si256::<0x31>(columns[i], columns[4 + i]);
                }
            }
        }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn opaque(self, v: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { opaque(v) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn xor3(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        self.xor(self.xor(b, c), a)
    }

    #[inline(always)]
    fn choose(self, which: __m256i, yes: __m256i, no: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_xor_si256(no, _mm256_and_si256(which, _mm256_xor_si256(yes, no))) }
    }

    #[inline(always)]
    fn majority(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_xor_si256(b, _mm256_and_si256(_mm256_xor_si256(b, c), _mm256_xor_si256(a, b))) }
    }

    #[inline(always)]
    fn md5_i(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_xor_si256(b, _mm256_or_si256(a, _mm256_xor_si256(c, _mm256_set1_epi32(-1)))) }
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, v: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe { _mm256_or_si256(_mm256_slli_epi32::<LEFT>(v), _mm256_srli_epi32::<RIGHT>(v)) }
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, v: __m256i) -> __m256i {
        // SAFETY: as said above. The count is a constant, which makes this the shift by a constant.
        unsafe { _mm256_srl_epi32(v, _mm_cvtsi32_si128(BITS)) }
    }

    #[inline(always)]
    fn swap_bytes(self, v: __m256i) -> __m256i {
        // SAFETY: as said above.
        unsafe {
            let order = _mm256_setr_epi32(
                0x0001_0203,
                0x0405_0607,
                0x0809_0a0b,
                0x0c0d_0e0f,
                0x0001_0203,
                0x0405_0607,
                0x0809_0a0b,
                0x0c0d_0e0f,
            );
            _mm256_shuffle_epi8(v, order)
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn opaque(mut v: __m256i) -> __m256i {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0} */", inout(ymm_reg) v, options(pure, nomem, nostack, preserves_flags)) };
    v
}
