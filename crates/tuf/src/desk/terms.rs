//! Who signs for what, and for how long.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp as Time};
use serde_json::{Value, json};

use super::DeskError;
use crate::metadata::Root;
use crate::{Key, Role, RoleKeys};

/// The field of a root with what this program adds: keys' names, and lifetimes. It is signed with the root.
const FIELD: &str = "x-hashward";
/// The longest lifetime: ten years, in hours.
const HOURS_MAX: u32 = 24 * 366 * 10;

/// Terms of a repository, as its root states them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// For each role.
    pub roles: BTreeMap<Role, RoleTerms>,
}

/// Terms of one role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleTerms {
    /// Whose keys count, by name.
    pub keys: BTreeMap<String, Key>,
    /// How many of them must sign.
    pub threshold: u32,
    /// For how many hours a file of this role counts.
    pub hours: u32,
}

impl Terms {
    /// The usual ones: `offline` keys sign for root and targets, `threshold` of them together; one `online` key for
    /// snapshot and timestamp. A root counts for a year, targets for 90 days, a snapshot for a week, a timestamp for
    /// a day.
    pub fn usual(offline: &BTreeMap<String, Key>, threshold: u32, online: &BTreeMap<String, Key>) -> Self {
        let terms = |keys: &BTreeMap<String, Key>, threshold, hours| RoleTerms {
            keys: keys.clone(),
            threshold,
            hours,
        };
        let roles = [
            (Role::Root, terms(offline, threshold, 24 * 365)),
            (Role::Targets, terms(offline, threshold, 24 * 90)),
            (Role::Snapshot, terms(online, 1, 24 * 7)),
            (Role::Timestamp, terms(online, 1, 24)),
        ];
        Self { roles: roles.into() }
    }

    /// Refuses terms under which nothing could ever be signed, or one key would count for two.
    pub(crate) fn verify(&self) -> Result<(), DeskError> {
        for role in Role::ALL {
            let wrong = |why: &str| Err(DeskError::Terms { role, why: why.to_owned() });
            let Some(terms) = self.roles.get(&role) else { return wrong("its terms are missing") };
            let materials: std::collections::BTreeSet<_> = terms
                .keys
                .values()
                .filter_map(|key| key.verifier().map(|verifier| verifier.material().clone()))
                .collect();
            if materials.len() < terms.keys.len() {
                return wrong(
                    "a key is listed twice, or is of no known kind: each name needs a key of its own",
                );
            }
            if terms.threshold == 0 || terms.keys.len() < terms.threshold as usize {
                return wrong("its threshold must be between 1 and the number of its keys");
            }
            if terms.hours == 0 || terms.hours > HOURS_MAX {
                return wrong("a file of it must count for 1 hour at least and for ten years at most");
            }
        }
        Ok(())
    }

    /// The root that states these terms.
    pub(crate) fn root(&self, version: u64, now: Time) -> Root {
        let listed = self.roles.values().flat_map(|terms| &terms.keys);
        let names: BTreeMap<String, &String> = listed.map(|(name, key)| (key.id(), name)).collect();
        let hours: BTreeMap<&str, u32> =
            self.roles.iter().map(|(role, terms)| (role.name(), terms.hours)).collect();
        let keys = self.roles.values().flat_map(|terms| terms.keys.values());
        let of_role = |terms: &RoleTerms| RoleKeys {
            keyids: terms.keys.values().map(Key::id).collect(),
            threshold: terms.threshold,
            other: BTreeMap::new(),
        };
        Root {
            version,
            expires: self.expires(Role::Root, now),
            consistent_snapshot: true,
            keys: keys.map(|key| (key.id(), key.clone())).collect(),
            roles: self.roles.iter().map(|(role, terms)| (role.name().to_owned(), of_role(terms))).collect(),
            other: [(FIELD.to_owned(), json!({ "key_names": names, "hours": hours }))].into(),
        }
    }

    /// The terms that a root states. A root of another program states no names and no lifetimes: keys are called by
    /// the first digits of their ids, and files count as long as usual.
    pub fn of_root(root: &Root) -> Self {
        let usual = Self::usual(&BTreeMap::new(), 1, &BTreeMap::new());
        let role = |role: Role| {
            let RoleKeys { keyids, threshold, .. } = root.role(role);
            let keys = keyids.iter().filter_map(|id| Some((name_of(root, id), root.keys.get(id)?.clone())));
            let stated = field(root, "hours").and_then(|hours| hours.get(role.name())?.as_u64());
            let hours =
                stated.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(usual.roles[&role].hours);
            (role, RoleTerms { keys: keys.collect(), threshold: *threshold, hours })
        };
        Self { roles: Role::ALL.map(role).into() }
    }

    /// When a file of `role` that is made now stops to count.
    pub(crate) fn expires(&self, role: Role, now: Time) -> Time {
        let seconds = now.as_second();
        let whole = Time::from_second(seconds).unwrap_or(now);
        whole.saturating_add(SignedDuration::from_hours(self.roles[&role].hours.into())).unwrap_or(Time::MAX)
    }
}

/// The name of a key.
pub(crate) fn name_of(root: &Root, id: &str) -> String {
    let stated = field(root, "key_names").and_then(|names| names.get(id)?.as_str());
    stated.map_or_else(|| id.chars().take(12).collect(), str::to_owned)
}

fn field<'a>(root: &'a Root, name: &str) -> Option<&'a Value> {
    root.other.get(FIELD)?.get(name)
}
