use hashward_core::{Algorithm, AlgorithmSet, Digests};

/// The block of MD5, SHA-1 and SHA-256.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Those of the wanted algorithms that run in lanes: they share the block, the padding and the size of a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LaneSet {
    pub(crate) md5: bool,
    pub(crate) sha1: bool,
    pub(crate) sha256: bool,
}

impl LaneSet {
    pub(crate) const NONE: Self = Self { md5: false, sha1: false, sha256: false };
    pub(crate) const ALL: Self = Self { md5: true, sha1: true, sha256: true };

    pub(crate) fn of(wanted: AlgorithmSet) -> Self {
        Self {
            md5: wanted.contains(Algorithm::Md5),
            sha1: wanted.contains(Algorithm::Sha1),
            sha256: wanted.contains(Algorithm::Sha256),
        }
    }

    pub(crate) fn len(self) -> usize {
        usize::from(self.md5) + usize::from(self.sha1) + usize::from(self.sha256)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What the three algorithms know of a content after some whole blocks. Any kernel can go on from here.
///
/// An algorithm that is not wanted keeps its initial value or holds anything.
#[derive(Clone)]
pub(crate) struct Midstate {
    pub(crate) md5: [u32; 4],
    pub(crate) sha1: [u32; 5],
    pub(crate) sha256: [u32; 8],
}

impl Midstate {
    /// Before the first block: RFC 1321, section 3.3; FIPS 180-4, sections 5.3.1 and 5.3.3.
    pub(crate) const INITIAL: Self = Self {
        md5: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476],
        sha1: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0],
        sha256: [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ],
    };

    /// Puts the wanted digests into `digests`. The last block must have been taken.
    pub(crate) fn digests_into(&self, wanted: LaneSet, digests: &mut Digests) {
        if wanted.md5 {
            digests.set(Algorithm::Md5, self.md5.map(u32::to_le_bytes).as_flattened());
        }
        if wanted.sha1 {
            digests.set(Algorithm::Sha1, self.sha1.map(u32::to_be_bytes).as_flattened());
        }
        if wanted.sha256 {
            digests.set(Algorithm::Sha256, self.sha256.map(u32::to_be_bytes).as_flattened());
        }
    }
}

/// The end of a content: what does not fill a block, a single one bit, zeros, and the length; one block or two.
#[derive(Clone)]
pub(crate) struct Tail {
    /// The last `count` of these.
    blocks: [[u8; BLOCK_BYTES]; 2],
    count: usize,
}

impl Tail {
    /// `rest` is what follows the last whole block of a content of `content_bytes`.
    ///
    /// The length stands as MD5 has it: its low half first, little-endian. See [`Tail::big_endian`].
    pub(crate) fn new(rest: &[u8], content_bytes: u64) -> Self {
        let length_bytes = size_of::<u64>();
        let count = if rest.len() + 1 + length_bytes > BLOCK_BYTES { 2 } else { 1 };
        let mut blocks = [[0; BLOCK_BYTES]; 2];
        let bytes = blocks[2 - count..].as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let length_at = bytes.len() - length_bytes;
        bytes[length_at..].copy_from_slice(&content_bytes.wrapping_mul(8).to_le_bytes());
        Self { blocks, count }
    }

    /// The same with the length as SHA-1 and SHA-256 have it.
    pub(crate) fn big_endian(&self) -> Self {
        let mut tail = self.clone();
        tail.blocks[1][BLOCK_BYTES - size_of::<u64>()..].reverse();
        tail
    }

    /// One block or two.
    pub(crate) fn blocks(&self) -> &[[u8; BLOCK_BYTES]] {
        &self.blocks[2 - self.count..]
    }

    /// What remains when the first block is taken.
    pub(crate) fn without_first(self) -> Option<Self> {
        (self.count == 2).then_some(Self { count: 1, ..self })
    }
}
