//! Digests to seals.
//!
//! A seal is CBC-MAC (ISO/IEC 9797-1, algorithm 1) with AES-256 over the digest, zeros after it up to a whole
//! block, under a key of its algorithm's own. CBC-MAC is a pseudorandom function where all messages under one
//! key have the same length (Bellare, Kilian, Rogaway, "The Security of the Cipher Block Chaining Message
//! Authentication Code", JCSS 61, 2000); an algorithm's digests have, and the padding, of fixed length too,
//! keeps different digests different. After `q` seals of `l` blocks an attacker tells them from random with an
//! advantage of about `(l·q)²/2^128`: 2^-40 for 2^42 lookups of SHA-512, whose digests have four blocks.
//!
//! So without the key nobody can learn a digest from a seal, test a guess, or aim at a bucket. Two digests
//! share a seal with a chance of 2^-128; two MD5 never do, since a permutation of blocks seals them. With the
//! key collisions can be made, but the digest must then be one whose content is known: a preimage.
//!
//! Keyed BLAKE3 is the plain way to the same and is what the benchmark compares against: in batches, a seal takes
//! about a sixth of its time. AES-128 would save a tenth of that and is not worth the shorter key.

use std::fmt;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use hashward_core::{Algorithm, AlgorithmSet, Digest};

use crate::SealKey;

type Block = aes::Block;

const BLOCK_BYTES: usize = 16;
/// How many digests are sealed and looked up together: enough to have as many reads under way as a core can, and
/// for the cost of preparing the cipher to be shared; few enough for the first-level cache.
pub(crate) const BATCH: usize = 256;

/// Fewer digests than this are sealed sooner one by one.
const BATCH_MIN: usize = 8;

/// A seal that is looked up, and the place of its digest in the batch.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked {
    pub(crate) seal: Seal,
    pub(crate) place: usize,
}

/// A digest under the deployment's key: 128 bits that look random, in the order of their bytes.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seal {
    /// The first eight bytes as a big-endian number: chooses the bucket.
    pub(crate) high: u64,
    /// The last eight bytes: chooses tag and filter bits.
    pub(crate) low: u64,
}

impl Seal {
    /// A seal from its bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let whole = u128::from_be_bytes(bytes);
        let low = u64::try_from(whole & u128::from(u64::MAX)).expect("masked to 64 bits");
        Self { high: u64::try_from(whole >> 64).expect("64 bits are left"), low }
    }

    /// The seal's bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// Turns digests into seals.
pub struct Sealer {
    ciphers: [Aes256; Algorithm::ALL.len()],
}

impl Sealer {
    /// The sealer of `key`.
    pub fn new(key: &SealKey) -> Self {
        let cipher = |place: usize| {
            let purpose = format!("digests {}", Algorithm::ALL[place].word());
            Aes256::new(&Array(*key.derive(&purpose)))
        };
        Self { ciphers: std::array::from_fn(cipher) }
    }

    /// The seal of one digest.
    pub fn seal(&self, digest: &Digest) -> Seal {
        let mut state = Block::default();
        self.chain(digest.algorithm(), &[digest.as_bytes()], std::slice::from_mut(&mut state));
        Seal::from_bytes(state.into())
    }

    /// Seals `digests` into `seals`, place by place. Panics if their lengths differ.
    pub fn seal_batch(&self, digests: &[Digest], seals: &mut [Seal]) {
        assert_eq!(digests.len(), seals.len(), "one place for each seal");
        if digests.len() < BATCH_MIN {
            digests.iter().zip(seals).for_each(|(digest, seal)| *seal = self.seal(digest));
            return;
        }
        let mut asked = [Asked::default(); BATCH];
        for (digests, seals) in digests.chunks(BATCH).zip(seals.chunks_mut(BATCH)) {
            let count = self.seal_chunk(digests, AlgorithmSet::ALL, &mut asked);
            for Asked { seal, place } in &asked[..count] {
                seals[*place] = *seal;
            }
        }
    }

    /// Seals those of at most [`BATCH`] digests whose algorithm is `wanted`, in any order, and returns how many.
    pub(crate) fn seal_chunk(
        &self,
        digests: &[Digest],
        wanted: AlgorithmSet,
        asked: &mut [Asked; BATCH],
    ) -> usize {
        let present: AlgorithmSet = digests.iter().map(Digest::algorithm).collect();
        let mut states = [Block::default(); BATCH];
        let mut texts: [&[u8]; BATCH] = [&[]; BATCH];
        let mut sealed = 0;
        for algorithm in present.intersection(wanted).iter() {
            let start = sealed;
            for (place, digest) in digests.iter().enumerate() {
                if digest.algorithm() == algorithm {
                    asked[sealed].place = place;
                    texts[sealed] = digest.as_bytes();
                    sealed += 1;
                }
            }
            let states = &mut states[start..sealed];
            self.chain(algorithm, &texts[start..sealed], states);
            for (asked, state) in asked[start..sealed].iter_mut().zip(states) {
                asked.seal = Seal::from_bytes((*state).into());
            }
        }
        sealed
    }

    /// CBC-MAC over digests of one algorithm, block by block: all first blocks, then all second ones. The states
    /// are zero before.
    fn chain(&self, algorithm: Algorithm, digests: &[&[u8]], states: &mut [Block]) {
        let cipher = &self.ciphers[algorithm as usize];
        for from in (0..algorithm.digest_bytes()).step_by(BLOCK_BYTES) {
            for (digest, state) in digests.iter().zip(states.iter_mut()) {
                let block = block_at(digest, from);
                *state = (u128::from_ne_bytes((*state).into()) ^ block).to_ne_bytes().into();
            }
            cipher.encrypt_blocks(states);
        }
    }
}

/// The block of a digest that starts at `from`, with zeros after the digest's end.
#[inline]
fn block_at(digest: &[u8], from: usize) -> u128 {
    let rest = &digest[from..];
    let block = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; BLOCK_BYTES];
        padded[..rest.len()].copy_from_slice(rest);
        padded
    });
    u128::from_ne_bytes(block)
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}
