use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::IndexError;
use crate::format::KEY_CHECK_BYTES;

const KEY_BYTES: usize = 32;
/// The digits, and a line end of either kind.
const KEY_FILE_BYTES_MAX: u64 = 2 * KEY_BYTES as u64 + 2;
const EXPOSED_TO_OTHERS: u32 = 0o007;

/// The secret of one deployment, under which digests become seals. Overwritten in memory when dropped.
///
/// Who has an index and not its key learns the number of signals, and nothing about any. The key belongs into
/// a secret store or a file of its own, never beside the index: whoever has both can test any digest.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; KEY_BYTES]>);

impl SealKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self, IndexError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(key.as_mut_slice()).map_err(IndexError::Randomness)?;
        Ok(Self(key))
    }

    /// The key in `text`: 64 hexadecimal digits in either case, and nothing else but a line end. `place` says
    /// where the text stands, for errors: the name of an environment variable.
    pub fn from_text(text: &str, place: &str) -> Result<Self, IndexError> {
        let bad = |found: String| IndexError::KeyText { place: place.to_owned(), found };
        let digits = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if digits.chars().count() != 2 * KEY_BYTES {
            return Err(bad(format!("{} characters", digits.chars().count())));
        }
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        for (place, digit) in digits.chars().enumerate() {
            let value =
                digit.to_digit(16).ok_or_else(|| bad(format!("another character at {}", place + 1)))?;
            let value = u8::try_from(value).expect("a hexadecimal digit is below 16");
            key[place / 2] = key[place / 2] << 4 | value;
        }
        Ok(Self(key))
    }

    /// The key in a file, as [`SealKey::from_text`] reads it. A file that every user of the machine may read,
    /// write or run is refused; its group may read it, as secrets mounted into containers need.
    pub fn from_file(path: &Path) -> Result<Self, IndexError> {
        let failed = |source| IndexError::KeyFile { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & EXPOSED_TO_OTHERS != 0 {
            return Err(IndexError::KeyExposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(KEY_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text, &format!("key file {}", path.display()))
    }

    /// Writes the key to a new file that only its owner may read, durably. A file that is there already is an
    /// error, and stays as it is: the lists sealed with its key would be lost with it.
    pub fn write_new(&self, path: &Path) -> Result<(), IndexError> {
        let failed = |source| IndexError::KeyFile { path: path.to_owned(), source };
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 1));
        for nibble in self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16"));
        }
        text.push('\n');
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// What an index keeps of its key, to know it again.
    pub(crate) fn check_value(&self) -> [u8; KEY_CHECK_BYTES] {
        let whole = self.derive("check value");
        *whole.first_chunk().expect("a check value is shorter than a key")
    }

    /// The keyed hash of a whole index: who has no key can damage a file, and cannot make it look whole.
    pub(crate) fn whole_hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.derive("whole file"))
    }

    /// A key for one purpose, by BLAKE3's key derivation mode (BLAKE3 paper, section 2.3): what is known of one
    /// tells nothing of this key or of another.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut hasher = blake3::Hasher::new_derive_key("hashward 2026-11-24 index v1 seal key");
        hasher.update(self.0.as_slice()).update(purpose.as_bytes());
        Zeroizing::new(hasher.finalize().into())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}
