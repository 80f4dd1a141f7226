//! Tells the operator of the lists of a running worker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use hashward_core::ListId;
use hashward_engine::{ListIndexError, Metrics, Rollout, Snapshot};
use hashward_evidence::{Hash, Record, What};
use hashward_list::FolderState;
use jiff::Timestamp;
use tracing::{error, info, warn};

use super::kept::Held;
use super::{Loader, Told, told as told_error};
use crate::evidence::Ledger;
use crate::shares;

/// Tells the operator of the lists, in the log and in metrics.
pub(crate) struct Teller {
    metrics: Metrics,
    rollout: Rollout,
    /// The lists that metrics name.
    listed: BTreeSet<String>,
    /// Who works here, and where it is recorded that a state of a list went live.
    instance: String,
    ledger: Option<Ledger>,
    /// The states of list folders that are live.
    states: BTreeMap<ListId, FolderState>,
}

impl Teller {
    /// Nothing was told yet.
    pub(crate) fn new(metrics: Metrics, rollout: Rollout, instance: &str, ledger: Option<Ledger>) -> Self {
        let (listed, states) = (BTreeSet::new(), BTreeMap::new());
        Self { metrics, rollout, listed, instance: instance.to_owned(), ledger, states }
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
        self.record(snapshot);
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

    /// Records the lists of a new generation. A list folder in the state that was live before is as it was; of others nobody
    /// can tell.
    fn record(&mut self, snapshot: &Snapshot) {
        let Some(ledger) = &self.ledger else { return };
        let mut states = BTreeMap::new();
        let mut records = Vec::new();
        for list in snapshot.lists() {
            let id = &list.info.id;
            states.extend(list.state.clone().map(|state| (id.clone(), state)));
            if list.state.is_some() && self.states.get(id) == list.state.as_ref() {
                continue;
            }
            let what = What::ReleaseApplied {
                list: id.clone(),
                generation: snapshot.generation(),
                entries: list.entries,
                state: list.state.as_ref().map(|state| state.number),
                checksum: list.state.as_ref().and_then(|state| Hash::from_hex(&state.hash)),
            };
            records.push(Record { when: Timestamp::now(), who: self.instance.clone(), what });
        }
        self.states = states;
        ledger.push(records);
    }
}
