//! A breaker for each entry: an entry that matches a flood of content asks for people, and no longer acts by itself.
//!
//! Time runs in windows of its own for each entry. A window begins with the entry's first match after the window before,
//! and has a fixed length. In it so many matches act; the next one trips the breaker, and from then on the entry calls for
//! review at most. Matches go on being counted while it does. It is released a fixed time after the end of its last
//! *flooded* window, one with more matches than may act: so a flood that goes on keeps it tripped.
//!
//! Only matches that act harder than review are counted, those of tripped entries included, which would.
//!
//! The counts are this process's own, in memory: each worker counts what it judges itself, and begins at zero. What is read
//! again after a crash is counted again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hashward_core::{Action, Ground, Match};
use jiff::Timestamp;
use tracing::{info, warn};

use crate::{Conditions, EntryKey, Metrics, Tripped};

/// So many entries are counted at a time. Beyond it those that have not matched for longest are forgotten, and released if
/// they had tripped.
pub const BREAKER_ENTRIES_MAX: usize = 65_536;
/// So many are forgotten at once, so that not each new entry looks through all others.
const FORGOTTEN_ENTRIES: usize = BREAKER_ENTRIES_MAX / 8;

/// When a breaker trips, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BreakerLimits {
    /// Matches of one entry that act in one window. 0: breakers never trip.
    pub matches_max: u64,
    /// The length of a window.
    pub window: Duration,
    /// How long an entry stays tripped after the end of its last flooded window.
    pub release: Duration,
}

impl Default for BreakerLimits {
    /// 10,000 matches in an hour, released an hour after.
    fn default() -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        Self { matches_max: 10_000, window: HOUR, release: HOUR }
    }
}

impl BreakerLimits {
    /// Breakers that never trip.
    pub const OFF: Self = Self { matches_max: 0, window: Duration::ZERO, release: Duration::ZERO };
}

/// The breakers of all entries.
#[derive(Debug)]
pub(crate) struct Breakers {
    limits: BreakerLimits,
    metrics: Metrics,
    counts: Mutex<Counts>,
}

impl Breakers {
    pub(crate) fn new(limits: BreakerLimits, metrics: Metrics) -> Self {
        Self { limits, metrics, counts: Mutex::default() }
    }

    /// The conditions at `now`. Entries whose time has come are released.
    pub(crate) fn conditions(&self, now: Timestamp) -> Conditions {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let released = counts.release(now, &self.limits);
        self.tell_released(&released, &counts);
        Conditions { now, tripped: Arc::clone(&counts.tripped) }
    }

    /// Counts the matches of a verdict that was made under `conditions`. If one of them may not act any more, these are
    /// the conditions under which the verdict is to be made anew.
    pub(crate) fn count(&self, matches: &[Match], conditions: &Conditions) -> Option<Conditions> {
        let counted = |of: &&Match| of.action > Action::Review || of.ground == Ground::Breaker;
        if self.limits.matches_max == 0 || !matches.iter().any(|of| counted(&of)) {
            return None;
        }
        let now = conditions.now;
        let mut is_stopped = false;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for of in matches.iter().filter(counted) {
            let key = (of.list.id.clone(), of.entry);
            let forgotten = counts.make_room(&key);
            self.tell_released(&forgotten, &counts);
            if counts.count(&key, now, &self.limits) {
                self.tell_tripped(&key, &counts);
            }
            is_stopped |= of.action > Action::Review && counts.tripped.holds(&of.list.id, of.entry, now);
        }
        is_stopped.then(|| Conditions { now, tripped: Arc::clone(&counts.tripped) })
    }

    fn tell_tripped(&self, (list, entry): &EntryKey, counts: &Counts) {
        let BreakerLimits { matches_max, window, release } = self.limits;
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (window_ms, release_ms) = (ms(window), ms(release));
        warn!(
            %list, %entry, matches_max, window_ms, release_ms,
            "breaker tripped: the entry matched a flood, and asks for review until it is released"
        );
        self.metrics.breakers_open(counts.tripped.len());
        self.metrics.breaker_tripped(list.as_str());
    }

    fn tell_released(&self, released: &[EntryKey], counts: &Counts) {
        for (list, entry) in released {
            info!(%list, %entry, "breaker released: the entry acts again");
        }
        if !released.is_empty() {
            self.metrics.breakers_open(counts.tripped.len());
        }
    }
}

/// What is counted.
#[derive(Debug, Default)]
struct Counts {
    /// The newest window of each entry.
    windows: HashMap<EntryKey, Window>,
    /// Those among the entries of `windows` that have tripped.
    tripped: Arc<Tripped>,
    /// All matches that were counted: the clock by which an entry grows stale.
    matches: u64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    matches: u64,
    /// [`Counts::matches`] at the last match of the entry.
    last: u64,
}

impl Window {
    fn holds(&self, now: Timestamp, length: Duration) -> bool {
        // A clock that was set back to before the window begins another one.
        self.began <= now && now < later(self.began, length)
    }
}

impl Counts {
    /// Counts one match. Returns whether it trips the breaker.
    fn count(&mut self, key: &EntryKey, now: Timestamp, limits: &BreakerLimits) -> bool {
        self.matches += 1;
        let fresh = Window { began: now, matches: 0, last: 0 };
        let window = self.windows.entry(key.clone()).or_insert(fresh);
        if !window.holds(now, limits.window) {
            *window = fresh;
        }
        window.matches += 1;
        window.last = self.matches;
        if window.matches <= limits.matches_max {
            return false;
        }
        let released = later(later(window.began, limits.window), limits.release);
        // Nearly every match of a flood finds it noted already; those who hold the set keep theirs as it is.
        if self.tripped.0.get(key) == Some(&released) {
            return false;
        }
        Arc::make_mut(&mut self.tripped).0.insert(key.clone(), released).is_none()
    }

    /// Releases the entries whose time has come, and returns them.
    fn release(&mut self, now: Timestamp, limits: &BreakerLimits) -> Vec<EntryKey> {
        // No entry waits for longer than this, unless the clock was set back.
        let latest = later(later(now, limits.window), limits.release);
        self.untrip(|_, released| *released <= now || latest < *released)
    }

    /// Forgets the entries that have not matched for longest if there is no room for this one. Returns those among them
    /// that had tripped.
    fn make_room(&mut self, key: &EntryKey) -> Vec<EntryKey> {
        if self.windows.len() < BREAKER_ENTRIES_MAX || self.windows.contains_key(key) {
            return Vec::new();
        }
        let mut last: Vec<u64> = self.windows.values().map(|window| window.last).collect();
        let (_, newest_forgotten, _) = last.select_nth_unstable(FORGOTTEN_ENTRIES - 1);
        let newest_forgotten = *newest_forgotten;
        self.windows.retain(|_, window| window.last > newest_forgotten);
        let windows = std::mem::take(&mut self.windows);
        let released = self.untrip(|key, _| !windows.contains_key(key));
        self.windows = windows;
        released
    }

    fn untrip(&mut self, is_over: impl Fn(&EntryKey, &Timestamp) -> bool) -> Vec<EntryKey> {
        let over = self.tripped.0.iter().filter(|(key, released)| is_over(key, released));
        let over: Vec<EntryKey> = over.map(|(key, _)| key.clone()).collect();
        if !over.is_empty() {
            let tripped = &mut Arc::make_mut(&mut self.tripped).0;
            for key in &over {
                tripped.remove(key);
            }
        }
        over
    }
}

/// `moment` and so much more; at the end of time, that.
fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
