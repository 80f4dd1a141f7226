//! Four lanes in plain arrays: the safe twin that the kernels with intrinsics are held against.

use super::Kernel;
use super::block::{Lanes, advance};
use super::simd::Simd;
use crate::midstate::LaneSet;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Portable;

impl Kernel<4> for Portable {
    fn advance(self, wanted: LaneSet, lanes: &mut Lanes<4>, blocks: &[&[[u8; 64]]; 4]) {
        advance(self, wanted, lanes, blocks);
    }
}

type V = [u32; 4];

#[inline(always)]
fn map2(a: V, b: V, f: impl Fn(u32, u32) -> u32) -> V {
    [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
}

#[inline(always)]
fn map3(a: V, b: V, c: V, f: impl Fn(u32, u32, u32) -> u32) -> V {
    [f(a[0], b[0], c[0]), f(a[1], b[1], c[1]), f(a[2], b[2], c[2]), f(a[3], b[3], c[3])]
}

impl Simd<4> for Portable {
    type V = V;

    #[inline(always)]
    fn splat(self, number: u32) -> V {
        [number; 4]
    }

    #[inline(always)]
    fn load(self, numbers: &[u32; 4]) -> V {
        *numbers
    }

    #[inline(always)]
    fn store(self, numbers: &mut [u32; 4], v: V) {
        *numbers = v;
    }

    #[inline(always)]
    fn transpose(self, blocks: &[&[u8; 64]; 4], words: &mut [V; 16]) {
        for lane in 0..4 {
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
