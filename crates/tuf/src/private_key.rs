//! Private keys: ed25519 in PKCS#8 files, plain or under a passphrase.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pkcs8::der::pem::PemLabel as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::Key;

/// What stands before the 32 bytes of an ed25519 key in PKCS#8 (RFC 8410, section 7).
const PKCS8_HEAD: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// The largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// The shortest passphrase, in bytes.
const PASSPHRASE_BYTES_MIN: usize = 8;

/// A private key. It is never shown; its memory is overwritten when it is dropped.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    key: Key,
    id: String,
}

/// A passphrase. It is never shown; its memory is overwritten when it is dropped.
#[derive(Eq, PartialEq)]
pub struct Passphrase(Zeroizing<String>);

/// What is wrong with a key file or a passphrase.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A disk failed.
    #[error("{path}: {source}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// Others may read the file.
    #[error(
        "{path} may be read by others (mode {mode:04o}): a private key's file must have mode 0600, `chmod 600` it"
    )]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is no private key.
    #[error("{path}: it is no ed25519 private key in PKCS#8 PEM (`PRIVATE KEY` or `ENCRYPTED PRIVATE KEY`)")]
    NoPrivateKey {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is wrong, or the file is damaged.
    #[error("{path}: the passphrase does not open it")]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// No passphrase was given.
    #[error("{path} is under a passphrase, and none was given")]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is too short.
    #[error("a passphrase must have 8 bytes at least")]
    ShortPassphrase,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

impl Passphrase {
    /// Takes a passphrase over. A line end behind it is no part of it.
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

impl PrivateKey {
    /// Makes a key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut pkcs8 = Zeroizing::new(PKCS8_HEAD.to_vec());
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|_| KeyError::NoRandom)?;
        pkcs8.extend_from_slice(&*seed);
        Ok(Self::of_pkcs8(pkcs8).expect("this is how such a key is written"))
    }

    /// Reads a key's file. `passphrase` is asked only if the file needs one.
    pub fn load(
        path: &Path,
        passphrase: impl FnOnce() -> Result<Option<Passphrase>, KeyError>,
    ) -> Result<Self, KeyError> {
        let disk = |source| KeyError::Disk { path: path.to_owned(), source };
        let no_key = || KeyError::NoPrivateKey { path: path.to_owned() };
        let file = File::open(path).map_err(disk)?;
        let mode = file.metadata().map_err(disk)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::ReadableByOthers { path: path.to_owned(), mode });
        }
        let mut pem = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut pem).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData { no_key() } else { disk(error) }
        })?;
        let (label, document) = SecretDocument::from_pem(&pem).map_err(|_| no_key())?;
        let document = if label == EncryptedPrivateKeyInfoRef::PEM_LABEL {
            let sealed = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| no_key())?;
            let given = passphrase()?.ok_or_else(|| KeyError::NoPassphrase { path: path.to_owned() })?;
            let opened = sealed.decrypt(given.0.as_bytes());
            opened.map_err(|_| KeyError::WrongPassphrase { path: path.to_owned() })?
        } else if label == PrivateKeyInfoRef::PEM_LABEL {
            document
        } else {
            return Err(no_key());
        };
        Self::of_pkcs8(document.to_bytes()).ok_or_else(no_key)
    }

    /// Writes a new file that its owner alone may read, sealed with the passphrase (PBES2: scrypt, AES-256) if there
    /// is one. A file that is there already is not written over.
    pub fn save(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<(), KeyError> {
        let disk = |source| KeyError::Disk { path: path.to_owned(), source };
        let info = PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).expect("it was read as such");
        let pem = match passphrase {
            Some(passphrase) if passphrase.0.len() < PASSPHRASE_BYTES_MIN => {
                return Err(KeyError::ShortPassphrase);
            }
            Some(passphrase) => info
                .encrypt(passphrase.0.as_bytes())
                .and_then(|sealed| Ok(sealed.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)?)),
            None => SecretDocument::encode_msg(&info)
                .and_then(|open| open.to_pem(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF))
                .map_err(Into::into),
        };
        let pem = pem.map_err(|_| KeyError::NoRandom)?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(disk)?;
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(disk)?;
        File::open(crate::disk::folder_of(path)).and_then(|folder| folder.sync_all()).map_err(disk)
    }

    /// The public key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The public key's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair().sign(message).as_ref().to_vec()
    }

    /// The key as ring has it. Its copy lives as long as one signature takes; ring does not overwrite it.
    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.pkcs8).expect("it was read as such")
    }

    fn of_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).ok()?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().ok()?;
        let key = Key::ed25519(&public);
        let id = key.id();
        Some(Self { pkcs8, key, id })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_the_same_after_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate().unwrap();
        let (open, sealed) = (folder.path().join("open.pem"), folder.path().join("sealed.pem"));
        let passphrase = || Passphrase::new("correct horse\n".into());
        key.save(&open, None).unwrap();
        key.save(&sealed, Some(&passphrase())).unwrap();
        assert_eq!(PrivateKey::load(&open, || Ok(None)).unwrap().id(), key.id());
        let loaded = PrivateKey::load(&sealed, || Ok(Some(passphrase()))).unwrap();
        assert_eq!(loaded.sign(b"message"), key.sign(b"message"));
        assert!(matches!(PrivateKey::load(&sealed, || Ok(None)), Err(KeyError::NoPassphrase { .. })));
        let wrong = PrivateKey::load(&sealed, || Ok(Some(Passphrase::new("battery staple".into()))));
        assert!(matches!(wrong, Err(KeyError::WrongPassphrase { .. })));
        assert!(matches!(key.save(&open, None), Err(KeyError::Disk { .. })), "it is not written over");
        let short = key.save(&folder.path().join("short"), Some(&Passphrase::new("1234567".into())));
        assert!(matches!(short, Err(KeyError::ShortPassphrase)));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        PrivateKey::generate().unwrap().save(&path, None).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(PrivateKey::load(&path, || Ok(None)), Err(KeyError::ReadableByOthers { .. })));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        PrivateKey::load(&path, || Ok(None)).unwrap();
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let key = PrivateKey::generate().unwrap();
        let shown = format!("{key:?} {:?}", Passphrase::new("hunter2 hunter2".into()));
        let seed = crate::hashes::hex(&key.pkcs8[16..]);
        assert!(!shown.contains(&seed) && !shown.contains("hunter2"));
    }
}
