use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::{Hash, Malformed};

/// The longest name of a key, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The signature type of Ed25519 (C2SP signed-note, "Signature types").
const ED25519_TYPE: u8 = 1;
pub(crate) const KEY_ID_BYTES: usize = 4;

/// The name of a key, which is also the origin of the log that it signs: a URL without its scheme, by custom, such as
/// `example.org/evidence`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = Malformed;

    fn from_str(name: &str) -> Result<Self, Malformed> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(bad) {
            return Err(Malformed::Name);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The public half of a log's key, by which anybody checks a checkpoint. Written `NAME+ID+BASE64`, as the verifier keys of
/// Go's `note` package are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    name: KeyName,
    id: u32,
    public: [u8; 32],
}

impl VerifierKey {
    pub(crate) fn new(name: KeyName, public: [u8; 32]) -> Self {
        // SHA-256(key name || 0x0A || signature type || public key)[:4] (C2SP signed-note, "Signatures").
        let named = [name.as_str().as_bytes(), &[b'\n', ED25519_TYPE], &public].concat();
        let id = Hash::of(&named).0.first_chunk().copied().expect("a hash is longer than an id");
        Self { name, id: u32::from_be_bytes(id), public }
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The number by which a signature says which key made it.
    pub fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn confirms(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(text.as_bytes(), signature).is_ok()
    }
}

impl FromStr for VerifierKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (name, rest) = text.trim_end().split_once('+').ok_or(Malformed::VerifierKey)?;
        let (id, key) = rest.split_once('+').ok_or(Malformed::VerifierKey)?;
        let name = name.parse()?;
        let bytes = STANDARD.decode(key).map_err(|_| Malformed::VerifierKey)?;
        let (kind, public) = bytes.split_first().ok_or(Malformed::VerifierKey)?;
        let public = public.try_into().map_err(|_| Malformed::VerifierKey)?;
        let key = Self::new(name, public);
        let is_whole = *kind == ED25519_TYPE && format!("{:08x}", key.id) == id;
        if is_whole { Ok(key) } else { Err(Malformed::VerifierKey) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE][..], &self.public].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}
