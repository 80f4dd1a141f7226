use hashward_core::{AlgorithmSet, Digests};

use crate::kernel::single;
use crate::midstate::{BLOCK_BYTES, LaneSet, Midstate, Tail};
use crate::others::{Others, one_shot_into};

/// How many bytes go through all algorithms before the next ones are touched: 16 KiB.
///
/// Small enough to stay in a first-level cache (32 KiB and more) beside the hashers' own state, so that the
/// second algorithm and those after it read from there and not from memory. Large enough for BLAKE3, which
/// hashes up to 16 pieces of 1 KiB side by side.
pub const CHUNK_BYTES: usize = 16 * 1024;

/// Digests of content that arrives in pieces, all wanted algorithms in one pass.
///
/// It lives in place (about 3 KiB) and never allocates. A hasher that is not wanted is not set up. Where several contents
/// are at hand, [`crate::StreamPool`] and [`crate::digest_many`] are several times as fast.
#[derive(Clone)]
pub struct Digester {
    lane_set: LaneSet,
    state: Midstate,
    /// The bytes since the last whole block: the first `content_bytes % 64` of these.
    rest: [u8; BLOCK_BYTES],
    content_bytes: u64,
    others: Others,
}

impl Digester {
    /// A digester that has seen no byte yet, for the algorithms in `wanted`.
    pub fn new(wanted: AlgorithmSet) -> Self {
        Self {
            lane_set: LaneSet::of(wanted),
            state: Midstate::INITIAL,
            rest: [0; BLOCK_BYTES],
            content_bytes: 0,
            others: Others::new(wanted),
        }
    }

    /// Takes the content's next bytes. How the content is cut into pieces does not change its digests.
    pub fn update(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            self.update_blocks(chunk);
            self.others.update(chunk);
        }
    }

    fn update_blocks(&mut self, mut bytes: &[u8]) {
        let rest_bytes = self.rest_bytes();
        self.content_bytes = self.content_bytes.wrapping_add(bytes.len() as u64);
        if rest_bytes > 0 {
            let (head, after) = bytes.split_at(bytes.len().min(BLOCK_BYTES - rest_bytes));
            self.rest[rest_bytes..rest_bytes + head.len()].copy_from_slice(head);
            if rest_bytes + head.len() < BLOCK_BYTES {
                return;
            }
            single::advance(self.lane_set, &mut self.state, &[self.rest]);
            bytes = after;
        }
        let (blocks, rest) = bytes.as_chunks();
        single::advance(self.lane_set, &mut self.state, blocks);
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn rest_bytes(&self) -> usize {
        usize::try_from(self.content_bytes % BLOCK_BYTES as u64).expect("it is below 64")
    }

    /// The digests of all bytes taken: one of each wanted algorithm.
    pub fn finish(mut self) -> Digests {
        let mut digests = Digests::default();
        let tail = Tail::new(&self.rest[..self.rest_bytes()], self.content_bytes);
        single::finish(self.lane_set, &mut self.state, &tail);
        self.state.digests_into(self.lane_set, &mut digests);
        self.others.finish_into(&mut digests);
        digests
    }
}

/// The digests of content that is in memory as a whole: one of each wanted algorithm.
///
/// MD5, SHA-1 and SHA-256 go through it together. For several contents, see [`crate::digest_many`].
pub fn digest_bytes(wanted: AlgorithmSet, content: &[u8]) -> Digests {
    if content.len() > CHUNK_BYTES {
        let mut digester = Digester::new(wanted);
        digester.update(content);
        return digester.finish();
    }
    let mut digests = Digests::default();
    let lane_set = LaneSet::of(wanted);
    let mut state = Midstate::INITIAL;
    let (blocks, rest) = content.as_chunks();
    single::advance(lane_set, &mut state, blocks);
    single::finish(lane_set, &mut state, &Tail::new(rest, content.len() as u64));
    state.digests_into(lane_set, &mut digests);
    one_shot_into(wanted, content, &mut digests);
    digests
}
