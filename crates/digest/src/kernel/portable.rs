//! Two lanes in plain arrays: the safe twin that the kernels with intrinsics are held against.

use super::Kernel;
use super::block::{Lanes, advance};
use super::simd::Simd;
use crate::midstate::LaneSet;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Portable;

impl Kernel<2> for Portable {
    fn advance(self, wanted: LaneSet, lanes: &mut Lanes<2>, blocks: &[&[[u8; 64]]; 2]) {
        advance(self, wanted, lanes, blocks);
    }
}

type V = [u32; 2];

#[inline(always)]
fn map2(a: V, b: V, f: impl Fn(u32, u32) -> u32) -> V {
    [f(a[0], b[0]), f(a[1], b[1])]
}

#[inline(always)]
fn map3(a: V, b: V, c: V, f: impl Fn(u32, u32, u32) -> u32) -> V {
    [f(a[0], b[0], c[0]), f(a[1], b[1], c[1])]
}

impl Simd<2> for Portable {
    type V = V;

    #[inline(always)]
    fn splat(self, number: u32) -> V {
        [number; 2]
    }

    #[inline(always)]
    fn load(self, numbers: &[u32; 2]) -> V {
        *numbers
    }

    #[inline(always)]
    fn store(self, numbers: &mut [u32; 2], v: V) {
        *numbers = v;
    }

    #[inline(always)]
    fn transpose(self, blocks: &[&[u8; 64]; 2], words: &mut [V; 16]) {
        for lane in 0..2 {
            for (i, bytes) in blocks[lane].as_chunks().0.iter().enumerate() {
                words[i][lane] = u32::from_le_bytes(*bytes);
            }
        }
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        map2(a, b, u32::wrapping_add)
    }

    #[inline(always)]
    fn opaque(self, v: V) -> V {
        v
    }

    #[inline(always)]
    fn xor(self, a: V, b: V) -> V {
        map2(a, b, |a, b| a ^ b)
    }

    #[inline(always)]
    fn xor3(self, a: V, b: V, c: V) -> V {
        map3(a, b, c, |a, b, c| a ^ b ^ c)
    }

    #[inline(always)]
    fn choose(self, which: V, yes: V, no: V) -> V {
        map3(which, yes, no, |which, yes, no| no ^ (which & (yes ^ no)))
    }

    #[inline(always)]
    fn majority(self, a: V, b: V, c: V) -> V {
        map3(a, b, c, |a, b, c| (a & b) | (c & (a | b)))
    }

    #[inline(always)]
    fn md5_i(self, a: V, b: V, c: V) -> V {
        map3(a, b, c, |a, b, c| b ^ (a | !c))
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self, v: V) -> V {
        v.map(|number| number << LEFT | number >> RIGHT)
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, v: V) -> V {
        v.map(|number| number >> BITS)
    }

    #[inline(always)]
    fn swap_bytes(self, v: V) -> V {
        v.map(u32::swap_bytes)
    }
}
