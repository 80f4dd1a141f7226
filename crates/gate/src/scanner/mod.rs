//! What the doors share that speak as virus scanners do, clamd's and ICAP's: what they read and write, and what they make of
//! a verdict.

mod file;
mod ruling;
mod taken;
mod talk;

pub(crate) use file::{FileReads, read_whole};
pub use ruling::Review;
pub(crate) use ruling::{Rules, Ruling, threat_name};
pub(crate) use taken::Taken;
pub(crate) use talk::{Received, Talk};

use hashward_engine::core::Identity;

use crate::DoorKind;
use crate::http::identity::of_its_own;

/// The identity of a content that came without a name of its own, of which perhaps the object's name is known.
pub(crate) fn unnamed(door: DoorKind, subject: Option<String>) -> Identity {
    Identity { id: of_its_own(), source: Some(door.word().to_owned()), subject, ..Identity::default() }
}
