use std::env;
use std::fmt;
use std::sync::OnceLock;

use thiserror::Error;

#[cfg(target_arch = "x86_64")]
use crate::kernel::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use crate::kernel::avx2_and_sha::Avx2AndSha;
#[cfg(target_arch = "x86_64")]
use crate::kernel::avx512::Avx512;
#[cfg(target_arch = "x86_64")]
use crate::kernel::sha_ni::ShaNi;

/// The environment variable that forces a path: `avx512`, `avx2` or `portable`.
pub const PATH_VARIABLE: &str = "HASHWARD_DIGEST_PATH";

/// Which instructions compute MD5, SHA-1 and SHA-256. All paths give the same digests.
///
/// A path that exists is one that this processor can take.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Path(pub(crate) Kind);

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Sixteen contents at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// Eight contents at once, SHA-256 apart.
    #[cfg(target_arch = "x86_64")]
    Avx2AndSha(Avx2AndSha),
    /// Eight contents at once.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// One content after the other.
    Portable,
}

/// Why a path cannot be taken.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PathError {
    /// There is no path of that name.
    #[error("unknown digest path {name:?}: expected {}", Path::NAMES.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// This processor lacks the instructions.
    #[error("this processor cannot take the digest path {name}: it can take {}", available_names())]
    Unavailable {
        /// What was asked for.
        name: &'static str,
    },
}

impl Path {
    /// The names of all paths, the fastest first.
    pub const NAMES: [&str; 3] = ["avx512", "avx2", "portable"];

    /// The path of that name. `avx2` uses the processor's instructions for SHA too, if it has them; every path does for
    /// a content that has no company.
    pub fn named(name: &str) -> Result<Self, PathError> {
        let known = Self::NAMES.into_iter().find(|known| *known == name);
        let name = known.ok_or_else(|| PathError::Unknown { name: name.to_owned() })?;
        let kind = match name {
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::detect().map(Kind::Avx512),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::detect().map(|avx2| match ShaNi::detect() {
                Some(sha_ni) => Kind::Avx2AndSha(Avx2AndSha { avx2, sha_ni }),
                None => Kind::Avx2(avx2),
            }),
            "portable" => Some(Kind::Portable),
            _ => None,
        };
        kind.map(Self).ok_or(PathError::Unavailable { name })
    }

    /// The paths that this processor can take, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().filter_map(|name| Self::named(name).ok())
    }

    /// The fastest path that this processor can take.
    pub fn best() -> Self {
        Self::available().next().expect("the portable path is always there")
    }

    /// What [`PATH_VARIABLE`] asks for, or else the fastest. A program should check this when it starts.
    pub fn from_environment() -> Result<Self, PathError> {
        match env::var_os(PATH_VARIABLE) {
            None => Ok(Self::best()),
            Some(name) => Self::named(&name.to_string_lossy()),
        }
    }

    /// [`Path::from_environment`] as it was at the first call, or the fastest path if that is an error.
    ///
    /// It is asked for every batch, and neither the processor nor what started the program changes: so the answer is kept.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Path> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::from_environment().unwrap_or_else(|_| Self::best()))
    }

    /// One of [`Path::NAMES`].
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) | Kind::Avx2AndSha(_) => "avx2",
            Kind::Portable => "portable",
        }
    }

    /// How many contents are taken forward at once.
    pub fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) | Kind::Avx2AndSha(_) => 8,
            Kind::Portable => 1,
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({})", self.name())
    }
}

fn available_names() -> String {
    Path::available().map(Path::name).collect::<Vec<_>>().join(", ")
}
