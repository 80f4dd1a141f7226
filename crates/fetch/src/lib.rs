//! Claim checks: opens the content that a reference names, under limits.
//!
//! References come from outside. Nothing may be opened that the configuration does not name: without folders
//! no `file://` works, without hosts no `https://`, so that nobody can make Hashward read its own machine's
//! files or ask servers that only it can reach. Redirects are not followed and proxies from the environment
//! not used, because they lead elsewhere than what was checked.
//!
//! [`Web`] is something else: it asks the servers that an operator names, for files that are signed.
//!
//! A reference is never logged, and no reason why it failed repeats more of it than its scheme or its host.

mod error;
mod file;
mod host;
mod https;
mod reader;
mod references;
mod transport;
mod url;
mod web;

pub use error::FetchError;
pub use host::{HostPattern, HostPatternError};
pub use references::{FetchOptions, ReferenceContent, References, URL_BYTES_MAX};
pub use web::{Web, WebError, WebOptions};
