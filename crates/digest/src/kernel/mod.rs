//! The kernels: functions that take midstates over blocks. All `unsafe` of this crate is here.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics; each block says why it is sound")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2_and_sha;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics; each block says why it is sound")]
pub(crate) mod avx512;
mod block;
mod md5;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "one empty line of assembly that keeps the compiler from regrouping sums")]
mod md5_alone;
#[cfg(test)]
pub(crate) mod portable;
mod sha1;
mod sha256;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics; each block says why it is sound")]
pub(crate) mod sha_ni;
mod simd;
pub(crate) mod single;

pub(crate) use block::Lanes;

use crate::midstate::LaneSet;

/// Takes `L` contents forward at once.
pub(crate) trait Kernel<const L: usize>: Copy {
    /// Takes every lane's state over the blocks of that lane. All lanes have as many blocks: one, if it is the last block
    /// of any ([`Lanes::set_last`]).
    fn advance(self, wanted: LaneSet, lanes: &mut Lanes<L>, blocks: &[&[[u8; 64]]; L]);
}
