use crate::seal::{Asked, BATCH};
use crate::{EntryNumber, Index, IndexError};

impl Index {
    /// Calls `found` with each entry that has a digest which `other` holds too, as often as it has one. Neither's digests
    /// are needed: both must be sealed under one key.
    pub fn shared_with(&self, other: &Self, found: &mut dyn FnMut(EntryNumber)) -> Result<(), IndexError> {
        if self.key_check() != other.key_check() {
            return Err(IndexError::KeysDiffer);
        }
        let mut asked = [Asked::default(); BATCH];
        let mut entries = [EntryNumber(0); BATCH];
        let mut row = 0;
        while row < self.rows() {
            let mut count = 0;
            while count < BATCH && row < self.rows() {
                let (seal, entry) = self.row(row)?;
                asked[count] = Asked { seal, place: count };
                entries[count] = entry;
                count += 1;
                row += 1;
            }
            // One seal may lead to several entries of the other: that changes nothing here.
            let mut last = None;
            other.lookup_seals(&asked[..count], &mut |place, _| {
                if last.replace(place) != Some(place) {
                    found(entries[place]);
                }
            })?;
        }
        Ok(())
    }
}
