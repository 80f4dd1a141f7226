use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// How many ids are remembered.
pub(super) const IDS_MAX: usize = 65_536;

/// The ids written last. Kept as 128 bits under a key of this process, so that memory does not grow with
/// their length and nobody can make up two ids that look alike here.
#[derive(Default)]
pub(super) struct Recent {
    keys: [RandomState; 2],
    known: HashSet<u128>,
    order: VecDeque<u128>,
}

impl Recent {
    /// Remembers an id, and forgets the oldest if there are too many. Whether it was not known.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(id)));
        let id = high << 64 | low;
        if !self.known.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_ones_only() {
        let mut recent = Recent::default();
        assert!(recent.insert("first") && !recent.insert("first"));
        (1..IDS_MAX).for_each(|i| assert!(recent.insert(&i.to_string())));
        assert!(!recent.insert("first"));
        assert!(recent.insert("one more"));
        assert!(recent.insert("first"));
        assert_eq!((recent.known.len(), recent.order.len()), (IDS_MAX, IDS_MAX));
    }
}
