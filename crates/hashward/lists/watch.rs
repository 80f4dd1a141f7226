//! Watches the lists, and swaps generation after generation in while content flows.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashward_engine::{Live, Snapshot, Stop};

use super::loader::{Loader, Renewed, Sight};

/// How often the wish to stop is looked for.
const TICK: Duration = Duration::from_millis(20);
/// After how long a list that could not be loaded is tried again, though it looks the same: the fault may have been
/// elsewhere.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Makes the watcher look at once: for whoever knows that a list changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waker(Arc<(Mutex<bool>, Condvar)>);

impl Waker {
    /// Wakes the watcher, or has it look again when it is done with what it is at.
    pub(crate) fn wake(&self) {
        let (asked, bell) = &*self.0;
        *asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        bell.notify_one();
    }

    /// Waits until `end`, or until it is woken or stopped. Says whether to go on.
    pub(crate) fn wait(&self, end: Instant, stop: &Stop) -> bool {
        let (asked, bell) = &*self.0;
        let mut woken = asked.lock().unwrap_or_else(PoisonError::into_inner);
        while !stop.is_requested() {
            let left = end.saturating_duration_since(Instant::now());
            if std::mem::take(&mut *woken) || left.is_zero() {
                return true;
            }
            woken = bell.wait_timeout(woken, left.min(TICK)).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

/// What the watcher tells.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    /// A generation went live.
    Swapped(&'a Snapshot),
    /// What the lists say now is not taken, and the present generation stays.
    Kept(&'a anyhow::Error),
    /// Changes could not be folded into the index, and stay laid over it.
    Unfolded(&'a anyhow::Error),
}

/// Watches until it is stopped: now and then, and at once when `waker` says so. `tell` hears of each swap and each failure, with the loader that made it.
pub(crate) fn watch(
    loader: &mut Loader,
    live: &Live,
    (every, fold_after): (Duration, Duration),
    (waker, stop): (&Waker, &Stop),
    tell: &mut dyn FnMut(&mut Loader, Told<'_>),
) {
    let mut sight = Sight::default();
    let mut failed: Option<(Sight, Instant)> = None;
    let mut fold_at: Option<Instant> = None;
    while waker.wait(Instant::now() + every, stop) {
        let renewed = match loader.has_changed(&mut sight) {
            Ok(false) => Ok(Renewed::Same),
            Ok(true)
                if failed.as_ref().is_some_and(|(seen, at)| *seen == sight && at.elapsed() < RETRY_AFTER) =>
            {
                Ok(Renewed::Same)
            }
            Ok(true) => loader.next(&live.load()),
            Err(error) => Err(error),
        };
        match renewed {
            Ok(Renewed::Next(next)) => {
                failed = None;
                fold_at = match loader.changes() {
                    0 => None,
                    _ if loader.should_fold() => Some(Instant::now()),
                    _ => fold_at.or(Some(Instant::now() + fold_after)),
                };
                swap(loader, live, &next, tell);
            }
            Ok(Renewed::Same | Renewed::ChangedMeanwhile) => {}
            Err(error) => {
                let is_new = failed.as_ref().is_none_or(|(seen, _)| *seen != sight);
                failed = Some((sight.clone(), Instant::now()));
                if is_new {
                    tell(loader, Told::Kept(&error));
                }
            }
        }
        if fold_at.is_some_and(|at| at <= Instant::now()) {
            fold_at = None;
            match loader.fold() {
                Ok(Some(next)) => swap(loader, live, &next, tell),
                Ok(None) => {}
                Err(error) => {
                    fold_at = Some(Instant::now() + fold_after.max(RETRY_AFTER));
                    tell(loader, Told::Unfolded(&error));
                }
            }
        }
    }
}

fn swap(loader: &mut Loader, live: &Live, next: &Arc<Snapshot>, tell: &mut dyn FnMut(&mut Loader, Told<'_>)) {
    live.swap(next);
    tell(loader, Told::Swapped(next));
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_waits_is_woken_or_stopped() {
        let (waker, stop) = (Waker::default(), Stop::default());
        let never = || Instant::now() + Duration::from_hours(1);
        // Before it waits, and while it does.
        waker.wake();
        assert!(waker.wait(never(), &stop));
        let other = waker.clone();
        let waking = thread::spawn(move || other.wake());
        assert!(waker.wait(never(), &stop));
        waking.join().unwrap();
        assert!(waker.wait(Instant::now(), &stop), "the time is over");
        stop.request();
        assert!(!waker.wait(never(), &stop));
    }
}
