//! To whom files are encrypted, and by whom they are opened: X25519 keys of age (<https://age-encryption.org/v1>).

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use age::x25519;
use zeroize::Zeroizing;

use crate::ReleaseError;

/// The largest file of identities, in bytes.
pub const IDENTITIES_BYTES_MAX: u64 = 64 * 1024;
/// To how many recipients a file may be encrypted.
pub const RECIPIENTS_MAX: usize = 1024;

/// The providers' public keys to which a file is encrypted; none, and it is not.
#[derive(Clone, Default)]
pub struct Recipients(pub(crate) Vec<x25519::Recipient>);

impl Recipients {
    /// From texts that begin with `age1`; at most [`RECIPIENTS_MAX`].
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ReleaseError> {
        let parse = |text: &str| {
            let bad = || ReleaseError::BadRecipient { text: text.chars().take(100).collect() };
            text.trim().parse().map_err(|_| bad())
        };
        let recipients: Vec<_> = texts.into_iter().map(parse).collect::<Result<_, _>>()?;
        if recipients.len() > RECIPIENTS_MAX {
            return Err(ReleaseError::TooManyRecipients { recipients: recipients.len() });
        }
        Ok(Self(recipients))
    }

    /// Whether files are not encrypted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipients({})", self.0.len())
    }
}

/// A provider's private keys, with which encrypted files are opened.
#[derive(Clone, Default)]
pub struct Identities(pub(crate) Vec<x25519::Identity>);

impl Identities {
    /// Those in a file, as `age-keygen` writes it: one a line, empty lines and those that begin with `#` left out.
    pub fn from_file(path: &Path) -> Result<Self, ReleaseError> {
        let io = |source| ReleaseError::io(path, source);
        let bad = |line, problem| ReleaseError::BadAgeKey { path: path.to_owned(), line, problem };
        let mut text = Zeroizing::new(String::new());
        File::open(path).map_err(io)?.take(IDENTITIES_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
        if text.len() as u64 > IDENTITIES_BYTES_MAX {
            return Err(bad(1, "the file is larger than 64 KiB: expected age identities, one a line"));
        }
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let expected = "is no age identity: expected one that begins with AGE-SECRET-KEY-1";
        let parse = |(place, line): (usize, &str)| line.parse().map_err(|_| bad(place + 1, expected));
        let identities: Vec<_> = lines.map(parse).collect::<Result<_, _>>()?;
        if identities.is_empty() {
            return Err(bad(
                1,
                "the file holds no age identity: expected one that begins with AGE-SECRET-KEY-1",
            ));
        }
        Ok(Self(identities))
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}
