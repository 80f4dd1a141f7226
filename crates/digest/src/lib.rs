//! Bytes to digests: every algorithm a list asks for, in one pass, with bounded memory.
//!
//! Three doors lead to the same digests: [`digest_bytes`] for content that is in memory, [`digest_reader`]
//! for content that is read, [`Digester`] for content that is pushed in pieces. Only the wanted algorithms
//! cost anything.
//!
//! MD5 follows RFC 1321; SHA-1, SHA-256 and SHA-512 follow FIPS 180-4; BLAKE3 is the unkeyed hash of its
//! specification with 32 bytes of output; XXH3 is the 64-bit variant with seed 0 and the default secret, its
//! number written big-endian (the canonical form of xxHash, which `xxhsum -H3` prints).

mod digester;
mod kernel;
mod many;
mod midstate;
mod others;
mod path;
mod pool;
mod reader;
mod schedule;
#[cfg(test)]
mod tests;

pub use digester::{CHUNK_BYTES, Digester, digest_bytes};
pub use many::{digest_bytes_in_threads, digest_many, digest_many_on};
pub use path::{PATH_VARIABLE, Path, PathError};
pub use pool::{PoolError, StreamId, StreamPool};
pub use reader::{ReadError, digest_reader};
