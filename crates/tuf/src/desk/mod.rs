//! The maintainer's desk: repositories are made, drafts signed, releases published.
//!
//! ```text
//! Repository::create ─▶ Draft ─▶ sign, sign ─▶ Repository::finish
//! Repository::plan, place ─▶ Draft ─▶ sign, sign ─▶ Repository::finish      targets n+1
//! Repository::rotate ─▶ Draft ─▶ sign, sign ─▶ Repository::finish           root n+1
//! Repository::renew                                                         timestamp n+1 alone
//! ```

mod changes;
mod draft;
mod error;
mod finish;
mod repository;
mod terms;

pub use changes::{Changes, NewTarget};
pub use draft::{Draft, Pending};
pub use error::DeskError;
pub use finish::Published;
pub use repository::{Repository, RoleStatus, Status};
pub(crate) use terms::name_of;
pub use terms::{RoleTerms, Terms};
