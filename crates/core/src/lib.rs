//! The words of Hashward: types only, no input, no output, no clock.
//!
//! Everything here is plain data that the other crates hand to one another. A value that exists is valid: each newtype
//! has one parser, and no other way in.

mod action;
mod alert;
mod algorithm;
mod category;
mod digest;
mod digests;
mod empty;
mod evidence;
mod list;
mod priority;
mod territory;
mod unreadable;
mod verdict;
mod word;

pub use action::Action;
pub use alert::{Alert, AlertId, AlertMatch, Identity};
pub use algorithm::{Algorithm, AlgorithmSet, Strength};
pub use category::Category;
pub use digest::{Digest, DigestError};
pub use digests::Digests;
pub use evidence::EvidenceKind;
pub use list::{EntryId, Generation, ListId, ListInfo};
pub use priority::Priority;
pub use territory::{Territory, accepts};
pub use unreadable::{Unreadable, UnreadableKind};
pub use verdict::{Decision, Ground, Match, Verdict};
pub use word::UnknownWord;
