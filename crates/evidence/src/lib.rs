//! The evidence log: what was decided and done, in an append-only Merkle tree whose head is signed.
//!
//! A log is a folder in the layout of C2SP tlog-tiles: `checkpoint` is the signed head (tlog-checkpoint, signed-note,
//! Ed25519), `tile/entries/` holds the entries, `tile/LEVEL/` the hashes over them (RFC 6962). [`AuditLog`] appends to
//! it, [`LogFolder`] reads it, [`verify()`] holds all of it against its checkpoint. An [`InclusionProof`] (tlog-proof) and
//! a [`ConsistencyProof`] (as tlog-witness sends it) are checked with nothing but the log's [`VerifierKey`].
//!
//! Whoever has the private key and no checkpoint of ours in their way can write another history. So a checkpoint that
//! somebody else remembers is what makes the log tamper-evident against its own operator.

mod audit;
mod bundle;
mod checkpoint;
mod disk;
mod edge;
mod error;
mod folder;
mod hash;
mod key;
mod malformed;
mod merkle;
mod note;
mod proof;
mod record;
mod rows;
mod tile;
mod verifier;
mod verify;

pub use audit::{Appended, AuditLog};
pub use bundle::{ENTRY_BYTES_MAX, entries as bundle_entries};
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use error::{ChangedPart, EvidenceError, KeyProblem};
pub use folder::LogFolder;
pub use hash::Hash;
pub use key::PrivateKey;
pub use malformed::Malformed;
pub use note::NOTE_BYTES_MAX;
pub use proof::{ConsistencyProof, InclusionProof, Proof};
pub use record::{Record, Release, What, alert_hash, alert_id};
pub use tile::hashes as tile_hashes;
pub use verifier::{KeyName, NAME_BYTES_MAX, VerifierKey};
pub use verify::{PROBLEMS_MAX, Report, verify};

#[cfg(test)]
mod tests;
