use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::shelf::Shelf;
use crate::stamp::Stamp;

/// A file that was offered to the line.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    /// Its path below the inbox.
    pub(super) relative: Arc<Path>,
    /// Its state when it was offered.
    pub(super) stamp: Stamp,
    /// Where it goes, by what was decided so far.
    pub(super) shelf: Shelf,
}

/// The files that were offered and are not moved away yet. Their number is bounded by what the line takes in.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    by_offset: BTreeMap<i64, Offered>,
    names: HashSet<Arc<Path>>,
}

impl InFlight {
    pub(super) fn contains(&self, relative: &Path) -> bool {
        self.names.contains(relative)
    }

    /// A file is offered under `offset`. It passes, unless something else is decided.
    pub(super) fn offer(&mut self, offset: i64, relative: PathBuf, stamp: Stamp) {
        let relative: Arc<Path> = relative.into();
        self.names.insert(Arc::clone(&relative));
        self.by_offset.insert(offset, Offered { relative, stamp, shelf: Shelf::Passed });
    }

    pub(super) fn decided(&mut self, offset: i64, to: Shelf) {
        if let Some(offered) = self.by_offset.get_mut(&offset) {
            offered.shelf = to;
        }
    }

    /// Takes out what was offered before `end`, in order. The names stay known until they are forgotten.
    pub(super) fn settled(&mut self, end: i64) -> impl Iterator<Item = Offered> + use<> {
        let later = self.by_offset.split_off(&end);
        std::mem::replace(&mut self.by_offset, later).into_values()
    }

    /// A file is where it belongs: what has its name from now on is another one.
    pub(super) fn forget(&mut self, relative: &Path) {
        self.names.remove(relative);
    }
}
