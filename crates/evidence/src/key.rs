use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::{EvidenceError, KeyName, KeyProblem, VerifierKey};

const SEED_BYTES: usize = 32;
/// The longest key file.
const KEY_FILE_BYTES_MAX: u64 = 4096;
const EXPOSED_TO_OTHERS: u32 = 0o007;
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
/// What stands before the seed of an Ed25519 key in PKCS#8 (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The Ed25519 key that signs a log's checkpoints. Whoever has it can write another history: it belongs into a file of
/// its own, apart from the log.
pub struct PrivateKey(Ed25519KeyPair);

impl PrivateKey {
    /// A new key in a new file that only its owner may read: PKCS#8 in PEM, as OpenSSL writes it. A file that is there
    /// already is an error, and stays as it is.
    pub fn create(path: &Path) -> Result<Self, EvidenceError> {
        let failed = || EvidenceError::io(path);
        let mut der = Zeroizing::new([0; PKCS8_PREFIX.len() + SEED_BYTES]);
        der[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
        SystemRandom::new().fill(&mut der[PKCS8_PREFIX.len()..]).map_err(|_| EvidenceError::Randomness)?;
        let base64 = Zeroizing::new(STANDARD.encode(der.as_slice()));
        let text = Zeroizing::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", base64.as_str()));
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed())?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed())?;
        Self::parse(&text).map_err(|problem| EvidenceError::Key { path: path.to_owned(), problem })
    }

    /// The key in a file. One that every user of the machine may read, write or run is refused; its group may read it,
    /// as secrets mounted into containers need.
    pub fn from_file(path: &Path) -> Result<Self, EvidenceError> {
        let failed = || EvidenceError::io(path);
        let file = File::open(path).map_err(failed())?;
        let mode = file.metadata().map_err(failed())?.mode() & 0o777;
        if mode & EXPOSED_TO_OTHERS != 0 {
            return Err(EvidenceError::KeyExposed { path: path.to_owned(), mode });
        }
        let bad = |problem| EvidenceError::Key { path: path.to_owned(), problem };
        let mut text = Zeroizing::new(Vec::new());
        file.take(KEY_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(failed())?;
        if text.len() as u64 > KEY_FILE_BYTES_MAX {
            return Err(bad(KeyProblem::TooLong));
        }
        let text = std::str::from_utf8(&text).map_err(|_| bad(KeyProblem::NotPem))?;
        Self::parse(text).map_err(bad)
    }

    fn parse(text: &str) -> Result<Self, KeyProblem> {
        let (_, rest) = text.split_once(PEM_BEGIN).ok_or(KeyProblem::NotPem)?;
        let (body, _) = rest.split_once(PEM_END).ok_or(KeyProblem::NotPem)?;
        let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(body.as_str()).map_err(|_| KeyProblem::NotPem)?);
        // OpenSSL leaves the public key out, which then follows from the seed.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| KeyProblem::NotEd25519)
    }

    /// The key by which others check what this one signs under `name`.
    pub fn verifier(&self, name: KeyName) -> VerifierKey {
        let public = self.0.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes");
        VerifierKey::new(name, public)
    }

    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}
