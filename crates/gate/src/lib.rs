//! Synchronous doors. Today one: metrics, health and version over HTTP/1.1, for Prometheus and orchestrators.
//!
//! | Path | Answer |
//! |---|---|
//! | `/metrics` | every metric, in the text format of Prometheus |
//! | `/livez` | 200 and `ok`, as long as the process answers at all |
//! | `/readyz` | 200 if every part is ready, else 503; a JSON object with each part's state |
//! | `/version` | a JSON object with name and version |
//!
//! It has no authentication: whoever configures it binds it to an address that only trusted people reach.

mod admin;
pub mod clamd;
mod descriptors;
mod desk;
mod door;
mod http;
pub mod icap;
mod listener;
mod routes;
mod scanner;
mod tls;
mod who;

pub use admin::{Admin, AdminLimits};
pub use descriptors::Descriptors;
pub use desk::{AsyncDesk, AsyncDeskLimits, AsyncUpload};
pub use door::{Door, DoorKind, Fail, OpenConnection, Passage};
pub use http::{HttpDoor, HttpLimits, Pace, document, parse_digests};
pub use listener::{Address, Closing, Connection, ConnectionLimits, Listener, Peer, Stream};
pub use scanner::Review;
pub use tls::{ServerTls, TlsError, TlsFiles};
pub use who::{
    Caller, Gatekeeper, Key, KeyFile, KeysError, NewKey, Role, TenantLimits, Tenants, UnderWay, UsedUp,
    is_tenant, parse_fingerprint,
};

#[cfg(test)]
mod tests;
