//! `scan`: looks through files and directory trees once.
//!
//! One thread walks and numbers what it finds, the digesting threads take groups of that, and this thread puts the
//! results back into the order of the walk. Between them stand a channel and a window of fixed length.

mod group;
mod open_files;
mod reorder;
mod report;
mod side_by_side;
mod work;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hashward_engine::{Conditions, Live, Snapshot, Stop};
use jiff::Timestamp;
use rayon::ThreadPoolBuilder;

use crate::config::Config;
use crate::cpu_time::cpu_time;
use crate::exit::Exit;
use crate::lists::{self, Keeping, Loader, Told, Waker};
use crate::output::{Output, Style, tame};
use crate::progress::Progress;
use crate::shares;
use group::{Group, Groups, Numbered, Queue};
use reorder::{Reorder, Window};
use report::{Took, Totals};
use side_by_side::{Basis, SideBySide};
use work::{Item, Outcome};

/// How far the walk may be ahead of what is told. Almost all of what waits is one number a file.
const WINDOW: u64 = 16_384;
/// Groups of items that wait for a digesting thread, and as many of results.
const QUEUE_GROUPS: usize = 16;
/// So many results are told together, unless that takes longer than [`TELL_WAIT`].
const TELL_TOGETHER: usize = 64;
const TELL_WAIT: Duration = Duration::from_millis(100);

