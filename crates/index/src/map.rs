//! Index bytes, from a mapped file or from memory.
//!
//! The one `unsafe` here is the mapping. An index file is immutable: it is written under another name, renamed
//! into place once it is whole, and replaced by renaming, which leaves mapped bytes as they are.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Advice, Mmap};

pub(crate) enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps a file, shared with every process that maps it.
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        // SAFETY: the mapping is read-only, and the file's bytes do not change while it exists: index files are
        // never written in place (see the module's documentation), which `Index::open` demands of its callers. A
        // file cut before it was mapped is refused by its length, and every number read from the bytes is
        // checked at its use, whatever they are.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self::Mapped(map))
    }

    /// Tells the system that some bytes are read here and there, so that it reads no neighbours from the disk
    /// in advance. A system that does not know the advice is as right without.
    pub(crate) fn advise_random(&self, at: usize, bytes: usize) {
        if let Self::Mapped(map) = self {
            // Advice changes no result: where it is refused, nothing is lost but speed.
            let _ = map.advise_range(Advice::Random, at, bytes);
        }
    }

    /// Asks the system for large pages under some bytes, which spares lookups a second walk through memory. Not
    /// every file system has them.
    pub(crate) fn advise_huge_pages(&self, at: usize, bytes: usize) {
        #[cfg(target_os = "linux")]
        if let Self::Mapped(map) = self {
            // As above.
            let _ = map.advise_range(Advice::HugePage, at, bytes);
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}
