//! Errands by name on a few threads: each name one at a time, and once more if it was asked for meanwhile.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tracing::error;

/// Runs errands. Clones are one.
#[derive(Clone)]
pub(super) struct Errands(Arc<Inner>);

struct Inner {
    threads_max: usize,
    errand: Box<dyn Fn(&str) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Each name once.
    waiting: VecDeque<String>,
    /// Those that a thread is at, or was when it failed.
    under_way: BTreeSet<String>,
    /// Those that were asked for while a thread was at them.
    again: BTreeSet<String>,
    threads: usize,
}

impl Errands {
    /// At most `threads_max` at a time; threads end when nothing waits.
    pub(super) fn new(threads_max: usize, errand: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { threads_max, errand: Box::new(errand), state: Mutex::default() }))
    }

    /// Has an errand run, soon.
    pub(super) fn run(&self, name: String) {
        let mut state = self.state();
        if state.under_way.contains(&name) {
            state.again.insert(name);
            return;
        }
        if !state.waiting.contains(&name) {
            state.waiting.push_back(name);
        }
        if state.threads == self.0.threads_max {
            return;
        }
        state.threads += 1;
        drop(state);
        let errands = self.clone();
        if let Err(error) =
            thread::Builder::new().name("subscription".to_owned()).spawn(move || errands.work())
        {
            self.state().threads -= 1;
            error!(%error, "publishers are not looked at: no thread can be started");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(name) = self.next() {
            let running = Running { errands: self, name: &name };
            (self.0.errand)(&name);
            drop(running);
        }
    }

    /// The next errand; none, and the thread is counted no more.
    fn next(&self) -> Option<String> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        match &next {
            Some(name) => drop(state.under_way.insert(name.clone())),
            None => state.threads -= 1,
        }
        next
    }
}

/// An errand under way: over, when this goes, also with a thread that fails.
struct Running<'a> {
    errands: &'a Errands,
    name: &'a str,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.errands.state();
        state.under_way.remove(self.name);
        if state.again.remove(self.name) {
            state.waiting.push_back(self.name.to_owned());
        }
        if thread::panicking() {
            state.threads -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_slow_one_keeps_nobody_waiting_and_is_run_once_more() {
        let (to_slow, slow) = channel::<()>();
        let (done, all_done) = channel();
        let (slow, done) = (Mutex::new(slow), Mutex::new(done));
        let errands = Errands::new(2, move |name| {
            if name == "slow" {
                slow.lock().unwrap().recv().unwrap();
            }
            done.lock().unwrap().send(name.to_owned()).unwrap();
            assert!(name != "broken", "as it must");
        });
        let next = || all_done.recv_timeout(Duration::from_mins(1)).unwrap();
        errands.run("slow".to_owned());
        for _ in 0..3 {
            errands.run("quick".to_owned());
            assert_eq!(next(), "quick");
        }
        errands.run("broken".to_owned());
        assert_eq!(next(), "broken");
        // Once more, however often it is asked for.
        while !errands.state().under_way.contains("slow") {
            thread::yield_now();
        }
        for _ in 0..5 {
            errands.run("slow".to_owned());
        }
        to_slow.send(()).unwrap();
        to_slow.send(()).unwrap();
        assert_eq!([next(), next()], ["slow", "slow"]);
        while errands.state().threads > 0 {
            thread::yield_now();
        }
        assert!(errands.state().waiting.is_empty() && errands.state().again.is_empty());
        errands.run("quick".to_owned());
        assert_eq!(next(), "quick");
    }
}
