//! A signed file: parsed once, and signatures counted over the canonical form of what was parsed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp as Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::canonical;
use crate::hashes::unhex;
use crate::metadata::{Root, Signed};
use crate::{Key, Role, RoleKeys, TufError};

/// A signature (section 4.2.1).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signature {
    pub(crate) keyid: String,
    pub(crate) sig: String,
}

#[derive(Deserialize)]
struct Raw {
    signed: Value,
    signatures: Vec<Signature>,
}

/// A file that was parsed. That it parsed says nothing about its signatures.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<T> {
    pub(crate) signed: T,
    pub(crate) signatures: Vec<Signature>,
    /// What is signed, in canonical form.
    pub(crate) canonical: Vec<u8>,
    /// The file as it came.
    pub(crate) bytes: Vec<u8>,
}

/// Whose signatures count.
pub(crate) struct Authority<'a> {
    /// Such as `root 3`.
    pub(crate) name: String,
    pub(crate) keys: &'a BTreeMap<String, Key>,
    pub(crate) keyids: &'a [String],
    pub(crate) threshold: u32,
}

/// Who signed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Ids of keys that count, each material once.
    pub(crate) counted: BTreeSet<String>,
    pub(crate) strangers: usize,
    pub(crate) repeated: usize,
}

impl<T: Signed> Envelope<T> {
    /// Parses a file.
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, TufError> {
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|error| TufError::malformed(file, Place(&error)))?;
        Self::of_value(file, raw.signed, raw.signatures, bytes.to_vec())
    }

    /// What is to be signed, with the signatures that it has.
    pub(crate) fn of_value(
        file: &str,
        signed: Value,
        signatures: Vec<Signature>,
        bytes: Vec<u8>,
    ) -> Result<Self, TufError> {
        let wrong = |why: &str| Err(TufError::malformed(file, why));
        // Section 4.2.1: undefined fields are part of what is signed, hence of the canonical form.
        let Some(canonical) = canonical(&signed) else {
            return wrong("it holds a number that is not whole, which has no canonical form");
        };
        let named = |name: &str| signed.get(name).and_then(Value::as_str).unwrap_or_default();
        if named("_type") != T::ROLE.name() {
            return wrong(&format!("`_type` is not `{}`", T::ROLE));
        }
        // Section 4.3: what has another major version may mean something else.
        if !named("spec_version").starts_with("1.") {
            return wrong("`spec_version` is not 1.x");
        }
        let parsed: T = T::deserialize(signed).map_err(|error| TufError::malformed(file, Place(&error)))?;
        if parsed.version() == 0 {
            return wrong("its version is 0: versions begin with 1");
        }
        parsed.check().map_err(|why| TufError::malformed(file, why))?;
        Ok(Self { signed: parsed, signatures, canonical, bytes })
    }

    /// Counts who signed. Keys count by what they are: two ids of one key count once, and so do two signatures of
    /// one key.
    pub(crate) fn tally(&self, authority: &Authority<'_>) -> Tally {
        let mut tally = Tally::default();
        let mut counted = BTreeSet::new();
        for signature in &self.signatures {
            let key = authority.keys.get(&signature.keyid);
            let Some(key) = key.filter(|_| authority.keyids.contains(&signature.keyid)) else {
                tally.strangers += 1;
                continue;
            };
            let Some(verifier) = key.verifier() else { continue };
            if counted.contains(verifier.material()) {
                tally.repeated += 1;
                continue;
            }
            let Some(bytes) = unhex(&signature.sig) else { continue };
            if verifier.is_right(&self.canonical, &bytes) {
                counted.insert(verifier.material().clone());
                tally.counted.insert(signature.keyid.clone());
            }
        }
        tally
    }

    /// Refuses a file that too few have signed.
    pub(crate) fn verify(&self, file: &str, authority: &Authority<'_>) -> Result<Tally, TufError> {
        let tally = self.tally(authority);
        let threshold = usize::try_from(authority.threshold).unwrap_or(usize::MAX);
        if tally.counted.len() >= threshold {
            return Ok(tally);
        }
        Err(TufError::TooFewSignatures {
            file: file.to_owned(),
            authority: authority.name.clone(),
            counted: tally.counted.len(),
            threshold,
            strangers: tally.strangers,
            repeated: tally.repeated,
        })
    }

    /// Refuses a file whose time is over.
    pub(crate) fn verify_time(&self, file: &str, now: Time) -> Result<(), TufError> {
        let expires = self.signed.expires();
        if expires > now { Ok(()) } else { Err(TufError::Expired { file: file.to_owned(), expires, now }) }
    }
}

impl Envelope<Root> {
    /// Whose signatures count for `role`, as this root says.
    pub(crate) fn authority(&self, role: Role) -> Authority<'_> {
        let RoleKeys { keyids, threshold, .. } = self.signed.role(role);
        let name = format!("{role} in root {}", self.signed.version);
        Authority { name, keys: &self.signed.keys, keyids, threshold: *threshold }
    }

    /// Refuses a root that does not have its own threshold of signatures.
    pub(crate) fn verify_with_itself(&self) -> Result<Tally, TufError> {
        self.verify(&format!("root {}", self.signed.version), &self.authority(Role::Root))
    }
}

/// Where JSON is wrong, without what stands there: it is somebody else's text.
struct Place<'a>(&'a serde_json::Error);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.classify(), self.0.line()) {
            (serde_json::error::Category::Data, 0) => {
                let told: String =
                    self.0.to_string().chars().take(120).flat_map(char::escape_debug).collect();
                write!(f, "it does not have the form of its role: {told}")
            }
            (serde_json::error::Category::Data, line) => {
                write!(f, "line {line}: it is no signed metadata")
            }
            (_, line) => write!(f, "line {line}: it is no JSON"),
        }
    }
}
