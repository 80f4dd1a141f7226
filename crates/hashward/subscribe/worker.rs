//! A running worker follows its subscriptions: one thread says when it is time to look, some others look. So a slow
//! publisher keeps nobody waiting for another one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use hashward_engine::{Health, Metrics, Part, ReleaseGauges, Stop};
use hashward_release::{Header, ReplicaReader};
use jiff::Timestamp;
use tracing::{error, info, warn};

use super::errands::Errands;
use super::follow::{Ears, Pace, follow};
use super::pull::{Pulled, PulledList, Puller};
use super::{pull, puller};
use crate::config::{Config, Subscriptions};
use crate::lists::{Waker, told};
use crate::subscriptions::Subscription;
use crate::wiring;

/// So many publishers are looked at at a time.
const LOOKS_MAX: usize = 16;

/// Starts to follow, if there is a folder for subscriptions. `waker` is told when a list changed.
pub(crate) fn start(
    config: &Config,
    (metrics, health): (&Metrics, &Health),
    waker: &Waker,
    stop: &Stop,
) -> Result<()> {
    let Subscriptions { directory, poll, announcements_topic, announced_gap, .. } = &config.subscriptions;
    let Some(directory) = directory.clone() else { return Ok(()) };
    let ears = announcements_topic.clone().map(|topic| Ears::new(wiring::kafka_options(config), topic));
    let pace = Pace { poll: *poll, announced_gap: *announced_gap };
    let worker = Worker {
        directory,
        config: config.clone(),
        puller: puller(config)?,
        metrics: metrics.clone(),
        health: health.clone(),
        waker: waker.clone(),
        told: Mutex::default(),
    };
    let looker = Arc::new(worker);
    let errands = Errands::new(LOOKS_MAX, {
        let looker = Arc::clone(&looker);
        move |name: &str| looker.look(name)
    });
    let (guard, stop) = (Guard { stop: stop.clone(), health: health.clone() }, stop.clone());
    let following = move || {
        let _guard = guard;
        follow(pace, ears, &stop, || looker.look_at_all(&errands));
    };
    let thread = thread::Builder::new().name("subscriptions".to_owned());
    thread.spawn(following).map(drop).context("starting the thread that follows subscriptions")
}

/// Releases are followed as long as this lives. If that ends unasked, the worker is not ready any more.
struct Guard {
    stop: Stop,
    health: Health,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.stop.is_requested() {
            self.health
                .not_ready(Part::Lists, "subscriptions are not followed any more: restart this worker");
        }
    }
}

struct Worker {
    directory: PathBuf,
    config: Config,
    puller: Puller,
    metrics: Metrics,
    health: Health,
    waker: Waker,
    told: Mutex<Said>,
}

/// What was told, so that it is told once, and taken back when it is over.
#[derive(Default)]
struct Said {
    /// What failed at the last look, by what it is about.
    failing: BTreeMap<String, String>,
    /// The lists whose age was told, by subscription.
    lists: BTreeMap<String, BTreeSet<String>>,
}

impl Worker {
    /// Has all publishers looked at, and forgets those that went.
    fn look_at_all(&self, errands: &Errands) {
        let names = match Subscription::names(&self.directory) {
            Ok(names) => names,
            Err(error) => return self.failed("all", &error),
        };
        self.well("all");
        self.forget_all_but(&names);
        for name in names {
            errands.run(name);
        }
    }

