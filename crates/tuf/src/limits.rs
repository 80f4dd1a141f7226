//! What a client is willing to read and to wait for.

use std::time::Duration;

/// Limits of a client. Each names the attack that it holds off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The largest root, in bytes: endless data.
    pub root_bytes_max: u64,
    /// The largest timestamp, in bytes: endless data.
    pub timestamp_bytes_max: u64,
    /// The largest snapshot whose length is not signed, in bytes: endless data.
    pub snapshot_bytes_max: u64,
    /// The largest targets metadata whose length is not signed, in bytes: endless data.
    pub targets_bytes_max: u64,
    /// The largest target file, in bytes, whatever its signed length says: a full disk.
    pub target_bytes_max: u64,
    /// How many roots are read in one refresh: an endless chain.
    pub root_rotations_max: u32,
    /// How many delegated roles are read in search of one target: an endless graph.
    pub delegations_max: usize,
    /// How long one metadata file may take: slow retrieval.
    pub metadata_time_max: Duration,
    /// How long one target file may take in all: slow retrieval.
    pub target_time_max: Duration,
    /// How far a clock may step back unnoticed: what corrections of a clock do.
    pub clock_slack: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            root_bytes_max: 512 << 10,
            timestamp_bytes_max: 16 << 10,
            snapshot_bytes_max: 2 << 20,
            targets_bytes_max: 16 << 20,
            target_bytes_max: 64 << 30,
            root_rotations_max: 256,
            delegations_max: 32,
            metadata_time_max: Duration::from_secs(30),
            target_time_max: Duration::from_hours(1),
            clock_slack: Duration::from_mins(5),
        }
    }
}
