//! The straight line, from source to commit, in one place.
//!
//! ```text
//! source.next_batch() ─▶ judge.judge() ─▶ delivery.deliver() ─▶ commit of the contiguous prefix
//!    reading thread        this thread       delivering thread
//! ```
//!
//! Between two threads stands a channel of a fixed number of batches. When it is full the earlier thread waits, up to
//! the source, which then holds: nothing grows without bound, and nothing is dropped.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use crate::{Batch, Delivery, Health, Judge, Judged, Metrics, Part, PortError, Source, Stop};

/// Limits of the line.
#[derive(Clone, Copy, Debug)]
pub struct LineLimits {
    /// Batches that are read ahead of the judge.
    pub prefetch_batches: usize,
    /// Judged batches that wait for delivery.
    pub undelivered_batches: usize,
    /// How long the source may stay unavailable before the line ends.
    pub unavailable_max: Duration,
    /// How long the line may take to finish what is in flight after a stop.
    pub drain: Duration,
}

/// How the line ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Everything that was read is delivered and committed.
    Drained,
    /// Time ran out: what was not delivered is not committed, and will be read again.
    DrainTimedOut,
}

/// How often a thread that has nothing to do looks at the others.
const TICK: Duration = Duration::from_millis(20);
/// How long the source is kept waiting before it is told to hold.
const HOLD_AFTER: Duration = Duration::from_millis(500);
/// How long the judge waits for a batch before it looks after itself.
const REST: Duration = Duration::from_millis(500);
/// The pause before a source that was unavailable is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// Runs the line until `stop` is requested and everything in flight is finished, or until a port cannot go on.
pub fn run(
    source: impl Source,
    judge: &Judge,
    delivery: impl Delivery,
    limits: LineLimits,
    stop: &Stop,
    metrics: &Metrics,
    health: &Health,
) -> Result<Ended, PortError> {
    let (to_judge, batches) = sync_channel::<Batch>(limits.prefetch_batches);
    let (to_delivery, judged) = sync_channel::<Judged>(limits.undelivered_batches);
    let (to_reuse, used) = sync_channel::<Batch>(limits.prefetch_batches + limits.undelivered_batches);
    health.ready(Part::Delivery);
    thread::scope(|scope| {
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let reading = named("read")
            .spawn_scoped(scope, move || {
                read(source, &to_judge, &used, limits.unavailable_max, stop, metrics, health)
            })
            .expect("a worker may have three threads");
        let delivering = named("deliver")
            .spawn_scoped(scope, move || {
                // When this thread ends, in whatever way, nothing that is read from then on could be delivered.
                let _stopping = StopAtEnd(stop);
                deliver(delivery, &judged, &to_reuse, limits.drain)
            })
            .expect("a worker may have three threads");
        loop {
            let batch = match batches.recv_timeout(REST) {
                Ok(batch) => batch,
                Err(RecvTimeoutError::Timeout) => {
                    judge.decider().rest(Timestamp::now());
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // The delivering thread is gone: its error is the reason, and told below.
            if to_delivery.send(judge.judge(batch, Timestamp::now())).is_err() {
                break;
            }
        }
        // Whoever still reads hands on to nobody, and must not wait for room.
        drop(batches);
        drop(to_delivery);
        let delivered = delivering.join().expect("the delivering thread does not panic");
        let read = reading.join().expect("the reading thread does not panic");
        delivered.and_then(|ended| read.map(|()| ended))
    })
}

/// Asks for a stop when it is dropped, after a panic too.
struct StopAtEnd<'a>(&'a Stop);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// Reads batch after batch, and hands each on as soon as there is room.
fn read(
    mut source: impl Source,
    to_judge: &SyncSender<Batch>,
    used: &Receiver<Batch>,
    unavailable_max: Duration,
    stop: &Stop,
    metrics: &Metrics,
    health: &Health,
) -> Result<(), PortError> {
    let mut unavailable_since = None;
    while !stop.is_requested() {
        let mut batch = used.try_recv().unwrap_or_default();
        match source.next_batch(&mut batch) {
            Ok(()) => unavailable_since = None,
            Err(error @ PortError::Unavailable { .. }) => {
                let since = *unavailable_since.get_or_insert_with(|| {
                    warn!(%error, "reading fails, trying again");
                    Instant::now()
                });
                if since.elapsed() >= unavailable_max {
                    return Err(error);
                }
                health.not_ready(Part::Source, error.to_string());
                thread::sleep(RETRY.min(unavailable_max));
                continue;
            }
            Err(error) => return Err(error),
        }
        tell_health(&source, health);
        if batch.records.is_empty() {
            continue;
        }
        let Some(refused) = hand_on(to_judge, batch, HOLD_AFTER) else { continue };
        metrics.source_paused(true);
        let mut waiting = refused;
        while let Some(refused) = hand_on(to_judge, waiting, Duration::ZERO) {
            waiting = refused;
            source.hold(TICK)?;
            tell_health(&source, health);
        }
        metrics.source_paused(false);
    }
    Ok(())
}

fn tell_health(source: &impl Source, health: &Health) {
    match source.health() {
        Ok(()) => health.ready(Part::Source),
        Err(why) => health.not_ready(Part::Source, why),
    }
}

/// Hands a batch on; gives it back if there was no room within `patience`. If nobody takes batches any more the line is
/// ending, and the batch is dropped: it was not committed, and will be read again.
fn hand_on(to_judge: &SyncSender<Batch>, batch: Batch, patience: Duration) -> Option<Batch> {
    let started = Instant::now();
    let mut waiting = batch;
    loop {
        match to_judge.try_send(waiting) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => return None,
            Err(TrySendError::Full(refused)) if started.elapsed() >= patience => return Some(refused),
            Err(TrySendError::Full(refused)) => waiting = refused,
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Delivers batch after batch, and finishes what is in flight when no more come.
fn deliver(
    mut delivery: impl Delivery,
    judged: &Receiver<Judged>,
    to_reuse: &SyncSender<Batch>,
    drain: Duration,
) -> Result<Ended, PortError> {
    loop {
        match judged.recv_timeout(TICK) {
            Ok(judged) => {
                delivery.deliver(&judged)?;
                let mut batch = judged.batch;
                // What was lent to the batch goes back now, and not when somebody needs a batch again.
                batch.clear();
                // A full or closed channel only means that nobody needs the buffers.
                drop(to_reuse.try_send(batch));
            }
            Err(RecvTimeoutError::Timeout) => delivery.idle(Duration::ZERO)?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let finished = delivery.drain(Instant::now() + drain)?;
    info!(finished, "line drained");
    Ok(if finished { Ended::Drained } else { Ended::DrainTimedOut })
}
