//! The door that speaks ICAP (RFC 3507).

mod chunks;
mod encapsulated;
pub mod framing;
mod head;

pub use encapsulated::Sections;
pub use head::{Head, Method};
