//! A running worker follows its subscriptions on a thread of its own.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use hashward_engine::{Health, Metrics, ReleaseGauges, Stop};
use hashward_release::{Header, ReplicaReader};
use jiff::Timestamp;
use tracing::{error, info, warn};

use super::follow::{Ears, Pace, follow};
use super::pull::{Pulled, PulledList, Puller};
use super::{pull, puller};
use crate::config::{Config, Subscriptions};
use crate::lists::{Waker, told};
use crate::subscriptions::Subscription;
use crate::wiring;

/// Starts the thread, if there is a folder for subscriptions. `waker` is told when a list changed.
pub(crate) fn start(
    config: &Config,
    (metrics, health): (&Metrics, &Health),
    waker: &Waker,
    stop: &Stop,
) -> Result<()> {
    let Subscriptions { directory, poll, announcements_topic, announced_gap, .. } = &config.subscriptions;
    if directory.is_none() {
        return Ok(());
    }
    let ears = announcements_topic.clone().map(|topic| Ears::new(wiring::kafka_options(config), topic));
    let pace = Pace { poll: *poll, announced_gap: *announced_gap };
    let mut worker = Worker {
        config: config.clone(),
        puller: puller(config)?,
        metrics: metrics.clone(),
        health: health.clone(),
        waker: waker.clone(),
        failing: BTreeMap::new(),
    };
    let stop = stop.clone();
    let following = move || follow(pace, ears, &stop, || worker.look());
    let thread = thread::Builder::new().name("subscriptions".to_owned());
    thread.spawn(following).map(drop).context("starting the thread that follows subscriptions")
}

struct Worker {
    config: Config,
    puller: Puller,
    metrics: Metrics,
    health: Health,
    waker: Waker,
    /// What failed at the last look, and was told.
    failing: BTreeMap<String, String>,
}

impl Worker {
    /// Looks at all publishers.
    fn look(&mut self) {
        let directory = self.config.subscriptions.directory.clone().unwrap_or_default();
        let subscriptions = match Subscription::all(&directory) {
            Ok(subscriptions) => subscriptions,
            Err(error) => return self.failed("subscriptions", &error),
        };
        self.well("subscriptions");
        for subscription in subscriptions {
            let name = subscription.name.clone();
            match pull(&self.config, &self.puller, &subscription) {
                Ok(pulled) => self.pulled(&name, pulled),
                Err(error) => {
                    self.metrics.pulled(&name, "failed", None);
                    self.failed(&name, &error);
                }
            }
            // Also where no look succeeds: what is held grows old.
            self.tell_age(&subscription);
        }
    }

    fn pulled(&mut self, name: &str, pulled: Pulled) {
        let (has_changed, version) = (pulled.has_changed(), pulled.version);
        if has_changed {
            self.waker.wake();
        }
        if pulled.is_number_reused {
            let what =
                "another timestamp came under the number of the trusted one: its online key signs for two";
            self.failed(&format!("{name} timestamp"), &anyhow!(what));
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
    fn tell_age(&mut self, subscription: &Subscription) {
        let name = &subscription.name;
        for list in subscription.taken().unwrap_or_default() {
            // What cannot be read was told by the look, or has no release yet.
            let Ok(reader) = ReplicaReader::open(&subscription.replica(&list), &self.puller.key) else {
                continue;
            };
            let is_held = subscription.held(&list).is_ok_and(|held| held.is_some());
            let Header { release: number, created, expires, .. } = *reader.newest();
            let is_stale = reader.newest().is_expired_at(Timestamp::now());
            let (created_seconds, expires_seconds) =
                (seconds(created.as_second()), seconds(expires.as_second()));
            let gauges = ReleaseGauges { number, created_seconds, expires_seconds, is_stale, is_held };
            self.metrics.release_held(list.as_str(), &gauges);
            let stale =
                is_stale.then(|| format!("release {number} is stale since {expires:.0}: no newer one came"));
            if let Some(stale) = &stale
                && self.failing.insert(format!("{name}/{list} age"), stale.clone()).as_ref() != Some(stale)
            {
                error!(subscription = name, %list, release = number, %expires, "list is stale; it is matched on");
            } else if stale.is_none() {
                self.failing.remove(&format!("{name}/{list} age"));
            }
            self.health.remark(&format!("list {list}"), stale);
        }
    }

    /// Something failed: it is told once, and again when it changes.
    fn failed(&mut self, about: &str, error: &anyhow::Error) {
        let what = told(error);
        self.health.remark(&format!("subscription {about}"), Some(what.clone()));
        if self.failing.insert(about.to_owned(), what.clone()).as_ref() != Some(&what) {
            warn!(about, error = what, "a release is not taken; the last good one stays");
        }
    }

    fn well(&mut self, about: &str) {
        self.health.remark(&format!("subscription {about}"), None);
        if self.failing.remove(about).is_some() {
            info!(about, "releases are taken again");
        }
    }
}

/// Seconds as metrics have them.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}