/// Scans `paths`.
pub(crate) fn scan(config: &Config, paths: &[PathBuf], style: Style) -> Result<Exit> {
    let mut loader = Loader::new(config, Keeping::Nothing)?;
    let snapshot = loader.first()?.snapshot;
    loader.take_warnings().iter().for_each(|warning| eprintln!("{warning}"));
    for stranger in shares::strangers(&config.policy.rollout, &snapshot) {
        eprintln!("{stranger}");
    }
    let (live, stop) = (Live::new(snapshot), Stop::default());
    watch_lists(config, loader, &live, &stop)?;
    let (started, cpu_before) = (Instant::now(), cpu_time());
    let progress = Progress::start();
    let mut output = Output::stdout(style.color);
    let scan = Line {
        config,
        live,
        // One moment for all, so that no two files are judged by an entry that is valid for one of them. Nothing floods a
        // scan: it acts on nothing, and tells the same file as often as it is there.
        conditions: Conditions::at(Timestamp::now()),
        window: Window::new(WINDOW),
        cancelled: AtomicBool::new(false),
        progress: &progress,
    };
    let totals = scan.run(paths, |outcome| match outcome {
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
    stop.request();
    progress.finish();
    let took = Took { clock: started.elapsed(), cpu: cpu_time().saturating_sub(cpu_before) };
    if style.json {
        output.json(&report::summary(&totals, took))?;
    } else {
        eprintln!("{}", report::summary_text(&totals, took.clock));
    }
    Ok(totals.exit())
}

/// Starts the thread that watches the lists: a scan may take days. It may be in the middle of a build when the scan ends.
fn watch_lists(config: &Config, mut loader: Loader, live: &Live, stop: &Stop) -> Result<()> {
    let Some(every) = config.lists.watch else { return Ok(()) };
    let (times, live, stop) = ((every, config.lists.fold_after), live.clone(), stop.clone());
    let watching = move || {
        lists::watch(&mut loader, &live, times, (&Waker::default(), &stop), &mut |loader, told| {
            loader.take_warnings().iter().for_each(|warning| eprintln!("{warning}"));
            match told {
                Told::Swapped(snapshot) => {
                    eprintln!(
                        "hashward: the lists changed: generation {} from here on",
                        snapshot.generation()
                    );
                }
                Told::Kept(error) | Told::Unfolded(error) => {
                    let error = lists::told(error);
                    eprintln!("hashward: the lists changed and are not taken as they are now: {error}");
                }
            }
        });
    };
    let watcher = thread::Builder::new().name("lists".to_owned()).spawn(watching);
    watcher.map(drop).context("starting the thread that watches the lists")
}

/// The line of one scan.
struct Line<'a> {
    config: &'a Config,
    live: Live,
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
        let files_max = open_files::each(threads);
        let (to_digest, groups) = sync_channel::<Vec<Numbered>>(QUEUE_GROUPS);
        let (to_tell, outcomes) = sync_channel::<Vec<(u64, Outcome)>>(QUEUE_GROUPS);
        let groups = Groups::new(groups);
        thread::scope(|scope| {
            if self.progress.is_shown() {
                scope.spawn(|| self.count(paths));
            }
            // The walk owns its end of the channel, so that the digesting threads see when it is done.
            scope.spawn(move || self.walk(paths, &{ to_digest }));
            let (groups, pool) = (&groups, &pool);
            scope.spawn(move || pool.broadcast(|_| self.digest(groups, files_max, &to_tell.clone())));
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
        for (_, bytes) in work::items(paths, true) {
            if self.is_cancelled() {
                return;
            }
            self.progress.add_total(bytes);
        }
        self.progress.total_known();
    }

    fn walk(&self, paths: &[PathBuf], to_digest: &SyncSender<Vec<Numbered>>) {
        let mut group = Group::default();
        // Lengths decide how files are shared out. A single thread gets them all.
        let with_lengths = self.config.line.digest_threads > 1;
        for (number, (item, bytes)) in (0_u64..).zip(work::items(paths, with_lengths)) {
            self.window.wait_for(number);
            if self.is_cancelled() {
                return;
            }
            if let Some(full) = group.add((number, item, bytes))
                && to_digest.send(full).is_err()
            {
                return;
            }
        }
        // Nobody takes it only if the scan has ended, and then nobody misses it.
        let _ = to_digest.send(group.take());
    }

    /// Digests and judges groups until there are no more, by one generation of the lists after another.
    fn digest(&self, groups: &Groups, files_max: usize, to_tell: &SyncSender<Vec<(u64, Outcome)>>) {
        let mut queue = Queue::new(groups);
        let mut outbox = Outbox { to_tell, waiting: Vec::new(), sent: Instant::now(), is_closed: false };
        while !self.digest_by(&self.live.load(), &mut queue, files_max, &mut outbox) {}
    }

    /// Digests and judges by one generation, to the end or until there is a newer one. Says whether it is the end.
    fn digest_by(
        &self,
        snapshot: &Snapshot,
        queue: &mut Queue<'_>,
        files_max: usize,
        outbox: &mut Outbox<'_>,
    ) -> bool {
        let line = &self.config.line;
        let read = |bytes| self.progress.read(bytes);
        let basis = Basis { snapshot, policy: &self.config.policy, conditions: &self.conditions };
        let mut files =
            SideBySide::new(basis, line.content_bytes_max, files_max, line.read_buffer_bytes, &read);
        while !outbox.is_closed {
            if self.live.generation() != snapshot.generation() {
                // What is begun is finished by the lists that it was begun with: newer ones may ask for other digests.
                while !files.is_empty() {
                    files.step();
                }
                outbox.put(files.take_told());
                return false;
            }
            let item = if files.is_empty() {
                outbox.put(files.take_told());
                outbox.send();
                let item = queue.wait();
                if self.live.generation() != snapshot.generation() {
                    queue.give_back(item);
                    return false;
                }
                item
            } else if !files.has_room() {
                None
            } else if files.fills_lanes() {
                queue.next_within(Duration::ZERO)
            } else {
                queue.next_within(line.company_wait)
            };
            match item {
                None if files.is_empty() => return true,
                // Keep taking until the walk has ended, so that it never waits for room.
                Some(_) if self.is_cancelled() => {}
                // Its reader may be kept waiting, and nothing shall wait with it.
                Some(item @ (_, Item::Stdin, _)) => {
                    while !files.is_empty() {
                        files.step();
                    }
                    outbox.put(files.take_told());
                    outbox.send();
                    files.admit(item);
                }
                Some(item) => files.admit(item),
                None => {
                    files.step();
                    outbox.put(files.take_told());
                }
            }
        }
        true
    }

    fn tell_in_order(
        &self,
        outcomes: &Receiver<Vec<(u64, Outcome)>>,
        tell: &mut impl FnMut(&Outcome) -> Result<bool>,
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        let mut reorder = Reorder::default();
        for outcomes in outcomes {
            for (number, outcome) in outcomes {
                reorder.put(number, outcome);
            }
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

/// Results on their way from a digesting thread.
struct Outbox<'a> {
    to_tell: &'a SyncSender<Vec<(u64, Outcome)>>,
    waiting: Vec<(u64, Outcome)>,
    sent: Instant,
    /// Nobody takes any more.
    is_closed: bool,
}

impl Outbox<'_> {
    fn put(&mut self, mut outcomes: Vec<(u64, Outcome)>) {
        self.waiting.append(&mut outcomes);
        if self.waiting.len() >= TELL_TOGETHER || self.sent.elapsed() >= TELL_WAIT {
            self.send();
        }
    }

    fn send(&mut self) {
        if !self.waiting.is_empty() {
            self.is_closed = self.to_tell.send(std::mem::take(&mut self.waiting)).is_err();
        }
        self.sent = Instant::now();
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
