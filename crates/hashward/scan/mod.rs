//! `scan`: looks through files and directory trees once.
//!
//! One thread walks and numbers what it finds, the digesting threads take from it, and this thread puts the
//! results back into the order of the walk. Between them stand a channel and a window of fixed length.

mod batch;
mod reorder;
mod report;
mod work;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use hashward_engine::{Conditions, Snapshot};
use jiff::Timestamp;
use rayon::ThreadPoolBuilder;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::{Output, Style, tame};
use crate::progress::Progress;
use crate::{lists, shares};
use batch::{Basis, Batcher, Numbered, take};
use reorder::{Reorder, Window};
use report::Totals;
use work::Outcome;

/// How far the walk may be ahead of what is told. Almost all of what waits is one number a file.
const WINDOW: u64 = 16_384;
/// Paths that wait for a digesting thread.
const QUEUE: usize = 1024;

/// Scans `paths`.
pub(crate) fn scan(config: &Config, paths: &[PathBuf], style: Style) -> Result<Exit> {
    let loaded = lists::load(config)?;
    loaded.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    for stranger in shares::strangers(&config.policy.rollout, &loaded.snapshot) {
        eprintln!("{stranger}");
    }
    let started = Instant::now();
    let progress = Progress::start();
    let mut output = Output::stdout(style.color);
    let line = Line {
        config,
        snapshot: &loaded.snapshot,
        // One moment for all, so that no two files are judged by different entries. Nothing floods a scan: it acts on
        // nothing, and tells the same file as often as it is there.
        conditions: Conditions::at(Timestamp::now()),
        window: Window::new(WINDOW),
        cancelled: AtomicBool::new(false),
        progress: &progress,
    };
    let totals = line.run(paths, |outcome| match outcome {
        Outcome::Matched(found) => progress.suspend(|| {
            report::matched(&mut output, style.json, found)?;
            Ok(!output.is_closed())
        }),
        Outcome::Unreadable(unreadable) => {
            let (path, reason) = &**unreadable;
            progress.suspend(|| eprintln!("hashward: {}: {reason}", tame(&path.to_string_lossy())));
            Ok(true)
        }
        Outcome::Clean { .. } | Outcome::NoContent => Ok(true),
    })?;
    progress.finish();
    let took = started.elapsed();
    if style.json {
        output.json(&report::summary(&totals, took))?;
    } else {
        eprintln!("{}", report::summary_text(&totals, took));
    }
    Ok(totals.exit())
}

/// The line of one scan.
struct Line<'a> {
    config: &'a Config,
    snapshot: &'a Snapshot,
    conditions: Conditions,
    window: Window,
    /// Nobody wants to know more.
    cancelled: AtomicBool,
    progress: &'a Progress,
}

impl Line<'_> {
    /// Runs everything. `tell` gets each outcome in order, and says whether to go on.
    fn run(&self, paths: &[PathBuf], mut tell: impl FnMut(&Outcome) -> Result<bool>) -> Result<Totals> {
        let threads = self.config.line.digest_threads;
        let pool =
            ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("digest-{i}")).build();
        let pool = pool.context("starting the digesting threads")?;
        let (to_digest, items) = sync_channel::<Numbered>(QUEUE);
        let (to_tell, outcomes) = sync_channel::<(u64, Outcome)>(QUEUE);
        let items = Mutex::new(items);
        thread::scope(|scope| {
            if self.progress.is_shown() {
                scope.spawn(|| self.count(paths));
            }
            // The walk owns its end of the channel, so that the digesting threads see when it is done.
            scope.spawn(move || self.walk(paths, &{ to_digest }));
            let (items, pool) = (&items, &pool);
            scope.spawn(move || pool.broadcast(|_| self.digest(items, &to_tell.clone())));
            let told = self.tell_in_order(&outcomes, &mut tell);
            // Whatever still runs has nobody to work for.
            self.cancelled.store(true, Ordering::Relaxed);
            self.window.open();
            for _ in &outcomes {}
            told
        })
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Adds up what there is to do, for the progress bar. It remembers nothing else.
    fn count(&self, paths: &[PathBuf]) {
        for (_, bytes) in work::items(paths) {
            if self.is_cancelled() {
                return;
            }
            self.progress.add_total(bytes);
        }
        self.progress.total_known();
    }

    fn walk(&self, paths: &[PathBuf], to_digest: &SyncSender<Numbered>) {
        for (number, (item, bytes)) in (0_u64..).zip(work::items(paths)) {
            self.window.wait_for(number);
            if self.is_cancelled() || to_digest.send((number, item, bytes)).is_err() {
                return;
            }
        }
    }

    fn digest(&self, items: &Mutex<Receiver<Numbered>>, to_tell: &SyncSender<(u64, Outcome)>) {
        let line = &self.config.line;
        let read = |bytes| self.progress.read(bytes);
        let (snapshot, policy) = (self.snapshot, &self.config.policy);
        let basis = Basis { snapshot, policy, conditions: &self.conditions };
        let mut batcher = Batcher::new(basis, line.content_bytes_max, line.read_buffer_bytes, &read);
        loop {
            let taken = {
                let items = items.lock().unwrap_or_else(PoisonError::into_inner);
                let Ok(first) = items.recv() else { return };
                take(first, || items.try_recv().ok())
            };
            if self.is_cancelled() {
                // Keep taking until the walk has ended, so that it never waits for room.
                continue;
            }
            let mut is_heard = true;
            batcher.judge(taken, &mut |number, outcome| is_heard &= to_tell.send((number, outcome)).is_ok());
            if !is_heard {
                return;
            }
        }
    }

    fn tell_in_order(
        &self,
        outcomes: &Receiver<(u64, Outcome)>,
        tell: &mut impl FnMut(&Outcome) -> Result<bool>,
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        let mut reorder = Reorder::default();
        for (number, outcome) in outcomes {
            reorder.put(number, outcome);
            while let Some(outcome) = reorder.pop() {
                totals.add(&outcome);
                if !tell(&outcome)? {
                    return Ok(totals);
                }
            }
            self.window.move_to(reorder.next());
        }
        Ok(totals)
    }
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Clean { bytes } => {
                self.contents += 1;
                self.bytes += bytes;
            }
            Outcome::Matched(found) => {
                self.contents += 1;
                self.bytes += found.bytes;
                self.matched += 1;
            }
            Outcome::Unreadable(_) => self.unreadable += 1,
            Outcome::NoContent => self.no_content += 1,
        }
    }
}
