use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{decimal, read_bounded};
use crate::{
    Checkpoint, EvidenceError, Hash, LogFolder, Malformed, NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey,
    merkle,
};

/// The first line of a proof that an entry is in a log.
const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";
/// What the first line of a proof of consistency begins with.
const OLD: &str = "old ";
/// The longest proof: its checkpoint, an entry in base64, and some hashes.
const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 16 * 1024;
/// The most hashes of a proof: two for each level of a tree (RFC 6962, section 2.1.2, has at most one more than that has
/// levels).
const HASHES_MAX: usize = 65;

/// Shows that an entry is in a log, to whoever has the log's verifier key. Written in the format of C2SP tlog-proof, with
/// the entry itself as `extra` data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InclusionProof {
    /// The entry.
    pub entry: Vec<u8>,
    /// Its number.
    pub index: u64,
    path: Vec<Hash>,
    /// The head of the log that it is in.
    pub checkpoint: SignedCheckpoint,
}

/// Shows that a log grew from a checkpoint that somebody remembers: that it was neither cut nor forked since. Written as
/// the body of an `add-checkpoint` request of C2SP tlog-witness.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsistencyProof {
    /// The size of the remembered checkpoint.
    pub old_size: u64,
    path: Vec<Hash>,
    /// The head of the log that grew from it.
    pub checkpoint: SignedCheckpoint,
}

/// A proof of either kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// That an entry is in a log.
    Inclusion(InclusionProof),
    /// That a log grew from an earlier state.
    Consistency(ConsistencyProof),
}

impl InclusionProof {
    /// Proves that the entry of this number is in the log.
    pub fn of(folder: &LogFolder, index: u64) -> Result<Self, EvidenceError> {
        let checkpoint = folder.checkpoint()?;
        let size = checkpoint.claim().size;
        let entry = folder.entry(index, size)?;
        let path = merkle::inclusion(&mut folder.nodes(size), index, size)?;
        let proof = Self { entry, index, path, checkpoint };
        // Of a damaged log there is no proof.
        if proof.leads_to_root() {
            Ok(proof)
        } else {
            Err(EvidenceError::NotProven { place: folder.shown(), size })
        }
    }

    /// Checks the proof with nothing but the log's key, and gives the entry. `place` names the proof in errors.
    pub fn verify(&self, key: &VerifierKey, place: &str) -> Result<&[u8], EvidenceError> {
        let size = self.checkpoint.signed_by(key, place)?.size;
        if self.leads_to_root() {
            Ok(&self.entry)
        } else {
            Err(EvidenceError::NotProven { place: place.to_owned(), size })
        }
    }

    fn leads_to_root(&self) -> bool {
        merkle::includes(Hash::of_leaf(&self.entry), self.index, &self.path, self.checkpoint.claim().head())
    }

    /// The proof as text.
    pub fn to_text(&self) -> String {
        let extra = STANDARD.encode(&self.entry);
        let lines = format!("{INCLUSION}\n{EXTRA}{extra}\n{INDEX}{}\n", self.index);
        lines + &tail(&self.path, &self.checkpoint)
    }
}

impl ConsistencyProof {
    /// Proves that the log grew from a checkpoint, or says that it did not.
    pub fn of(folder: &LogFolder, old: &Checkpoint) -> Result<Self, EvidenceError> {
        let checkpoint = folder.checkpoint()?;
        let new = checkpoint.claim();
        if old.size > new.size {
            return Err(EvidenceError::not_grown(folder.shown(), old, new));
        }
        let path = merkle::consistency(&mut folder.nodes(new.size), old.size, new.size)?;
        if !merkle::is_consistent(&path, old.head(), new.head()) {
            return Err(EvidenceError::not_grown(folder.shown(), old, new));
        }
        Ok(Self { old_size: old.size, path, checkpoint })
    }

    /// Checks with nothing but the log's key that the log grew from the remembered checkpoint, and gives its new head.
    /// `place` names the proof in errors.
    pub fn verify(
        &self,
        key: &VerifierKey,
        old: &Checkpoint,
        place: &str,
    ) -> Result<&Checkpoint, EvidenceError> {
        let new = self.checkpoint.signed_by(key, place)?;
        if new.size < old.size {
            return Err(EvidenceError::not_grown(place, old, new));
        }
        if self.old_size != old.size {
            let (place, proven, remembered) = (place.to_owned(), self.old_size, old.size);
            return Err(EvidenceError::OtherStep { place, proven, remembered });
        }
        if merkle::is_consistent(&self.path, old.head(), new.head()) {
            Ok(new)
        } else {
            Err(EvidenceError::not_grown(place, old, new))
        }
    }

    /// The proof as text.
    pub fn to_text(&self) -> String {
        format!("{OLD}{}\n", self.old_size) + &tail(&self.path, &self.checkpoint)
    }
}

impl Proof {
    /// Reads a file with a proof of either kind.
    pub fn from_file(path: &Path) -> Result<Self, EvidenceError> {
        let bytes = read_bounded(path, PROOF_BYTES_MAX).map_err(EvidenceError::io(path))?;
        Self::parse(&bytes)
            .map_err(|problem| EvidenceError::Malformed { place: path.display().to_string(), problem })
    }

    /// Reads a proof, in the one form in which it is written.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
        let (head, note) = text.split_once("\n\n").ok_or(Malformed::Proof)?;
        let checkpoint: SignedCheckpoint = note.parse()?;
        let mut lines = head.split('\n');
        let mut line = || lines.next().ok_or(Malformed::Proof);
        let number = |line: &str, name| line.strip_prefix(name).and_then(decimal).ok_or(Malformed::Proof);
        let first = line()?;
        if first != INCLUSION {
            let old_size = number(first, OLD)?;
            return Ok(Self::Consistency(ConsistencyProof { old_size, path: hashes(lines)?, checkpoint }));
        }
        let extra = line()?.strip_prefix(EXTRA).ok_or(Malformed::NoEntry)?;
        let entry = STANDARD.decode(extra).map_err(|_| Malformed::NoEntry)?;
        let index = number(line()?, INDEX)?;
        Ok(Self::Inclusion(InclusionProof { entry, index, path: hashes(lines)?, checkpoint }))
    }

    /// The proof as text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Inclusion(proof) => proof.to_text(),
            Self::Consistency(proof) => proof.to_text(),
        }
    }
}

fn hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, Malformed> {
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == HASHES_MAX {
            return Err(Malformed::Proof);
        }
        hashes.push(Hash::from_base64(line).ok_or(Malformed::Proof)?);
    }
    Ok(hashes)
}

/// What ends a proof of either kind: the hashes, a blank line, and the checkpoint as it was signed.
fn tail(path: &[Hash], checkpoint: &SignedCheckpoint) -> String {
    let hashes: String = path.iter().map(|hash| hash.to_base64() + "\n").collect();
    hashes + "\n" + checkpoint.as_str()
}
