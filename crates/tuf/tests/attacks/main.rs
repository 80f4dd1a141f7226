//! Every attack by its name: what is refused, by which error, and that the trusted state stays as it was.
#![allow(missing_docs, reason = "a test binary has no readers of its documentation")]
#![allow(clippy::unwrap_used, clippy::pedantic, reason = "a test may panic")]

mod delegations;
mod downloads;
mod editor;
#[path = "../faults/mod.rs"]
mod faults;
mod flipped;
mod interrupted;
mod metadata;
mod roots;
