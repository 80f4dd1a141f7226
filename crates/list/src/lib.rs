//! Hash lists in: a text file of digests, and the TOML file beside it that says whose list it is. Lists as other
//! people write them are read and written in [`format`](mod@format).
//!
//! # The text
//!
//! One digest per line, in any of these forms, hexadecimal digits in either case:
//!
//! | Form | Written by |
//! |---|---|
//! | `HEX` | anybody |
//! | `HEX␠␠name`, `HEX␠*name` | `md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, `md5deep` |
//! | `MD5 (name) = HEX` | `md5sum --tag`, `b3sum --tag`, `xxhsum --tag -H3`, the BSDs' `md5` and `sha256` |
//! | `SHA2-256(name)= HEX` | `openssl dgst` |
//! | `XXH3_HEX␠␠name` | `xxhsum -H3` |
//!
//! A line without an algorithm's name is MD5, SHA-1, SHA-256 or SHA-512 by its length: 32, 40, 64 or 128
//! digits. A digest of BLAKE3 is as long as one of SHA-256, so it must be named; so must one of XXH3, which
//! is as long as one of XXH64. Empty lines and lines that begin with `#` are skipped. Lines end in LF or
//! CRLF. A UTF-8 byte order mark may begin the file. A leading backslash says that the name is escaped (`\\`,
//! `\n`, `\r`), as in GNU coreutils.
//!
//! # Entries
//!
//! Lines with the same name are one entry, so that its digests can agree or contradict each other; see
//! [`ListEntry`]. Names go no further than that: they are compared while a file is read, and not kept.
//!
//! # List folders
//!
//! A list that people work on is a folder with a manifest, entries and a journal: see [`store`].
//!
//! # Secrets
//!
//! Digests of a list are secret. No error of this crate, and nothing that `Debug` writes, shows a digest or a
//! line. A list folder's own maintainer sees them in what [`store`] serialises and displays as entries and their changes.

mod bad_line;
mod entry;
mod error;
pub mod format;
mod grouping;
mod history;
mod info;
mod line;
mod load;
mod open;
mod problem;
mod statement;
pub mod store;
#[cfg(test)]
mod tests;
mod text;

pub use bad_line::{BadLine, BadLines};
pub use entry::ListEntry;
pub use error::ListError;
pub use history::{EntryPair, ListChanges, ListHistory, NamedHistory};
pub use info::{DEADLINE_MINUTES_MAX, METADATA_BYTES_MAX};
pub use load::{List, LoadOptions, load};
pub use open::{FolderState, MatchableEntry, OpenList, open};
pub use problem::Problem;
pub use statement::{Change, Statement};
pub use text::{LINE_BYTES_MAX, ParsedText, parse_text, parse_text_bytes};
