//! What the service manager is told, as `sd_notify(3)` describes it: ready, stopping, how things stand, and that the
//! worker still lives. Where no manager listens, nothing is sent.

use std::env;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hashward_engine::{Health, Part, Stop};
use sd_notify::NotifyState;
use tracing::warn;

/// The variable that names the manager's socket.
const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";
/// How often the worker is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long the end of the process waits for the last word to be sent.
const LAST_WORD_MAX: Duration = Duration::from_millis(500);
/// The longest status, in characters. It stands in one line of `systemctl status`.
const STATUS_CHARS_MAX: usize = 200;

/// The manager is told as long as this lives. Dropped, it says that the worker stops, if nobody said so before.
#[derive(Debug)]
pub(crate) struct Notifying {
    alive: Option<Sender<()>>,
    said: Receiver<()>,
}

impl Drop for Notifying {
    fn drop(&mut self) {
        drop(self.alive.take());
        // A manager that reads nothing must not keep the process.
        let (Ok(()) | Err(_)) = self.said.recv_timeout(LAST_WORD_MAX);
    }
}

/// Starts the thread that tells the manager, if one listens.
pub(crate) fn start(stop: &Stop, health: &Health) -> Result<Option<Notifying>> {
    if env::var_os(SOCKET_VARIABLE).is_none_or(|socket| socket.is_empty()) {
        return Ok(None);
    }
    let mut manager = Manager {
        stop: stop.clone(),
        health: health.clone(),
        watchdog: sd_notify::watchdog_enabled(),
        ready: false,
        stopping: false,
        status: String::new(),
        pinged: None,
        failing: false,
    };
    let (alive, end) = channel::<()>();
    let (tell_said, said) = channel();
    let body = move || {
        while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            manager.tell(Instant::now());
        }
        // The line has ended, whoever wished it.
        manager.stop.request();
        manager.tell(Instant::now());
        drop(tell_said);
    };
    thread::Builder::new().name("notify".to_owned()).spawn(body).context("starting the notifying thread")?;
    Ok(Some(Notifying { alive: Some(alive), said }))
}

/// What the manager knows, so that it is told what is new.
struct Manager {
    stop: Stop,
    health: Health,
    /// How long the manager waits for a sign of life, if it wants any.
    watchdog: Option<Duration>,
    ready: bool,
    stopping: bool,
    status: String,
    pinged: Option<Instant>,
    failing: bool,
}

impl Manager {
    /// Tells what is new.
    fn tell(&mut self, now: Instant) {
        let mut news = Vec::new();
        if self.stop.is_requested() {
            if !self.stopping {
                self.stopping = true;
                news.push(NotifyState::Stopping);
            }
        } else if !self.ready && self.health.is_ready() {
            self.ready = true;
            news.push(NotifyState::Ready);
        }
        if self.owes_sign_of_life(now) {
            self.pinged = Some(now);
            news.push(NotifyState::Watchdog);
        }
        let status = status(&self.health, self.stopping);
        if status != self.status {
            self.status = status;
            news.push(NotifyState::Status(&self.status));
        }
        if news.is_empty() {
            return;
        }
        let sent = sd_notify::notify(&news);
        if let Err(error) = &sent
            && !self.failing
        {
            warn!(%error, "the service manager cannot be told how the worker is");
        }
        self.failing = sent.is_err();
    }

    /// Twice in each of the manager's periods, and only while the reading thread goes round: it does so whether there
    /// is content or not, and also while the line is full. A stop has limits of its own.
    fn owes_sign_of_life(&self, now: Instant) -> bool {
        let Some(period) = self.watchdog else { return false };
        let due = self.pinged.is_none_or(|pinged| now.duration_since(pinged) >= period / 2);
        let hangs = |heard| now.saturating_duration_since(heard) >= period;
        self.ready && due && (self.stopping || !self.health.heard(Part::Source).is_some_and(hangs))
    }
}

/// How things stand, in one line.
fn status(health: &Health, stopping: bool) -> String {
    if stopping {
        return "stopping: finishing what is in flight".to_owned();
    }
    let unwell = health.parts().into_iter().find_map(|(part, state)| Some((part, state.err()?)));
    match unwell {
        None => "ready".to_owned(),
        Some((part, why)) => one_line(&format!("not ready: {part}: {why}")),
    }
}

/// A line break would begin another message to the manager.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(STATUS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(health: &Health, watchdog: Duration) -> Manager {
        Manager {
            stop: Stop::default(),
            health: health.clone(),
            watchdog: Some(watchdog),
            ready: true,
            stopping: false,
            status: String::new(),
            pinged: None,
            failing: false,
        }
    }

    #[test]
    fn a_reading_thread_that_hangs_gets_no_sign_of_life() {
        let (health, period) = (Health::default(), Duration::from_secs(10));
        health.ready(Part::Source);
        let heard = health.heard(Part::Source).expect("there is a source");
        let mut manager = manager(&health, period);
        assert!(manager.owes_sign_of_life(heard + period / 2));
        assert!(!manager.owes_sign_of_life(heard + period));
        manager.stopping = true;
        assert!(manager.owes_sign_of_life(heard + period), "a stop has limits of its own");
    }

    #[test]
    fn signs_of_life_come_twice_in_a_period_and_not_before_the_worker_is_ready() {
        let (health, period) = (Health::default(), Duration::from_secs(10));
        health.ready(Part::Source);
        let heard = health.heard(Part::Source).expect("there is a source");
        let mut manager = manager(&health, period);
        manager.pinged = Some(heard);
        assert!(!manager.owes_sign_of_life(heard + period / 3));
        assert!(manager.owes_sign_of_life(heard + period / 2));
        manager.ready = false;
        assert!(!manager.owes_sign_of_life(heard + period / 2));
    }

    #[test]
    fn a_status_is_one_short_line() {
        let health = Health::default();
        for part in [Part::Lists, Part::Delivery] {
            health.ready(part);
        }
        health.not_ready(Part::Source, format!("no broker\nMAINPID=1\n{}", "x".repeat(1000)));
        let said = status(&health, false);
        assert!(said.starts_with("not ready: source: no broker MAINPID=1 xxx"), "{said}");
        assert_eq!(said.chars().count(), STATUS_CHARS_MAX);
    }
}
