//! API keys: 256 random bits, of which only a hash is kept.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Caller, Role, is_tenant};

/// What every key begins with, so that scanners for leaked secrets can tell it.
const PREFIX: &str = "hwk_";
/// The random bytes of a key.
const SECRET_BYTES: usize = 32;
/// The most keys of one file.
const KEYS_MAX: usize = 100_000;
/// The longest file of keys, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// A key's entry in the file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What people call the key.
    pub name: String,
    /// In whose name its owner asks.
    pub tenant: String,
    /// What its owner may do.
    pub role: Role,
    /// The SHA-256 of the key, in hexadecimal digits.
    pub sha256: String,
}

/// The keys that are good.
///
/// They are looked up by hash: a hash of 256 random bits cannot be searched step by step, however long a comparison takes.
#[derive(Debug, Default)]
pub struct KeyFile(HashMap<[u8; 32], Caller>);

/// A key that was just made.
pub struct NewKey {
    /// The key itself: for its owner, once.
    pub secret: String,
    /// What the file is to hold.
    pub key: Key,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a file of keys is not good.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// A line is no key.
    #[error("{path}:{line}: {detail}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        detail: String,
    },
    /// It is too long.
    #[error("{path}: more than {FILE_BYTES_MAX} bytes or {KEYS_MAX} keys")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

impl NewKey {
    /// Makes a key. `tenant` must be one, see [`is_tenant`].
    pub fn make(name: &str, tenant: &str, role: Role) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        let secret = format!("{PREFIX}{}", hex(&bytes));
        let sha256 = hex(&Sha256::digest(&secret));
        let key = Key { name: name.to_owned(), tenant: tenant.to_owned(), role, sha256 };
        Self { secret, key }
    }
}

impl Key {
    /// The key's line in the file: one JSON object.
    pub fn line(&self) -> String {
        let Self { name, tenant, role, sha256 } = self;
        serde_json::json!({ "name": name, "tenant": tenant, "role": role.word(), "sha256": sha256 })
            .to_string()
    }
}

impl KeyFile {
    /// Reads a file of keys: one JSON object a line, as [`Key::line`] writes it. Empty lines and lines that begin with `#`
    /// say nothing.
    pub fn load(path: &Path) -> Result<Self, KeysError> {
        let read = |source| KeysError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > FILE_BYTES_MAX {
            return Err(KeysError::TooLong { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let mut keys = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |detail: String| KeysError::Line { path: path.to_owned(), line: number + 1, detail };
            let key: Key = serde_json::from_str(line).map_err(|error| wrong(told(&error)))?;
            let hash = parse_fingerprint(&key.sha256)
                .ok_or_else(|| wrong("sha256: expected 64 hexadecimal digits".to_owned()))?;
            if !is_tenant(&key.tenant) {
                return Err(wrong("tenant: expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'".to_owned()));
            }
            if keys.insert(hash, Caller { tenant: key.tenant, role: key.role }).is_some() {
                return Err(wrong("the same key stands in an earlier line".to_owned()));
            }
            if keys.len() > KEYS_MAX {
                return Err(KeysError::TooLong { path: path.to_owned() });
            }
        }
        Ok(Self(keys))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose key this is.
    pub(super) fn caller(&self, secret: &str) -> Option<Caller> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        self.0.get(&hash).cloned()
    }
}

/// What is wrong with a line, without what stands in it.
fn told(error: &serde_json::Error) -> String {
    let expected = r#"expected {"name": …, "tenant": …, "role": …, "sha256": …}"#;
    format!("column {}: {expected}", error.column())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The bytes of a fingerprint or hash in hexadecimal digits, with or without colons.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
