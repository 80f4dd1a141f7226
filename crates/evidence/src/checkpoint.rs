use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use crate::note::{self, Note};
use crate::{EvidenceError, Hash, KeyName, Malformed, NOTE_BYTES_MAX, PrivateKey, VerifierKey, merkle};

/// The head of a log: how many entries it has, and the root of the tree over them (C2SP tlog-checkpoint).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: KeyName,
    /// How many entries there are.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    pub(crate) fn of_nothing(origin: KeyName) -> Self {
        Self { origin, size: 0, root: merkle::empty_root() }
    }

    pub(crate) fn head(&self) -> (u64, Hash) {
        (self.size, self.root)
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Lines after the third are of no use to us, and none of what is signed may be of no use to anybody: they are refused.
    fn parse(text: &str) -> Result<Self, Malformed> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(Malformed::Checkpoint);
        let (origin, size, root) = (line()?, line()?, line()?);
        if lines.ne([""]) {
            return Err(Malformed::Checkpoint);
        }
        Ok(Self {
            origin: origin.parse()?,
            size: decimal(size).ok_or(Malformed::Checkpoint)?,
            root: Hash::from_base64(root).ok_or(Malformed::Checkpoint)?,
        })
    }
}

/// A checkpoint as the log signed it. It is believed by whoever has found it signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// What is said, whoever may say so.
    pub fn claim(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note, as it is written to files.
    pub fn as_str(&self) -> &str {
        &self.note
    }

    /// What the key's owner said. `place` says where this was read, for errors.
    pub fn signed_by(
        &self,
        key: &VerifierKey,
        place: impl Into<String>,
    ) -> Result<&Checkpoint, EvidenceError> {
        let place = place.into();
        if !Note::parse(&self.note).is_ok_and(|note| note.is_signed_by(key)) {
            let (name, key_id) = (key.name().to_string(), key.id());
            return Err(EvidenceError::BadSignature { place, name, key_id });
        }
        if self.checkpoint.origin != *key.name() {
            return Err(EvidenceError::Malformed { place, problem: Malformed::Origin });
        }
        Ok(&self.checkpoint)
    }

    /// Reads a checkpoint that somebody kept.
    pub fn from_file(path: &Path) -> Result<Self, EvidenceError> {
        let bytes = read_bounded(path, NOTE_BYTES_MAX).map_err(EvidenceError::io(path))?;
        Self::from_bytes(&bytes)
            .map_err(|problem| EvidenceError::Malformed { place: path.display().to_string(), problem })
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?.parse()
    }

    pub(crate) fn sign(checkpoint: Checkpoint, private: &PrivateKey, key: &VerifierKey) -> Self {
        let note = note::signed(&checkpoint.text(), private, key);
        Self { checkpoint, note }
    }
}

impl FromStr for SignedCheckpoint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let checkpoint = Checkpoint::parse(Note::parse(text)?.text)?;
        Ok(Self { checkpoint, note: text.to_owned() })
    }
}

/// A number as the C2SP formats write it: without zeros before it.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// A file's bytes, up to one more than `bytes_max`: who parses them refuses that.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
