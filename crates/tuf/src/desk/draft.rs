//! The file that travels: what is to be signed, and what has been.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DeskError;
use super::terms::name_of;
use crate::canonical::canonical;
use crate::envelope::{Authority, Envelope, Signature};
use crate::hashes::hex;
use crate::metadata::{Root, SPEC_VERSION, Signed, Targets};
use crate::{Key, PrivateKey, Role, RoleKeys};

const FORMAT: &str = "hashward-draft-1";

/// Metadata that waits for signatures: a root, targets, or both.
///
/// It holds all that a signer's machine needs, and nothing secret. Whose signatures count is stated in it for the
/// signers' sake only; what is published is held against the published root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    format: String,
    files: Vec<DraftFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftFile {
    role: String,
    signed: Value,
    signatures: Vec<Signature>,
    /// Every authority that must be satisfied: of a root the one before it and its own.
    authorities: Vec<DraftAuthority>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftAuthority {
    name: String,
    threshold: u32,
    keys: BTreeMap<String, Key>,
    key_names: BTreeMap<String, String>,
}

/// How far one file of a draft is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pending {
    /// Which role.
    pub role: Role,
    /// Its version.
    pub version: u64,
    /// Whose keys are asked, such as `root in root 3`.
    pub authority: String,
    /// How many must sign.
    pub threshold: u32,
    /// Who has, by name.
    pub signed_by: Vec<String>,
    /// Who may, and has not.
    pub missing: Vec<String>,
}

impl Pending {
    /// Whether enough have signed.
    pub fn is_done(&self) -> bool {
        self.signed_by.len() >= self.threshold as usize
    }
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { format: FORMAT.to_owned(), files: Vec::new() }
    }

    /// Adds a file. `roots` are those whose keys must sign it.
    pub(crate) fn add<T: Signed>(&mut self, signed: &T, roots: &[&Root]) {
        let authority = |root: &&Root| {
            let RoleKeys { keyids, threshold, .. } = root.role(T::ROLE);
            let keys = keyids.iter().filter_map(|id| Some((id.clone(), root.keys.get(id)?.clone())));
            DraftAuthority {
                name: format!("{} in root {}", T::ROLE, root.version),
                threshold: *threshold,
                keys: keys.collect(),
                key_names: keyids.iter().map(|id| (id.clone(), name_of(root, id))).collect(),
            }
        };
        self.files.push(DraftFile {
            role: T::ROLE.name().to_owned(),
            signed: value_of(signed),
            signatures: Vec::new(),
            authorities: roots.iter().map(authority).collect(),
        });
    }

    /// Reads a draft.
    pub fn parse(bytes: &[u8]) -> Result<Self, DeskError> {
        let wrong = |why: String| DeskError::NoDraft { why };
        let draft: Self = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if draft.format != FORMAT {
            return Err(wrong(format!("its `format` is not `{FORMAT}`")));
        }
        for file in &draft.files {
            match Role::of_name(&file.role) {
                Some(Role::Root) => drop(file.envelope::<Root>()?),
                Some(Role::Targets) => drop(file.envelope::<Targets>()?),
                _ => return Err(wrong(format!("nobody signs `{}` by hand", crate::path::tame(&file.role)))),
            }
        }
        Ok(draft)
    }

    /// The file's content.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("memory takes everything");
        bytes.push(b'\n');
        bytes
    }

    /// Signs every file that `key` counts for, and tells which. A second signature of one key changes nothing.
    pub fn sign(&mut self, key: &PrivateKey) -> Result<Vec<Role>, DeskError> {
        let mut signed = Vec::new();
        for file in &mut self.files {
            let counts = file.authorities.iter().any(|authority| authority.keys.contains_key(key.id()));
            let role = Role::of_name(&file.role).filter(|_| counts);
            let Some(role) = role else { continue };
            let message = canonical(&file.signed).ok_or_else(|| DeskError::NoDraft {
                why: "it holds a number that is not whole, which cannot be signed".to_owned(),
            })?;
            file.signatures.retain(|signature| signature.keyid != key.id());
            file.signatures.push(Signature { keyid: key.id().to_owned(), sig: hex(&key.sign(&message)) });
            signed.push(role);
        }
        if signed.is_empty() {
            let authorities = self.files.iter().flat_map(|file| &file.authorities);
            let names: std::collections::BTreeSet<String> =
                authorities.flat_map(|authority| authority.key_names.values().cloned()).collect();
            return Err(DeskError::NotASigner { signers: names.into_iter().collect() });
        }
        Ok(signed)
    }

    /// Takes over the signatures of another copy of this draft, as when both signed at the same time.
    pub fn merge(&mut self, other: &Self) -> Result<(), DeskError> {
        let same = self.files.len() == other.files.len()
            && self.files.iter().zip(&other.files).all(|(a, b)| a.role == b.role && a.signed == b.signed);
        if !same {
            return Err(DeskError::NoDraft { why: "it is a draft of something else".to_owned() });
        }
        for (mine, theirs) in self.files.iter_mut().zip(&other.files) {
            for signature in &theirs.signatures {
                if !mine.signatures.iter().any(|present| present.keyid == signature.keyid) {
                    mine.signatures.push(signature.clone());
                }
            }
        }
        Ok(())
    }

    /// How far each file is, once for each authority that is asked.
    pub fn pending(&self) -> Result<Vec<Pending>, DeskError> {
        let mut pending = Vec::new();
        for file in &self.files {
            match Role::of_name(&file.role) {
                Some(Role::Root) => file.pending::<Root>(&mut pending)?,
                _ => file.pending::<Targets>(&mut pending)?,
            }
        }
        Ok(pending)
    }

    /// What is signed: each file's role, version, and the bytes of its canonical form, which a signature is over.
    pub fn messages(&self) -> Result<Vec<(Role, u64, Vec<u8>)>, DeskError> {
        let roots = self.envelope::<Root>()?.map(|root| (Role::Root, root.signed.version, root.canonical));
        let targets = self
            .envelope::<Targets>()?
            .map(|targets| (Role::Targets, targets.signed.version, targets.canonical));
        Ok(roots.into_iter().chain(targets).collect())
    }

    /// The root in it.
    pub fn root(&self) -> Result<Option<Root>, DeskError> {
        Ok(self.envelope::<Root>()?.map(|envelope| envelope.signed))
    }

    /// The targets in it.
    pub fn targets(&self) -> Result<Option<Targets>, DeskError> {
        Ok(self.envelope::<Targets>()?.map(|envelope| envelope.signed))
    }

    pub(crate) fn envelope<T: Signed>(&self) -> Result<Option<Envelope<T>>, DeskError> {
        let file = self.files.iter().find(|file| file.role == T::ROLE.name());
        file.map(DraftFile::envelope::<T>).transpose()
    }
}

