use hashward_core::{Algorithm, AlgorithmSet, Digests};
use sha2::{Digest as _, Sha512};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The algorithms that run in no lanes: SHA-512, BLAKE3 and XXH3. The last two are vectorised within one content.
#[derive(Clone)]
pub(crate) struct Others {
    sha512: Option<Sha512>,
    blake3: Option<blake3::Hasher>,
    xxh3: Option<Xxh3>,
}

impl Others {
    /// Those of them that are wanted, before the first byte.
    pub(crate) fn new(wanted: AlgorithmSet) -> Self {
        Self {
            sha512: wanted.contains(Algorithm::Sha512).then(Sha512::new),
            blake3: wanted.contains(Algorithm::Blake3).then(blake3::Hasher::new),
            xxh3: wanted.contains(Algorithm::Xxh3).then(Xxh3::new),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.sha512 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.blake3 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.xxh3 {
            hasher.update(bytes);
        }
    }

    pub(crate) fn finish_into(self, digests: &mut Digests) {
        if let Some(hasher) = self.sha512 {
            digests.set(Algorithm::Sha512, &hasher.finalize());
        }
        if let Some(hasher) = self.blake3 {
            digests.set(Algorithm::Blake3, hasher.finalize().as_bytes());
        }
        if let Some(hasher) = self.xxh3 {
            digests.set(Algorithm::Xxh3, &hasher.digest().to_be_bytes());
        }
    }
}

/// The same for content that is in memory as a whole. BLAKE3 and XXH3 then need no streaming state, which is most of
/// their cost for small content.
pub(crate) fn one_shot_into(wanted: AlgorithmSet, content: &[u8], digests: &mut Digests) {
    for algorithm in wanted.iter() {
        match algorithm {
            Algorithm::Md5 | Algorithm::Sha1 | Algorithm::Sha256 => {}
            Algorithm::Sha512 => digests.set(algorithm, &Sha512::digest(content)),
            Algorithm::Blake3 => digests.set(algorithm, blake3::hash(content).as_bytes()),
            Algorithm::Xxh3 => digests.set(algorithm, &xxh3_64(content).to_be_bytes()),
        }
    }
}
