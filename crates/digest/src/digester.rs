use hashward_core::{Algorithm, AlgorithmSet, Digests};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// How many bytes go through all algorithms before the next ones are touched: 16 KiB.
///
/// Small enough to stay in a first-level cache (32 KiB and more) beside the hashers' own state, so that the
/// second algorithm and those after it read from there and not from memory. Large enough for BLAKE3, which
/// hashes up to 16 pieces of 1 KiB side by side.
pub const CHUNK_BYTES: usize = 16 * 1024;

/// Digests of content that arrives in pieces, all wanted algorithms in one pass.
///
/// It lives in place (about 3 KiB) and never allocates. A hasher that is not wanted is not set up.
#[derive(Clone)]
pub struct Digester {
    md5: Option<Md5>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
    blake3: Option<blake3::Hasher>,
    xxh3: Option<Xxh3>,
}

impl Digester {
    /// A digester that has seen no byte yet, for the algorithms in `wanted`.
    pub fn new(wanted: AlgorithmSet) -> Self {
        Self {
            md5: wanted.contains(Algorithm::Md5).then(Md5::new),
            sha1: wanted.contains(Algorithm::Sha1).then(Sha1::new),
            sha256: wanted.contains(Algorithm::Sha256).then(Sha256::new),
            sha512: wanted.contains(Algorithm::Sha512).then(Sha512::new),
            blake3: wanted.contains(Algorithm::Blake3).then(blake3::Hasher::new),
            xxh3: wanted.contains(Algorithm::Xxh3).then(Xxh3::new),
        }
    }

    /// Takes the content's next bytes. How the content is cut into pieces does not change its digests.
    pub fn update(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            if let Some(hasher) = &mut self.md5 {
                hasher.update(chunk);
            }
            if let Some(hasher) = &mut self.sha1 {
                hasher.update(chunk);
            }
            if let Some(hasher) = &mut self.sha256 {
                hasher.update(chunk);
            }
            if let Some(hasher) = &mut self.sha512 {
                hasher.update(chunk);
            }
            if let Some(hasher) = &mut self.blake3 {
                hasher.update(chunk);
            }
            if let Some(hasher) = &mut self.xxh3 {
                hasher.update(chunk);
            }
        }
    }

    /// The digests of all bytes taken: one of each wanted algorithm.
    pub fn finish(self) -> Digests {
        let mut digests = Digests::default();
        if let Some(hasher) = self.md5 {
            digests.set(Algorithm::Md5, &hasher.finalize());
        }
        if let Some(hasher) = self.sha1 {
            digests.set(Algorithm::Sha1, &hasher.finalize());
        }
        if let Some(hasher) = self.sha256 {
            digests.set(Algorithm::Sha256, &hasher.finalize());
        }
        if let Some(hasher) = self.sha512 {
            digests.set(Algorithm::Sha512, &hasher.finalize());
        }
        if let Some(hasher) = self.blake3 {
            digests.set(Algorithm::Blake3, hasher.finalize().as_bytes());
        }
        if let Some(hasher) = self.xxh3 {
            digests.set(Algorithm::Xxh3, &hasher.digest().to_be_bytes());
        }
        digests
    }
}

/// The digests of content that is in memory as a whole: one of each wanted algorithm.
///
/// Content of one chunk takes the one-shot functions: BLAKE3 and XXH3 then need no streaming state, which is
/// most of their cost for small content. Larger content goes through a [`Digester`], chunk by chunk.
pub fn digest_bytes(wanted: AlgorithmSet, content: &[u8]) -> Digests {
    if content.len() > CHUNK_BYTES {
        let mut digester = Digester::new(wanted);
        digester.update(content);
        return digester.finish();
    }
    let mut digests = Digests::default();
    for algorithm in wanted.iter() {
        match algorithm {
            Algorithm::Md5 => digests.set(algorithm, &Md5::digest(content)),
            Algorithm::Sha1 => digests.set(algorithm, &Sha1::digest(content)),
            Algorithm::Sha256 => digests.set(algorithm, &Sha256::digest(content)),
            Algorithm::Sha512 => digests.set(algorithm, &Sha512::digest(content)),
            Algorithm::Blake3 => digests.set(algorithm, blake3::hash(content).as_bytes()),
            Algorithm::Xxh3 => digests.set(algorithm, &xxh3_64(content).to_be_bytes()),
        }
    }
    digests
}
