use std::collections::BTreeMap;

use hashward_core::{Algorithm, ListInfo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::tree::Shape;
use crate::{Checksum, ReleaseError};

/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u8 = 1;

/// What is signed of a target file: the `custom` of its TUF target, in JSON. It says what the file does and what comes of
/// it, so that nothing in the file needs to be believed.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format: [`FORMAT_VERSION`].
    pub format: u8,
    /// What the file holds.
    pub kind: TargetKind,
    /// What is true of the whole list in this release.
    pub list: ListInfo,
    /// The number of the release, from 1.
    pub release: u64,
    /// The checksum of the release before; none for the first.
    pub previous: Option<Checksum>,
    /// When the release was made.
    pub created: Timestamp,
    /// From when on it is stale: whoever has no newer one goes on with it, and alarms.
    pub expires: Timestamp,
    /// The state of the journal that the release is of: a number of the maintainer's own.
    pub state: u64,
    /// How many entries the list has in this release.
    pub entries: u64,
    /// How many digests of each algorithm they have.
    pub digests: BTreeMap<Algorithm, u64>,
    /// How many first bits of an entry's id say in which bucket of the checksum it stands.
    pub bucket_bits: u8,
    /// The SHA-256 of the sorted set in this release: see `docs/release-format.md`.
    pub checksum: Checksum,
    /// How many bytes the file holds when it is decrypted and decompressed.
    pub content_bytes: u64,
    /// Whether the file is encrypted to age recipients.
    pub encrypted: bool,
    /// Where the release stands in the chain of deltas.
    pub chain: Chain,
}

/// What a target file holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The whole list.
    Snapshot,
    /// What makes the release of the release before.
    Delta,
}

/// The newest snapshot, and the deltas after it. The same in all targets of a release.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The release of the newest snapshot.
    pub snapshot: u64,
    /// The length of its file, in bytes.
    pub snapshot_bytes: u64,
    /// The length of the files of all deltas after it, in bytes.
    pub deltas_bytes: u64,
}

impl Header {
    /// Reads what was signed.
    pub fn parse(json: &serde_json::Value) -> Result<Self, ReleaseError> {
        let bad = |problem: String| ReleaseError::BadHeader { problem };
        // Another version may have other fields.
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT_VERSION) => {}
            Some(format) => return Err(ReleaseError::OtherFormat { format }),
            None => return Err(bad("it has no `format`".to_owned())),
        }
        let header = Self::deserialize(json).map_err(|error| bad(error.to_string()))?;
        header.check().map_err(|problem| bad(problem.to_owned()))?;
        Ok(header)
    }

    /// Reads what was signed of a target in a repository that may hold others' too: `None` for one that is none of a release.
    pub fn parse_ours(json: &serde_json::Value) -> Result<Option<Self>, ReleaseError> {
        if json.get("format").is_none() { Ok(None) } else { Self::parse(json).map(Some) }
    }

    /// The JSON to be signed.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("plain data is JSON")
    }

    /// The name of the target file: the list's id, the release and the kind, in letters, digits, `.`, `_` and `-`.
    pub fn target_name(&self) -> String {
        format!("{}.{}.{}", self.list.id, self.release, self.kind.word())
    }

    /// Whether the release is stale at a moment.
    pub fn is_expired_at(&self, moment: Timestamp) -> bool {
        self.expires <= moment
    }

    /// The error for a release that is stale at a moment: for whoever takes none that is.
    pub fn fresh_at(&self, moment: Timestamp) -> Result<(), ReleaseError> {
        let (release, expires) = (self.release, self.expires);
        if self.is_expired_at(moment) { Err(ReleaseError::Expired { release, expires }) } else { Ok(()) }
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape::new(self.bucket_bits).expect("a header is checked when it is read, and made of a shape")
    }

    fn check(&self) -> Result<(), &'static str> {
        if Shape::new(self.bucket_bits).is_none() {
            return Err("`bucket_bits` is too large");
        }
        if self.release == 0 || (self.release == 1) != self.previous.is_none() {
            return Err("`release` begins with 1, and each but the first has a `previous`");
        }
        if self.kind == TargetKind::Delta && self.release == 1 {
            return Err("the first release is no delta");
        }
        if self.entries == 0 {
            return Err("`entries` is 0: an empty list protects nobody");
        }
        if self.expires <= self.created {
            return Err("`expires` is not after `created`");
        }
        Ok(())
    }
}

impl TargetKind {
    /// The kind's word, as in names of target files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Delta => "delta",
        }
    }
}
