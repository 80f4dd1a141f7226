use std::collections::BTreeMap;

use super::pairs::Pair;
use super::{Change, Pairs, Shelf};
use crate::fault::Fault;
use crate::{Header, ReleaseError, row};

/// How many releases can be gone back to, besides the present one.
pub(crate) const KEPT_RELEASES: usize = 64;

impl Shelf {
    /// Goes back to a kept release, in a transaction.
    pub(crate) fn go_back(&self, release: u64) -> Result<Header, Fault> {
        let kept = self.releases()?;
        let Some(header) = self.header(release)? else {
            return Err(ReleaseError::NotKept { release, kept }.into());
        };
        let newest = self.newest()?.ok_or(Fault::Damaged("it holds no release"))?;
        let mut checksum = newest.checksum;
        for number in kept.into_iter().rev().take_while(|number| *number > release) {
            let mut pairs = Pairs::new(self, number);
            let mut back =
                || pairs.next()?.map(|(before, after)| undone(before, after.as_deref())).transpose();
            checksum = self.change(checksum, &mut back, &mut |_, _| Ok(()))?.sum.checksum;
        }
        if checksum != header.checksum {
            return Err(Fault::Damaged("the way back does not lead to the checksum of the release"));
        }
        for sql in ["DELETE FROM release WHERE number > ?1", "DELETE FROM change WHERE release > ?1"] {
            self.connection.execute(sql, [release.cast_signed()])?;
        }
        Ok(header)
    }

    /// Forgets the oldest releases that are too many, in a transaction.
    pub(crate) fn forget_old(&self) -> Result<(), Fault> {
        let kept = self.releases()?;
        let Some(oldest) = kept.len().checked_sub(KEPT_RELEASES + 1).and_then(|first| kept.get(first)) else {
            return Ok(());
        };
        self.connection.execute("DELETE FROM release WHERE number < ?1", [oldest.cast_signed()])?;
        // What made the oldest of what was before it leads nowhere any more.
        self.connection.execute("DELETE FROM change WHERE release <= ?1", [oldest.cast_signed()])?;
        Ok(())
    }

    /// What changed from one release to a later one, by keys: none if one of them is not kept, or more than `keys_max` keys
    /// changed.
    pub(crate) fn pairs_between(
        &self,
        from: u64,
        to: u64,
        keys_max: usize,
    ) -> Result<Option<BTreeMap<u64, Pair>>, Fault> {
        let kept = self.releases()?;
        if from > to || !kept.contains(&from) || !kept.contains(&to) {
            return Ok(None);
        }
        let mut all: BTreeMap<u64, Pair> = BTreeMap::new();
        for release in kept.into_iter().filter(|release| *release > from && *release <= to) {
            let mut pairs = Pairs::new(self, release);
            while let Some((before, after)) = pairs.next()? {
                let key = key_of(before.as_deref(), after.as_deref())?;
                all.entry(key).and_modify(|pair| pair.1.clone_from(&after)).or_insert((before, after));
                if all.len() > keys_max {
                    return Ok(None);
                }
            }
        }
        all.retain(|_, (before, after)| before != after);
        Ok(Some(all))
    }
}

fn undone(before: Option<Vec<u8>>, after: Option<&[u8]>) -> Result<Change, Fault> {
    let key = key_of(before.as_deref(), after)?;
    Ok(Change { key, after: before, is_new: false })
}

fn key_of(before: Option<&[u8]>, after: Option<&[u8]>) -> Result<u64, Fault> {
    let row = before.or(after).and_then(|row| row::key(row).ok());
    row.ok_or(Fault::Damaged("what a release changed has no key"))
}
