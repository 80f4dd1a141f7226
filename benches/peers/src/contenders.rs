//! Ours, and everybody else's.

use fearless_simd::Level;
use hashward_core::{Algorithm, AlgorithmSet, Digests};
use hashward_digest::{Path, digest_many_on};
use md5::Digest as _;
use md5_many::Md5Many;
use md5_simd::Md5Engine;

/// A way to the digests of all contents of a workload.
pub(crate) struct Contender {
    pub(crate) name: String,
    way: Way,
}

enum Way {
    /// Our kernels on one path.
    Ours(Path),
    /// A crate for each algorithm, one after the other over all contents.
    Crates(Vec<Crate>),
}

/// A published crate's way to one digest of each content.
#[derive(Clone, Copy)]
enum Crate {
    /// RustCrypto, one content after the other.
    RustCrypto(Algorithm),
    /// Lanes of a level that is named.
    Md5Many(Level),
    /// Lanes of its own choice.
    Md5Simd,
    /// What the crate chooses by itself.
    Tape,
    /// A kernel that is named.
    TapeKernel(TapeKernel),
}

#[derive(Clone, Copy)]
enum TapeKernel {
    Avx512,
    Avx512Twice,
    Avx2,
    ShaInstructions,
}

/// Where contenders put digests, so that nobody's time holds what another crate's types cost.
pub(crate) struct Outputs {
    ours: Vec<Digests>,
    md5: Vec<[u8; 16]>,
    sha1: Vec<[u8; 20]>,
    sha256: Vec<[u8; 32]>,
}

/// All who compute `wanted` and whose instructions this processor has; RustCrypto is the first.
pub(crate) fn contenders(wanted: AlgorithmSet) -> Vec<Contender> {
    let rust_crypto = wanted.iter().map(Crate::RustCrypto).collect();
    let mut all = vec![Contender { name: "RustCrypto".into(), way: Way::Crates(rust_crypto) }];
    for path in Path::available() {
        all.push(Contender { name: format!("**ours**, {}", path.name()), way: Way::Ours(path) });
    }
    let mut add = |name: &str, crates: &[Crate]| {
        all.push(Contender { name: name.into(), way: Way::Crates(crates.to_vec()) });
    };
    let level = Level::new();
    let avx512 = level.as_avx512().map(Level::Avx512);
    let avx2 = level.as_avx2().map(Level::Avx2);
    let sha = is_x86_feature_detected!("sha");
    let [md5, sha1, sha256] =
        [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256].map(|algorithm| wanted.contains(algorithm));
    match (md5, sha1, sha256) {
        (true, false, false) => {
            avx512.inspect(|level| add("`md5-many`, avx512", &[Crate::Md5Many(*level)]));
            avx2.inspect(|level| add("`md5-many`, avx2", &[Crate::Md5Many(*level)]));
            add("`md5-simd`", &[Crate::Md5Simd]);
        }
        (false, false, true) => {
            add("`tape-sha256`", &[Crate::Tape]);
            let named = [
                ("`tape-sha256`, avx512", TapeKernel::Avx512, avx512.is_some()),
                ("`tape-sha256`, avx512 twice", TapeKernel::Avx512Twice, avx512.is_some()),
                ("`tape-sha256`, avx2", TapeKernel::Avx2, avx2.is_some()),
                ("`tape-sha256`, SHA instructions", TapeKernel::ShaInstructions, sha),
            ];
            for (name, kernel, _) in named.into_iter().filter(|(_, _, available)| *available) {
                add(name, &[Crate::TapeKernel(kernel)]);
            }
        }
        (true, true, true) => {
            let sha1 = Crate::RustCrypto(Algorithm::Sha1);
            add("`md5-many`, `sha1`, `tape-sha256`", &[Crate::Md5Many(level), sha1, Crate::Tape]);
            if let Some(level) = avx2
                && sha
            {
                let sha256 = Crate::TapeKernel(TapeKernel::ShaInstructions);
                add(
                    "`md5-many` avx2, `sha1`, `tape-sha256` SHA instructions",
                    &[Crate::Md5Many(level), sha1, sha256],
                );
            }
        }
        // Nobody else has SHA-1 in lanes.
        _ => {}
    }
    all
}

