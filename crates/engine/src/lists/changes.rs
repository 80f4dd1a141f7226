use std::sync::Arc;

use hashward_core::{Digest, ListId};
use hashward_index::{EntryNumber, Index, IndexError, Layered, OverlayBuilder, SealKey, SignalIndex as _};
use hashward_list::{BadLines, ListError, ListHistory, MatchableEntry, NamedHistory};

use super::builder::record;
use super::rails::StepSize;
use super::{ListIndex, ListIndexError, LoadedList, Rails};

/// What changed in lists that know their past, since an index was built.
pub struct Changes<'a> {
    /// The list folders and replicas, by the id of the list in the index. A list that is not named here has not changed.
    pub lists: &'a [NamedHistory],
    /// What the changes must pass.
    pub rails: Rails<'a>,
    /// Now, in Unix seconds: an entry that ends before goes with the change that says so.
    pub now: i64,
}

impl Changes<'_> {
    /// More changed entries than this are not laid over a base: building anew is better.
    pub const ENTRIES_MAX: u64 = 65_536;
}

/// Why changes cannot be laid over an index.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The index must be built anew: the list has another history, or too much changed.
    #[error("list {0}: too much changed since the index was built, or its history is another: build it anew")]
    BuildAnew(ListId),
    /// The new state is refused, or something cannot be read.
    #[error(transparent)]
    Failed(#[from] ListIndexError),
}

impl From<ListError> for ChangesError {
    fn from(error: ListError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<IndexError> for ChangesError {
    fn from(error: IndexError) -> Self {
        Self::Failed(error.into())
    }
}

impl ListIndex {
    /// This index's base under an overlay with all that changed since it was built. Costs as much as there are changes,
    /// whatever the size of the base.
    pub fn with_changes(&self, changes: &Changes<'_>, key: &SealKey) -> Result<Self, ChangesError> {
        let mut overlay = OverlayBuilder::new(key)?;
        let mut lists = self.lists.clone();
        let (mut added, mut withdrawn) = (0, 0);
        let is_held = |id: &ListId| self.lists.iter().any(|list| list.info.id == *id);
        if let Some((new, _)) = changes.lists.iter().find(|(id, _)| !is_held(id)) {
            return Err(ChangesError::BuildAnew(new.clone()));
        }
        for (number, list) in lists.iter_mut().enumerate() {
            let base_list = &self.base_lists[number];
            let source = changes.lists.iter().find(|(id, _)| *id == list.info.id);
            let Some((_, source)) = source else {
                if self.lists[number].state != base_list.state {
                    // What the present overlay holds of this list cannot be carried over without its source.
                    return Err(ChangesError::BuildAnew(list.info.id.clone()));
                }
                continue;
            };
            let mut laid = Laid { number, base: &self.base, overlay: &mut overlay, added: 0, withdrawn: 0 };
            let next = laid.lay(base_list, &**source, changes.rails)?;
            added += laid.added;
            withdrawn += laid.withdrawn;
            if added + withdrawn > Changes::ENTRIES_MAX {
                return Err(ChangesError::BuildAnew(list.info.id.clone()));
            }
            check_step(list, &**source, &next, changes)?;
            *list = next;
        }
        let layered = match added + withdrawn {
            0 => None,
            _ => Some(Layered::new(Arc::clone(&self.base), overlay.build()?)?),
        };
        Ok(Self {
            lists,
            base_lists: Arc::clone(&self.base_lists),
            base: Arc::clone(&self.base),
            file: self.file.clone(),
            known_good: self.known_good.clone(),
            layered,
            added,
            changes: added + withdrawn,
        })
    }
}

/// One list's changes on their way into an overlay.
struct Laid<'a> {
    number: usize,
    base: &'a Index,
    overlay: &'a mut OverlayBuilder,
    added: u64,
    withdrawn: u64,
}

impl Laid<'_> {
    /// Lays what changed since `base` over it, and returns the list as it is then.
    fn lay(
        &mut self,
        base: &LoadedList,
        source: &dyn ListHistory,
        rails: Rails<'_>,
    ) -> Result<LoadedList, ChangesError> {
        let anew = || ChangesError::BuildAnew(base.info.id.clone());
        let Some(state) = &base.state else { return Err(anew()) };
        if source.state(state.number)?.as_ref() != Some(state) {
            return Err(anew());
        }
        let mut next = LoadedList { info: Arc::new(source.info()?), ..base.clone() };
        let pairs = source.changes(state.number, None)?.ok_or_else(anew)?;
        next.state = source.state(pairs.to())?;
        for (pair, seen) in pairs.zip(1..) {
            if seen > Changes::ENTRIES_MAX {
                return Err(anew());
            }
            let (before, after) = pair?;
            if before == after {
                continue;
            }
            if let Some(before) = before {
                match self.find(&before)? {
                    Some(number) => {
                        self.overlay.withdraw(number);
                        self.withdrawn += 1;
                        next.entries = next.entries.checked_sub(1).ok_or_else(anew)?;
                    }
                    // It was held back as known good.
                    None => next.quarantined.remove(before.id),
                }
            }
            if let Some(after) = after {
                let held = match rails.known_good {
                    Some(known_good) => known_good.hold(&[&after.digests])?[0],
                    None => false,
                };
                if held {
                    next.quarantined.push(after.id);
                    continue;
                }
                let digests: Vec<Digest> = after.digests.iter().collect();
                self.overlay.add(&record(self.number, &after, after.listed_since), &digests)?;
                self.added += 1;
                next.entries += 1;
            }
        }
        if next.entries == 0 && next.quarantined.count > 0 {
            return Err(ListIndexError::AllKnownGood { list: next.info.id.clone() }.into());
        }
        if next.entries == 0 {
            let path = next.path;
            return Err(ListError::Empty { path, skipped: BadLines::default() }.into());
        }
        Ok(next)
    }

