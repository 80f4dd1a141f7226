//! What the doors share that speak as virus scanners do, clamd's and ICAP's: what they read and write, and what they make of
//! a verdict.

mod file;
mod identities;
mod ruling;
mod taken;
mod talk;

pub(crate) use file::{FileReads, read_whole};
pub(crate) use identities::Identities;
pub use ruling::Review;
pub(crate) use ruling::{Rules, Ruling, threat_name};
pub(crate) use taken::Taken;
pub(crate) use talk::{Received, Talk};
