//! The door that speaks clamd(8)'s protocol.

mod command;
pub mod framing;

pub use command::{Command, Reach};
