//! The maintainer's desk against our own client: two people, three keys, one folder.
#![allow(missing_docs, reason = "a test binary has no readers of its documentation")]
#![allow(clippy::unwrap_used, clippy::pedantic, reason = "a test may panic")]

mod ceremonies;
#[path = "../faults/mod.rs"]
mod faults;
mod house;
mod stopped;