    /// Looks at one publisher.
    fn look(&self, name: &str) {
        let subscription = match Subscription::open(&self.directory, name) {
            Ok(subscription) => subscription,
            Err(error) => return self.failed(name, &error),
        };
        match pull(&self.config, &self.puller, &subscription) {
            Ok(pulled) => self.pulled(name, pulled),
            Err(error) => {
                self.metrics.pulled(name, "failed", None);
                self.failed(name, &error);
            }
        }
        // Also where no look succeeds: what is held grows old.
        self.tell_age(&subscription);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back what was told of subscriptions that are not there any more.
    fn forget_all_but(&self, names: &[String]) {
        let mut said = self.said();
        let gone = |name: &str| !names.iter().any(|there| there == name);
        let lists = std::mem::take(&mut said.lists);
        let (gone_lists, there): (BTreeMap<_, _>, BTreeMap<_, _>) =
            lists.into_iter().partition(|(name, _)| gone(name));
        said.lists = there;
        for list in gone_lists.values().flatten() {
            self.metrics.release_gone(list);
        }
        for name in gone_lists.keys() {
            self.metrics.subscription_gone(name);
        }
        said.failing.retain(|about, _| {
            let name = about.split(['/', ' ']).next().unwrap_or_default();
            let is_kept = name == "all" || !gone(name);
            if !is_kept {
                self.health.remark(&remark(about), None);
            }
            is_kept
        });
    }

    fn pulled(&self, name: &str, pulled: Pulled) {
        let (has_changed, version) = (pulled.has_changed(), pulled.version);
        if has_changed {
            self.waker.wake();
        }
        let about = format!("{name} timestamp");
        if pulled.is_number_reused {
            let what =
                "another timestamp came under the number of the trusted one: its online key signs for two";
            self.failed(&about, &anyhow!(what));
        } else {
            self.well(&about);
        }
        let mut all_well = true;
        for (list, pulled) in pulled.lists {
            let about = format!("{name}/{list}");
            match pulled {
                Ok(PulledList { newest, applied, .. }) => {
                    self.well(&about);
                    if !applied.is_empty() {
                        let (release, entries) = (newest.release, newest.entries);
                        info!(subscription = name, version, %list, release, entries, "release applied");
                    }
                }
                Err(error) => {
                    all_well = false;
                    self.failed(&about, &error);
                }
            }
        }
        self.well(name);
        let result = match (all_well, has_changed) {
            (false, _) => "failed",
            (true, true) => "applied",
            (true, false) => "same",
        };
        let now = Timestamp::now().as_second();
        self.metrics.pulled(name, result, all_well.then_some(seconds(now)));
    }

    /// Tells which releases are held, and which of them are stale.
    fn tell_age(&self, subscription: &Subscription) {
        let name = &subscription.name;
        let mut lists = BTreeSet::new();
        for list in subscription.taken().unwrap_or_default() {
            // What cannot be read was told by the look, or has no release yet.
            let Ok(reader) = ReplicaReader::open(&subscription.replica(&list), &self.puller.key) else {
                continue;
            };
            let is_held = subscription.is_held(&list).unwrap_or_default();
            let Header { release: number, created, expires, .. } = *reader.newest();
            let is_stale = reader.newest().is_expired_at(Timestamp::now());
            let (created_seconds, expires_seconds) =
                (seconds(created.as_second()), seconds(expires.as_second()));
            let gauges = ReleaseGauges { number, created_seconds, expires_seconds, is_stale, is_held };
            self.metrics.release_held(list.as_str(), &gauges);
            let about = format!("{name}/{list} age");
            if is_stale {
                let stale = format!(
                    "release {number} is stale since {expires:.0}, and matched on: no newer one came"
                );
                if self.tell(&about, stale) {
                    error!(subscription = name, %list, release = number, %expires, "list is stale; it is matched on");
                }
            } else {
                self.well(&about);
            }
            lists.insert(list.to_string());
        }
        self.said().lists.insert(name.clone(), lists);
    }

    /// Something failed: it is told once, and again when it changes.
    fn failed(&self, about: &str, error: &anyhow::Error) {
        let what = told(error);
        if self.tell(about, what.clone()) {
            warn!(about, error = what, "a release is not taken; the last good one stays");
        }
    }

    /// Remarks something, and says whether it is new.
    fn tell(&self, about: &str, what: String) -> bool {
        self.health.remark(&remark(about), Some(what.clone()));
        self.said().failing.insert(about.to_owned(), what.clone()) != Some(what)
    }

    fn well(&self, about: &str) {
        if self.said().failing.remove(about).is_some() {
            self.health.remark(&remark(about), None);
            info!(about, "all is well again");
        }
    }
}

/// What `/readyz` calls it.
fn remark(about: &str) -> String {
    format!("subscription {about}")
}

/// Seconds as metrics have them.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}
