//! Signed releases' trust: The Update Framework, for those who publish and those who follow.
//!
//! The specification is version 1.0.34, <https://theupdateframework.github.io/specification/v1.0.34/>; a comment such
//! as `5.3.4` names its section. This crate knows no lists, no HTTP and no async runtime: what it reads comes through a
//! [`Transport`], what it keeps lies in a [`Store`].
//!
//! Followers: [`Store::begin`] once with a root that came over a trusted way, then [`Client::refresh`],
//! [`Client::target`] or [`Client::targets`], and [`Client::download`]. Publishers: [`desk`].

mod canonical;
mod client;
mod delegation;
pub mod desk;
mod disk;
mod download;
mod envelope;
mod error;
mod folder;
mod hashes;
mod key;
mod limits;
mod metadata;
mod names;
mod path;
mod pattern;
mod private_key;
mod store;
mod transport;
mod trusted;
mod walk;

pub use client::{Client, Refreshed};
pub use disk::{Disk, RealDisk};
pub use download::Download;
pub use error::TufError;
pub use folder::FolderTransport;
pub use hashes::Hashes;
pub use key::{Key, KeyVal};
pub use limits::Limits;
pub use metadata::{MetaFile, RoleKeys, Root, SPEC_VERSION, Snapshot, TargetFile, Targets, Timestamp};
pub use names::Role;
pub use path::{Area, RepoPath, TargetPath};
pub use private_key::{KeyError, Passphrase, PrivateKey};
pub use store::Store;
pub use transport::{Transport, TransportError};
pub use trusted::Target;
pub use walk::{Step, verify_folder};

pub use serde_json::Value as Custom;

/// What fuzzing feeds: parses `bytes` as the metadata of every role.
#[doc(hidden)]
pub fn parse_any(bytes: &[u8]) {
    use envelope::Envelope;
    let _ = Envelope::<Root>::parse("root.json", bytes).map(|root| root.verify_with_itself());
    let _ = Envelope::<Timestamp>::parse("timestamp.json", bytes);
    let _ = Envelope::<Snapshot>::parse("snapshot.json", bytes);
    let _ = Envelope::<Targets>::parse("targets.json", bytes);
}
