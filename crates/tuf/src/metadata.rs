//! What the four roles sign (section 4). Fields that are not known are kept: they are signed too.

use std::collections::BTreeMap;

use jiff::Timestamp as Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Hashes, Key, Role};

/// The version of the specification that is written and read. Others of the same major version are read too.
pub const SPEC_VERSION: &str = "1.0.34";

/// What all roles have in common.
pub(crate) trait Signed: Serialize + for<'a> Deserialize<'a> {
    /// `_type`.
    const ROLE: Role;
    fn version(&self) -> u64;
    fn expires(&self) -> Time;
    /// What no type says about a well-formed file. `Err` tells what is wrong.
    fn check(&self) -> Result<(), String>;
}

macro_rules! signed {
    ($type:ident, $role:expr) => {
        impl Signed for $type {
            const ROLE: Role = $role;
            fn version(&self) -> u64 {
                self.version
            }
            fn expires(&self) -> Time {
                self.expires
            }
            fn check(&self) -> Result<(), String> {
                self.is_sound()
            }
        }
    };
}

/// The root (section 4.3).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Counts up from 1.
    pub version: u64,
    /// When it stops to count.
    #[serde(with = "time")]
    pub expires: Time,
    /// Whether files' names hold versions and digests.
    #[serde(default)]
    pub consistent_snapshot: bool,
    /// Keys by id.
    pub keys: BTreeMap<String, Key>,
    /// Who signs for which role.
    pub roles: BTreeMap<String, RoleKeys>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Who signs for a role.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RoleKeys {
    /// Ids of keys.
    pub keyids: Vec<String>,
    /// How many of them must sign.
    pub threshold: u32,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The timestamp (section 4.6).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Timestamp {
    /// Counts up from 1.
    pub version: u64,
    /// When it stops to count.
    #[serde(with = "time")]
    pub expires: Time,
    /// One entry: `snapshot.json`.
    pub meta: BTreeMap<String, MetaFile>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The snapshot (section 4.4).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts up from 1.
    pub version: u64,
    /// When it stops to count.
    #[serde(with = "time")]
    pub expires: Time,
    /// All targets metadata: `targets.json` and delegated roles.
    pub meta: BTreeMap<String, MetaFile>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A metadata file as another one names it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MetaFile {
    /// Its version.
    pub version: u64,
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Its digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Hashes>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Targets, top-level or delegated (section 4.5).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Targets {
    /// Counts up from 1.
    pub version: u64,
    /// When it stops to count.
    #[serde(with = "time")]
    pub expires: Time,
    /// Target files by path.
    pub targets: BTreeMap<String, TargetFile>,
    /// Roles that may say more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegations: Option<Delegations>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A target file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TargetFile {
    /// Its length in bytes.
    pub length: u64,
    /// Its digests.
    pub hashes: Hashes,
    /// What its publisher says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Roles that may say more.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Delegations {
    /// Keys by id.
    pub keys: BTreeMap<String, Key>,
    /// In the order in which they are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<DelegatedRole>>,
    /// What else stands there. Hash bins in short form (TAP 15) are no part of the specification.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A role that may say more about some paths.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DelegatedRole {
    /// Its name.
    pub name: String,
    /// Ids of keys.
    pub keyids: Vec<String>,
    /// How many of them must sign.
    pub threshold: u32,
    /// Whether the search ends with it.
    #[serde(default)]
    pub terminating: bool,
    /// Patterns of paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// First digits of the paths' SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hash_prefixes: Option<Vec<String>>,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

signed!(Root, Role::Root);
signed!(Timestamp, Role::Timestamp);
signed!(Snapshot, Role::Snapshot);
signed!(Targets, Role::Targets);

impl Root {
    /// Who signs for a role. A root that was parsed has every role.
    pub fn role(&self, role: Role) -> &RoleKeys {
        &self.roles[role.name()]
    }

    fn is_sound(&self) -> Result<(), String> {
        for role in Role::ALL {
            let keys = self.roles.get(role.name()).ok_or(format!("it names no keys for {role}"))?;
            above_zero(keys.threshold, role.name())?;
        }
        Ok(())
    }
}

impl Timestamp {
    /// The snapshot that is the newest. A timestamp that was parsed names it.
    pub fn snapshot(&self) -> &MetaFile {
        &self.meta["snapshot.json"]
    }

    fn is_sound(&self) -> Result<(), String> {
        if !self.meta.contains_key("snapshot.json") {
            return Err("it does not name `snapshot.json`".to_owned());
        }
        self.meta.iter().try_for_each(sound_meta)
    }
}

impl Snapshot {
    fn is_sound(&self) -> Result<(), String> {
        if !self.meta.contains_key("targets.json") {
            return Err("it does not name `targets.json`".to_owned());
        }
        self.meta.iter().try_for_each(sound_meta)
    }
}

impl Targets {
    fn is_sound(&self) -> Result<(), String> {
        for (path, file) in &self.targets {
            if !file.hashes.are_usable() {
                return Err(format!(
                    "target `{}`: it needs a right `sha256` or `sha512`",
                    crate::path::tame(path)
                ));
            }
        }
        for role in self.delegations.iter().flat_map(|delegations| delegations.roles.iter().flatten()) {
            above_zero(role.threshold, &crate::path::tame(&role.name))?;
            if role.paths.is_some() == role.path_hash_prefixes.is_some() {
                return Err("a delegation needs either `paths` or `path_hash_prefixes`".to_owned());
            }
        }
        Ok(())
    }
}

fn above_zero(threshold: u32, role: &str) -> Result<(), String> {
    if threshold == 0 { Err(format!("the threshold of {role} is 0: it must be 1 at least")) } else { Ok(()) }
}

fn sound_meta((name, file): (&String, &MetaFile)) -> Result<(), String> {
    if file.version == 0 {
        return Err(format!("it names version 0 of `{}`: versions begin with 1", crate::path::tame(name)));
    }
    if file.hashes.as_ref().is_some_and(|hashes| !hashes.are_usable()) {
        let name = crate::path::tame(name);
        return Err(format!("the hashes of `{name}` hold no right `sha256` or `sha512`"));
    }
    Ok(())
}

/// Moments as section 4.1 has them: UTC, whole seconds.
pub(crate) mod time {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    const FORM: &str = "%Y-%m-%dT%H:%M:%SZ";

    pub(crate) fn text(time: Timestamp) -> String {
        time.strftime(FORM).to_string()
    }

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("a moment must look like `2026-01-31T12:00:00Z`"))
    }
}
