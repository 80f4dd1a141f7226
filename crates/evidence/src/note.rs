//! Signed notes (C2SP signed-note v1.0.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::verifier::KEY_ID_BYTES;
use crate::{Malformed, PrivateKey, VerifierKey};

/// The longest note, which bounds its signatures too.
pub const NOTE_BYTES_MAX: usize = 64 << 10;
/// What a signature line begins with: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// A text and the signatures under it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note<'a> {
    /// The signed text, with its last line feed.
    pub(crate) text: &'a str,
    signatures: &'a str,
}

impl<'a> Note<'a> {
    /// Takes a note apart. Nothing of it is to be believed before it is found signed.
    pub(crate) fn parse(note: &'a str) -> Result<Self, Malformed> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(Malformed::NotText);
        }
        let at = note.rfind("\n\n").ok_or(Malformed::NoSignatures)?;
        let (text, signatures) = (&note[..=at], &note[at + 2..]);
        if signatures.is_empty() || !signatures.ends_with('\n') {
            return Err(Malformed::NoSignatures);
        }
        let note = Self { text, signatures };
        note.signatures().try_for_each(|signature| signature.map(drop))?;
        Ok(note)
    }

    fn signatures(&self) -> impl Iterator<Item = Result<(&'a str, u32, Vec<u8>), Malformed>> {
        self.signatures.lines().map(|line| signature(line).ok_or(Malformed::SignatureLine))
    }

    /// Whether the key signed this. Signatures by other keys say nothing; one by this key that is wrong refuses the
    /// whole note.
    pub(crate) fn is_signed_by(&self, key: &VerifierKey) -> bool {
        let ours = |(name, id, _): &(&str, u32, Vec<u8>)| *name == key.name().as_str() && *id == key.id();
        let mut signatures = self.signatures().flatten().filter(ours).peekable();
        signatures.peek().is_some() && signatures.all(|(_, _, signature)| key.confirms(self.text, &signature))
    }
}

fn signature(line: &str) -> Option<(&str, u32, Vec<u8>)> {
    let (name, base64) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let bytes = STANDARD.decode(base64).ok()?;
    let (id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
    let named = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    (named && !signature.is_empty()).then(|| (name, u32::from_be_bytes(*id), signature.to_vec()))
}

/// `text`, which ends with a line feed, signed.
pub(crate) fn signed(text: &str, private: &PrivateKey, key: &VerifierKey) -> String {
    let signature = [&key.id().to_be_bytes()[..], &private.sign(text)].concat();
    format!("{text}\n{SIGNATURE}{} {}\n", key.name(), STANDARD.encode(signature))
}
