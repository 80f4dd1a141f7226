//! Target files: what is in them is a stream of rows, compressed with zstd, and then encrypted with age or not.
//!
//! Integers are big-endian:
//!
//! ```text
//! magic: 8 bytes, "HWSNAP01" or "HWDELT01" ‖ release: u64 ‖ length of the list's id: u8 ‖ the id
//! for each row, in the order of their keys, each key once:   its length: u16 ‖ the row
//! 0: u16
//! ```
//!
//! In a delta, a row replaces the one of the same key, or is new; eight bytes are no row but the key of one that is
//! withdrawn.

mod read;
mod write;

use crate::TargetKind;

pub use read::Records;
pub(crate) use read::{Layers, Unread};
pub(crate) use write::{FileWriter, Written};

/// The largest window of zstd that is written or read, as a power of two: 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// A row, or in a delta the key of one that is withdrawn.
pub(crate) struct Record {
    pub(crate) key: u64,
    /// None if it is withdrawn.
    pub(crate) row: Option<Vec<u8>>,
}

const fn magic(kind: TargetKind) -> &'static [u8; 8] {
    match kind {
        TargetKind::Snapshot => b"HWSNAP01",
        TargetKind::Delta => b"HWDELT01",
    }
}