    /// The number of an entry in the base.
    fn find(&self, entry: &MatchableEntry) -> Result<Option<EntryNumber>, IndexError> {
        let Some(digest) = entry.digests.iter().next() else { return Ok(None) };
        let mut candidates = Vec::new();
        self.base.lookup(&digest, &mut |number| candidates.push(number))?;
        for number in candidates {
            let record = self.base.record(number)?;
            if record.id == entry.id && record.list as usize == self.number {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

/// Holds the step from the list's state in the generation before against the caps. An entry that ends now counts as
/// removed, and one that gets further digests as added.
fn check_step(
    before: &LoadedList,
    source: &dyn ListHistory,
    next: &LoadedList,
    changes: &Changes<'_>,
) -> Result<(), ChangesError> {
    let list = || next.info.id.clone();
    let caps = changes.rails.caps_for(&next.info.id);
    let (Some(caps), Some(from), Some(to)) = (caps, &before.state, &next.state) else {
        return Ok(());
    };
    let anew = || ChangesError::BuildAnew(list());
    if source.state(from.number)?.as_ref() != Some(from) {
        return Err(anew());
    }
    let mut step = StepSize { before: before.entries, ..StepSize::default() };
    for pair in source.changes(from.number, Some(to.number))?.ok_or_else(anew)? {
        let (before, after) = pair?;
        let counts = |entry: Option<MatchableEntry>| {
            entry.filter(|entry| entry.valid_until.is_none_or(|until| until > changes.now))
        };
        match (counts(before), counts(after)) {
            (None, Some(_)) => step.added += 1,
            (Some(_), None) => step.removed += 1,
            (Some(before), Some(after))
                if after.digests.iter().any(|new| before.digests.iter().all(|old| old != new)) =>
            {
                step.added += 1;
            }
            _ => {}
        }
    }
    caps.check(step).map_err(|refusal| ListIndexError::Refused { list: list(), refusal }.into())
}
