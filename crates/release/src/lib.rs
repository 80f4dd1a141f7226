//! What a release of a list holds; how a maintainer makes it, and how a provider holds it.
//!
//! A release is one numbered state of a list. It is given away as *target files*: a [snapshot](TargetKind::Snapshot) holds
//! all of it, a [delta](TargetKind::Delta) the step from the release before. With each goes a [`Header`], which is signed
//! (by other means than are here), and says what comes of the file: the [`Checksum`] of the whole set above all. So a file
//! is believed nothing, and a delta that does not lead to what was signed is undone. The formats are described in
//! `docs/release-format.md`, so that others can make and check them.
//!
//! ```text
//! maintainer:  list folder ─▶ Desk ─▶ Plan ─▶ target files and headers ─▶ signed
//! provider:    headers ─▶ route ─▶ target files ─▶ Replica ─▶ ReplicaReader ─▶ index
//! ```
//!
//! # Secrets
//!
//! Target files hold digests in clear unless they are encrypted to [`Recipients`]. A replica is sealed under the
//! [`ReplicaKey`]. No error, and nothing that `Debug` writes, shows a digest or a key.

mod age_keys;
mod desk;
mod error;
mod fault;
mod file;
mod header;
mod plan;
mod reader;
mod replica;
mod route;
mod row;
mod seal;
mod shelf;
mod spool;
mod tree;

pub use age_keys::{IDENTITIES_BYTES_MAX, Identities, RECIPIENTS_MAX, Recipients};
pub use desk::{Desk, SnapshotWish, Terms};
pub use error::{BadFile, ReleaseError};
pub use file::Records;
pub use header::{Chain, FORMAT_VERSION, Header, TargetKind};
pub use plan::{Plan, Step, TargetFile};
pub use reader::{CHANGES_TOLD_MAX, ReplicaReader, replica_state};
pub use replica::{Applied, Replica, is_replica_folder};
pub use route::route;
pub use row::{BadRow, ROW_BYTES_MAX, decode, encode};
pub use seal::{REPLICA_PURPOSE, ReplicaKey};
pub use tree::{BUCKET_BITS_MAX, Checksum, GROUP_BUCKETS};
