//! Bytes to digests: every algorithm a list asks for, in one pass, with bounded memory.
//!
//! One content: [`digest_bytes`] if it is in memory, [`digest_reader`] if it is read, [`Digester`] if it is pushed in
//! pieces. Many contents, which is several times as fast: [`digest_many`] if they are in memory, [`StreamPool`] if they
//! arrive in pieces. All doors lead to the same digests, and only the wanted algorithms cost anything.
//!
//! MD5, SHA-1 and SHA-256 of many contents run in the lanes of vector registers, one content in each ([`Path`]).
//!
//! MD5 follows RFC 1321; SHA-1, SHA-256 and SHA-512 follow FIPS 180-4; BLAKE3 is the unkeyed hash of its
//! specification with 32 bytes of output; XXH3 is the 64-bit variant with seed 0 and the default secret, its
//! number written big-endian (the canonical form of xxHash, which `xxhsum -H3` prints).

mod digester;
#[allow(
    clippy::inline_always,
    reason = "an operation is one instruction, if it is compiled for the right processor"
)]
#[allow(
    clippy::needless_range_loop,
    reason = "closures of the standard library are compiled for any processor"
)]
#[allow(clippy::many_single_char_names, reason = "the names of the standards")]
mod kernel;
mod many;
mod midstate;
mod others;
mod path;
mod pool;
mod reader;
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "there are no lanes yet on other processors")
)]
mod schedule;
#[cfg(test)]
mod tests;

pub use digester::{CHUNK_BYTES, Digester, digest_bytes};
pub use many::{digest_bytes_in_threads, digest_many, digest_many_on};
pub use path::{PATH_VARIABLE, Path, PathError};
pub use pool::{PoolError, StreamId, StreamPool};
pub use reader::{ReadError, digest_reader, read_full};