impl Contender {
    /// Computes the digests of all contents.
    pub(crate) fn run(&self, wanted: AlgorithmSet, contents: &[&[u8]], outputs: &mut Outputs) {
        match &self.way {
            Way::Ours(path) => outputs.ours = digest_many_on(*path, wanted, contents),
            Way::Crates(crates) => crates.iter().for_each(|one| one.run(contents, outputs)),
        }
    }

    /// The same, and what came of it.
    pub(crate) fn digests(
        &self,
        wanted: AlgorithmSet,
        contents: &[&[u8]],
        outputs: &mut Outputs,
    ) -> Vec<Digests> {
        *outputs = Outputs::new(contents.len());
        self.run(wanted, contents, outputs);
        if let Way::Ours(_) = self.way {
            return outputs.ours.clone();
        }
        let digests = (0..contents.len()).map(|i| {
            let mut digests = Digests::default();
            for algorithm in wanted.iter() {
                match algorithm {
                    Algorithm::Md5 => digests.set(algorithm, &outputs.md5[i]),
                    Algorithm::Sha1 => digests.set(algorithm, &outputs.sha1[i]),
                    Algorithm::Sha256 => digests.set(algorithm, &outputs.sha256[i]),
                    other => unreachable!("no table is of {other}"),
                }
            }
            digests
        });
        digests.collect()
    }
}

impl Crate {
    fn run(self, contents: &[&[u8]], outputs: &mut Outputs) {
        let Outputs { md5, sha1, sha256, .. } = outputs;
        match self {
            Self::RustCrypto(Algorithm::Md5) => {
                each(contents, md5, |content| md5::Md5::digest(content).into());
            }
            Self::RustCrypto(Algorithm::Sha1) => {
                each(contents, sha1, |content| sha1::Sha1::digest(content).into());
            }
            Self::RustCrypto(Algorithm::Sha256) => {
                each(contents, sha256, |content| sha2::Sha256::digest(content).into());
            }
            Self::RustCrypto(other) => unreachable!("no table is of {other}"),
            Self::Md5Many(level) => Md5Many::from_level(level).hash_many(contents, md5),
            Self::Md5Simd => Md5Engine::new().hash_many(contents, md5),
            Self::Tape => tape_sha256::hash_many(contents, sha256),
            Self::TapeKernel(kernel) => kernel.run(contents, sha256),
        }
    }
}

impl TapeKernel {
    #[allow(
        unsafe_code,
        reason = "the kernels of that crate that are named are for whoever has looked for them"
    )]
    fn run(self, contents: &[&[u8]], sha256: &mut [[u8; 32]]) {
        use tape_sha256::backends;
        // SAFETY: `contenders` makes each of them only where the processor has its instructions.
        unsafe {
            match self {
                Self::Avx512 => backends::avx512_16_slices(&[], contents, sha256),
                Self::Avx512Twice => backends::avx512_16x2_slices(&[], contents, sha256),
                Self::Avx2 => backends::avx2_8_slices(&[], contents, sha256),
                Self::ShaInstructions => backends::shani_x4_slices(&[], contents, sha256),
            }
        }
    }
}

fn each<const N: usize>(contents: &[&[u8]], outputs: &mut [[u8; N]], digest: impl Fn(&[u8]) -> [u8; N]) {
    contents.iter().zip(outputs).for_each(|(content, output)| *output = digest(content));
}

impl Outputs {
    pub(crate) fn new(contents: usize) -> Self {
        Self {
            ours: Vec::new(),
            md5: vec![[0; 16]; contents],
            sha1: vec![[0; 20]; contents],
            sha256: vec![[0; 32]; contents],
        }
    }
}
