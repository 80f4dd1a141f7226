//! The progress bar of what takes its time, on standard error, and only if that is a terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar, or nothing at all.
pub(crate) struct Progress(Option<ProgressBar>);

const COUNTING: &str =
    "{spinner} {bytes} read, {binary_bytes_per_sec}, counting: {total_bytes} so far [{elapsed}]";
const STEPS: &str = "{wide_bar} {pos}/{len} {msg}";
const KNOWN: &str = "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} ETA {eta}";

impl Progress {
    /// Starts a bar over bytes that are counted yet, if there is somebody to see it.
    pub(crate) fn start() -> Self {
        Self::shown(0, COUNTING)
    }

    /// Starts a bar over so many steps, if there is somebody to see it.
    pub(crate) fn of_steps(steps: u64) -> Self {
        Self::shown(steps, STEPS)
    }

    fn shown(length: u64, template: &str) -> Self {
        if !stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style(template));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// Says what is done.
    pub(crate) fn message(&self, what: &str) {
        self.0.iter().for_each(|bar| bar.set_message(what.to_owned()));
    }

    /// One step more begins, in which this is done.
    pub(crate) fn step(&self, what: &str) {
        self.message(what);
        self.0.iter().for_each(|bar| bar.inc(1));
    }

    /// Whether there is a bar.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// So many bytes more are to be read.
    pub(crate) fn add_total(&self, bytes: u64) {
        self.0.iter().for_each(|bar| bar.inc_length(bytes));
    }

    /// There is no more than what was told.
    pub(crate) fn total_known(&self) {
        self.0.iter().for_each(|bar| bar.set_style(style(KNOWN)));
    }

    /// So many bytes more were read.
    pub(crate) fn read(&self, bytes: u64) {
        self.0.iter().for_each(|bar| bar.inc(bytes));
    }

    /// Takes the bar away while `tell` writes lines.
    pub(crate) fn suspend<T>(&self, tell: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    /// Takes the bar away for good.
    pub(crate) fn finish(&self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}
