//! When a worker looks for new releases: by its own clock, and at once when one is announced.

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use hashward_engine::Stop;
use hashward_kafka::{Announcements, KafkaOptions};
use tracing::{info, warn};

/// How often the wish to stop is looked for.
const TICK: Duration = Duration::from_millis(20);
/// How long each answer of the brokers is waited for.
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long announcements that cannot be heard are listened for again.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// So many announcements are taken for one.
const ANNOUNCEMENTS_MAX: usize = 10_000;

/// How often is looked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The time between two looks, about.
    pub(crate) poll: Duration,
    /// The shortest time between a look and one because of an announcement.
    pub(crate) announced_gap: Duration,
}

/// Looks at once, and then again and again until it is stopped.
pub(crate) fn follow(pace: Pace, mut ears: Option<Ears>, stop: &Stop, mut look: impl FnMut()) {
    while !stop.is_requested() {
        // Before the look: what is announced while it lasts leads to another.
        if let Some(ears) = &mut ears {
            ears.listen();
        }
        look();
        wait(pace, ears.as_mut(), stop);
    }
}

/// Waits until it is time for the next look.
fn wait(pace: Pace, mut ears: Option<&mut Ears>, stop: &Stop) {
    let looked = Instant::now();
    let due = looked + jittered(pace.poll, random());
    let mut was_announced = false;
    while !stop.is_requested() {
        let now = Instant::now();
        let is_announced = was_announced && now >= looked + pace.announced_gap;
        if is_announced || now >= due {
            return;
        }
        let left = TICK.min(due - now);
        match &mut ears {
            Some(ears) if !was_announced => was_announced = ears.hear(left),
            _ => thread::sleep(left),
        }
    }
}

/// `time`, a random quarter more or less.
fn jittered(time: Duration, random: u64) -> Duration {
    // 0 to 0.5, in steps of 2^-32.
    let share = f64::from(u32::try_from(random >> 32).expect("32 bits")) / f64::from(u32::MAX) / 2.0;
    time.mul_f64(0.75 + share)
}

/// Differs from process to process and from call to call, which is all that is asked of it.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// Hears announcements. Losing the brokers only means to be told later: looks by the clock go on.
pub(crate) struct Ears {
    options: KafkaOptions,
    topic: String,
    listening: Option<Announcements>,
    again_at: Instant,
}

impl Ears {
    /// Does not listen yet.
    pub(crate) fn new(options: KafkaOptions, topic: String) -> Self {
        Self { options, topic, listening: None, again_at: Instant::now() }
    }

    /// Listens from now on, if it can and did not before.
    fn listen(&mut self) -> bool {
        if self.listening.is_some() || Instant::now() < self.again_at {
            return false;
        }
        match Announcements::listen(&self.options, &self.topic, BROKER_TIMEOUT) {
            Ok(listening) => self.listening = Some(listening),
            Err(error) => {
                self.again_at = Instant::now() + LISTEN_AGAIN_AFTER;
                warn!(topic = self.topic, %error, "announcements of releases are not heard");
            }
        }
        self.listening.is_some()
    }

    /// Waits for an announcement for `time`, and says whether there may have been one.
    fn hear(&mut self, time: Duration) -> bool {
        let Some(listening) = &self.listening else {
            if self.listen() {
                // Something may have been announced before that.
                return true;
            }
            thread::sleep(time);
            return false;
        };
        match listening.next(time) {
            Ok(Some(announcement)) => {
                info!(version = announcement.version, "a release is announced");
                // One look is enough for all that is announced before it.
                let more = (0..ANNOUNCEMENTS_MAX)
                    .take_while(|_| matches!(listening.next(Duration::ZERO), Ok(Some(_))));
                let more = more.count();
                if more > 0 {
                    info!(more, "more releases are announced");
                }
                true
            }
            Ok(None) => false,
            Err(error) => {
                warn!(topic = self.topic, %error, "announcements of releases are not heard");
                self.listening = None;
                self.again_at = Instant::now() + LISTEN_AGAIN_AFTER;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_spread() {
        let time = Duration::from_mins(1);
        assert_eq!(jittered(time, 0), Duration::from_secs(45));
        assert_eq!(jittered(time, u64::MAX), Duration::from_secs(75));
        assert_ne!(random(), random());
    }

    #[test]
    fn the_first_look_is_at_once_and_a_stop_ends_it() {
        let stop = Stop::default();
        let mut looks = 0;
        let pace = Pace { poll: Duration::from_millis(1), announced_gap: Duration::from_millis(1) };
        follow(pace, None, &stop, || {
            looks += 1;
            if looks == 3 {
                stop.request();
            }
        });
        assert_eq!(looks, 3);
    }
}
