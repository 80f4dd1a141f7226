//! Shares of rollout that name no loaded list: the list that was meant would act as a whole.

use hashward_engine::{Rollout, Snapshot};

use crate::config::Finding;
use crate::nearest::nearest;

/// Each share whose list is not loaded.
pub(crate) fn strangers(rollout: &Rollout, snapshot: &Snapshot) -> Vec<Finding> {
    let loaded: Vec<&str> = snapshot.lists().iter().map(|list| list.info.id.as_str()).collect();
    let strangers = rollout.lists().filter(|list| !loaded.contains(&list.as_str()));
    let found = strangers.map(|list| {
        let near = nearest(list.as_str(), loaded.iter().copied());
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let key = format!("guard.rollout_percent.{list}");
        Finding::of(&key, format_args!("no loaded list has this id, but {}{near}", loaded.join(", ")))
    });
    found.collect()
}
