use std::collections::BTreeMap;

use hashward_core::{EntryId, ListId};

/// Which share of each list's entries acts; the others are observed. A list that is not named acts as a whole.
///
/// Whether an entry is in the share is its place in a fixed order, which follows from the names of list and entry alone.
/// So every worker and every replay answers the same, content meets no coin, and a share that grows only adds entries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rollout(BTreeMap<ListId, u8>);

impl Rollout {
    /// The whole of a list, in percent.
    pub const PERCENT_MAX: u8 = 100;

    /// Whether the entry is in the share of its list.
    pub fn includes(&self, list: &ListId, entry: EntryId) -> bool {
        self.0.get(list).is_none_or(|percent| place(list, entry) < *percent)
    }

    /// The lists that have a share.
    pub fn lists(&self) -> impl Iterator<Item = &ListId> {
        self.0.keys()
    }
}

impl FromIterator<(ListId, u8)> for Rollout {
    /// Shares in percent, 0 to 100.
    ///
    /// # Panics
    ///
    /// If a share is more than the whole.
    fn from_iter<T: IntoIterator<Item = (ListId, u8)>>(shares: T) -> Self {
        let shares: BTreeMap<ListId, u8> = shares.into_iter().collect();
        assert!(shares.values().all(|percent| *percent <= Self::PERCENT_MAX), "a share is 0 to 100 percent");
        Self(shares)
    }
}

/// The entry's place in the order of rollout, 0 to 99: evenly spread, and of no key, so that it is the same everywhere.
fn place(list: &ListId, entry: EntryId) -> u8 {
    let mut hasher = blake3::Hasher::new_derive_key("hashward 2026-11 rollout of a list");
    // The entry's name has a fixed length, so that no two pairs of names look alike.
    hasher.update(&entry.0.to_le_bytes());
    hasher.update(list.as_str().as_bytes());
    let mut spread = [0; 8];
    hasher.finalize_xof().fill(&mut spread);
    let scaled = u128::from(u64::from_le_bytes(spread)) * u128::from(Rollout::PERCENT_MAX);
    u8::try_from(scaled >> 64).expect("a place is below 100")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> ListId {
        "sample".parse().unwrap()
    }

    /// The entries among the first `count` that a share includes. Their names are as alike as names can be.
    fn included(list: &ListId, percent: u8, count: u64) -> Vec<u64> {
        let rollout = Rollout::from_iter([(list.clone(), percent)]);
        (0..count).filter(|entry| rollout.includes(list, EntryId(*entry))).collect()
    }

    #[test]
    fn a_share_is_as_large_as_it_says() {
        for percent in [0, 1, 10, 25, 50, 75, 99, 100] {
            let (expected, found) = (u32::from(percent) * 1000, included(&list(), percent, 100_000).len());
            // Five standard deviations of 100,000 fair coins are 790; the names are fixed, and so is the outcome.
            assert!(found.abs_diff(expected as usize) < 790, "{percent} %: {found} of 100000");
        }
        assert_eq!(
            (included(&list(), 0, 100_000).len(), included(&list(), 100, 100_000).len()),
            (0, 100_000)
        );
    }

    #[test]
    fn a_share_that_grows_only_adds_entries() {
        let mut before = Vec::new();
        for percent in 1..=100 {
            let now = included(&list(), percent, 10_000);
            assert!(before.iter().all(|entry| now.binary_search(entry).is_ok()), "{percent} %");
            before = now;
        }
    }

    #[test]
    fn lists_are_spread_independently() {
        let other: ListId = "other".parse().unwrap();
        let (one, other) = (included(&list(), 50, 100_000), included(&other, 50, 100_000));
        let both = one.iter().filter(|entry| other.binary_search(entry).is_ok()).count();
        assert!(both.abs_diff(25_000) < 790, "{both} of 100000 are in both halves");
    }

    /// A worker of tomorrow must spread as today's does: these values are fixed.
    #[test]
    fn places_stay() {
        let places: Vec<u8> = (0..8).map(|entry| place(&list(), EntryId(entry))).collect();
        assert_eq!(places, [74, 21, 60, 5, 29, 6, 75, 15]);
    }

    #[test]
    fn a_list_without_a_share_acts_as_a_whole() {
        let rollout = Rollout::from_iter([("other".parse().unwrap(), 0)]);
        assert!((0..1000).all(|entry| rollout.includes(&list(), EntryId(entry))));
        assert!((0..1000).all(|entry| Rollout::default().includes(&list(), EntryId(entry))));
    }
}
