use std::collections::BTreeMap;

use hashward_core::Algorithm;

/// How many rows and digests came and went.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) added: u64,
    pub(crate) changed: u64,
    pub(crate) withdrawn: u64,
    /// By the algorithm's number.
    came: [u64; Algorithm::ALL.len()],
    went: [u64; Algorithm::ALL.len()],
}

/// Where a row says which algorithms it has digests of.
const ALGORITHMS_PLACE: usize = 9;

impl Tally {
    pub(crate) fn take(&mut self, before: Option<&[u8]>, after: Option<&[u8]>) {
        match (before, after) {
            (None, Some(_)) => self.added += 1,
            (Some(_), None) => self.withdrawn += 1,
            (Some(_), Some(_)) => self.changed += 1,
            (None, None) => {}
        }
        count(&mut self.went, before);
        count(&mut self.came, after);
    }

    /// How many digests of each algorithm there are, of how many there were.
    pub(crate) fn digests(&self, before: &BTreeMap<Algorithm, u64>) -> BTreeMap<Algorithm, u64> {
        let now = |algorithm: &Algorithm| {
            let there = before.get(algorithm).copied().unwrap_or(0) + self.came[*algorithm as usize];
            (*algorithm, there.saturating_sub(self.went[*algorithm as usize]))
        };
        Algorithm::ALL.iter().map(now).filter(|(_, count)| *count > 0).collect()
    }
}

fn count(counts: &mut [u64; Algorithm::ALL.len()], row: Option<&[u8]>) {
    let Some(algorithms) = row.and_then(|row| row.get(ALGORITHMS_PLACE)) else { return };
    for (bit, count) in counts.iter_mut().enumerate() {
        *count += u64::from(algorithms >> bit & 1);
    }
}
