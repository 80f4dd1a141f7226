use std::sync::Arc;

use arc_swap::ArcSwap;

use hashward_core::Generation;

use crate::Snapshot;

/// The snapshot that is current, shared by those who judge and the one who swaps. Clones are the same handle.
///
/// It is one atomic pointer: nobody who loads it ever waits, and a snapshot lives until the last batch that pinned it is
/// judged.
#[derive(Clone)]
pub struct Live(Arc<ArcSwap<Snapshot>>);

impl Live {
    /// A handle on the first snapshot.
    pub fn new(first: Arc<Snapshot>) -> Self {
        Self(Arc::new(ArcSwap::new(first)))
    }

    /// The snapshot that is current now. Who holds it sees nothing of later swaps.
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// The generation that is current now.
    pub fn generation(&self) -> Generation {
        self.0.load().generation()
    }

    /// Makes `next` the current snapshot.
    ///
    /// # Panics
    ///
    /// If its generation is not above that of the current one: an alert names the lists that made it by their
    /// generation, so that no two may share one.
    pub fn swap(&self, next: &Arc<Snapshot>) {
        self.0.rcu(|current| {
            let (old, new) = (current.generation().0, next.generation().0);
            assert!(old < new, "generation {new} after generation {old}: expected a later one");
            Arc::clone(next)
        });
    }
}
