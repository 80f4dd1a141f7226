//! One content alone: where no company for lanes is there.

#[cfg(not(target_arch = "x86_64"))]
use md5::block_api::compress as md5;
use sha1::block_api::compress as sha1;
use sha2::block_api::compress256 as sha256;

#[cfg(target_arch = "x86_64")]
use super::md5_alone::advance as md5;
#[cfg(target_arch = "x86_64")]
use super::sha_ni::ShaNi;
use crate::midstate::{LaneSet, Midstate, Tail};

/// Takes the state over whole blocks.
pub(crate) fn advance(wanted: LaneSet, state: &mut Midstate, blocks: &[[u8; 64]]) {
    #[cfg(target_arch = "x86_64")]
    if wanted == LaneSet::ALL
        && let Some(sha_ni) = ShaNi::detect()
    {
        return sha_ni.advance(state, blocks);
    }
    // Block by block, so that the processor overlaps what does not depend on each other.
    let piece_blocks = if wanted.len() == 1 { blocks.len().max(1) } else { 1 };
    for piece in blocks.chunks(piece_blocks) {
        if wanted.md5 {
            md5(&mut state.md5, piece);
        }
        if wanted.sha1 {
            sha1(&mut state.sha1, piece);
        }
        if wanted.sha256 {
            sha256(&mut state.sha256, piece);
        }
    }
}

/// Takes the state over the end of the content.
pub(crate) fn finish(wanted: LaneSet, state: &mut Midstate, tail: &Tail) {
    if wanted.md5 {
        advance(LaneSet { md5: true, ..LaneSet::NONE }, state, tail.blocks());
    }
    let sha = LaneSet { md5: false, ..wanted };
    if !sha.is_empty() {
        advance(sha, state, tail.big_endian().blocks());
    }
}
