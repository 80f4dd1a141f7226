//! Tells the operator of the lists of a running worker.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use hashward_engine::{ListIndexError, Metrics, Rollout, Snapshot};
use tracing::{error, info, warn};

use super::kept::Held;
use super::{Loader, Told, told as told_error};
use crate::shares;

/// Tells the operator of the lists, in the log and in metrics.
pub(crate) struct Teller {
    metrics: Metrics,
    rollout: Rollout,
    /// The lists that metrics name.
    listed: BTreeSet<String>,
}

impl Teller {
    /// Nothing was told yet.
    pub(crate) fn new(metrics: Metrics, rollout: Rollout) -> Self {
        Self { metrics, rollout, listed: BTreeSet::new() }
    }

    /// Tells of a swap or a failure.
    pub(crate) fn told(&mut self, loader: &mut Loader, told: Told<'_>) {
        for warning in loader.take_warnings() {
            warn!("{warning}");
        }
        self.metrics.lists_held(loader.held().is_some());
        match told {
            Told::Swapped(snapshot) => self.swapped(loader, snapshot),
            Told::Unfolded(error) => {
                error!(error = told_error(error), "changes of the lists stay laid over the index");
            }
            Told::Kept(error) => {
                let refusal = error.downcast_ref::<ListIndexError>().and_then(ListIndexError::refusal);
                if let Some(refusal) = refusal {
                    self.metrics.guard_refused(refusal.word());
                }
                self.metrics.lists_renewed(if refusal.is_some() { "refused" } else { "failed" });
                error!(
                    error = told_error(error),
                    "the lists are not taken as they are now; the last good generation stays"
                );
            }
        }
    }

    fn swapped(&mut self, loader: &Loader, snapshot: &Snapshot) {
        self.metrics.lists_renewed("applied");
        let now: BTreeSet<String> = snapshot.lists().iter().map(|list| list.info.id.to_string()).collect();
        self.listed.difference(&now).for_each(|gone| self.metrics.list_gone(gone));
        let first_seen: BTreeSet<String> = now.difference(&self.listed).cloned().collect();
        for list in snapshot.lists() {
            let (id, entries, skipped_lines) = (list.info.id.as_str(), list.entries, list.skipped_lines);
            let held_back = list.quarantined.count;
            self.metrics.list_loaded(id, entries, skipped_lines, held_back);
            if first_seen.contains(id) {
                let (action, path) = (list.info.action, list.path.display());
                info!(list = id, entries, skipped_lines, held_back, %action, %path, "list loaded");
            }
        }
        if self.listed != now {
            for stranger in shares::strangers(&self.rollout, snapshot) {
                warn!("{stranger}");
            }
        }
        self.listed = now;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.metrics.snapshot_live(snapshot.generation(), now.as_secs_f64());
        self.metrics.lists_laid_over(loader.changes());
        let (generation, changes) = (snapshot.generation().0, loader.changes());
        let entries: u64 = snapshot.lists().iter().map(|list| list.entries).sum();
        if let Some(Held { generation: kept_generation, who, why, .. }) = loader.held() {
            warn!(
                generation,
                entries,
                kept_generation,
                who,
                why,
                "lists held at a kept generation; they are not followed until `generations resume`"
            );
        } else {
            info!(generation, entries, changes, "lists live");
        }
    }
}