impl DraftFile {
    fn envelope<T: Signed>(&self) -> Result<Envelope<T>, DeskError> {
        let bytes = file_bytes(&self.signed, &self.signatures);
        let file = T::ROLE.file();
        Ok(Envelope::of_value(&file, self.signed.clone(), self.signatures.clone(), bytes)?)
    }

    fn pending<T: Signed>(&self, into: &mut Vec<Pending>) -> Result<(), DeskError> {
        let envelope = self.envelope::<T>()?;
        for asked in &self.authorities {
            let keyids: Vec<String> = asked.keys.keys().cloned().collect();
            let authority = Authority {
                name: asked.name.clone(),
                keys: &asked.keys,
                keyids: &keyids,
                threshold: asked.threshold,
            };
            into.push(pending(&envelope, &authority, |id| {
                asked.key_names.get(id).cloned().unwrap_or_else(|| id.to_owned())
            }));
        }
        Ok(())
    }
}

/// How far a file is with one authority.
pub(crate) fn pending<T: Signed>(
    envelope: &Envelope<T>,
    authority: &Authority<'_>,
    name: impl Fn(&str) -> String,
) -> Pending {
    let tally = envelope.tally(authority);
    let (signed, missing): (Vec<_>, Vec<_>) =
        authority.keyids.iter().partition(|id| tally.counted.contains(*id));
    Pending {
        role: T::ROLE,
        version: envelope.signed.version(),
        authority: authority.name.clone(),
        threshold: authority.threshold,
        signed_by: signed.into_iter().map(|id| name(id)).collect(),
        missing: missing.into_iter().map(|id| name(id)).collect(),
    }
}

/// What is signed, with its type and the version of the specification.
pub(crate) fn value_of<T: Signed>(signed: &T) -> Value {
    let mut value = serde_json::to_value(signed).expect("metadata is plain data");
    value["_type"] = T::ROLE.name().into();
    value["spec_version"] = SPEC_VERSION.into();
    value
}

/// A metadata file.
pub(crate) fn file_bytes(signed: &Value, signatures: &[Signature]) -> Vec<u8> {
    let file = serde_json::json!({ "signed": signed, "signatures": signatures });
    let mut bytes = serde_json::to_vec_pretty(&file).expect("memory takes everything");
    bytes.push(b'\n');
    bytes
}
