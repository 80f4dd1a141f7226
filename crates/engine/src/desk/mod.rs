//! Where providers ask about one content and wait for its verdict: what stands behind every door of the gate.
//!
//! ```text
//! Desk::open ─▶ Upload::push … ─▶ Upload::finish ─┐
//!                                                 ├─▶ verdict ─▶ alert, if any, durable ─▶ the asker's reply
//! Desk::digests ──────────────────────────────────┘   digesting thread     courier
//! ```
//!
//! Digesting threads share the uploads. Those on one thread share the lanes of one
//! [`StreamPool`](hashward_digest::StreamPool), so that many at once cost far less than each alone. An upload that has ended
//! waits a moment for others, if any are under way, and they are finished together. A verdict that asks for something
//! leaves as an alert, through the same sink and with the same id as from the line, and is durable before the asker hears
//! of it.
//!
//! Nothing here waits: who asks hands in a [`Reply`], which is called from another thread. So a door with an async runtime
//! and a program without one use it alike:
//!
//! ```
//! # use std::sync::mpsc::channel;
//! # use hashward_engine::{Desk, desk::{Answer, DeskError, Reply}};
//! # use hashward_core::Identity;
//! fn ask(desk: &Desk, identity: Identity, content: Vec<u8>) -> Result<Answer, DeskError> {
//!     let mut upload = desk.open(identity)?;
//!     upload.push(Box::new(content))?;
//!     let (answered, answer) = channel();
//!     // Whoever gave up waiting has no use for the answer.
//!     upload.finish(Reply::new(move |answer| drop(answered.send(answer))));
//!     answer.recv().expect("a reply is always given")
//! }
//! ```

mod courier;
mod reply;
mod seats;
mod thread;
mod upload;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use hashward_core::{Alert, AlertId, Decision, Digests, Generation, Identity, Verdict};
use jiff::Timestamp;
use thiserror::Error;

use self::courier::Courier;
pub use self::reply::Reply;
use self::seats::Seats;
use self::thread::{Command, DigestThread};
pub use self::upload::{PIECE_BYTES_MIN, Piece, Upload};
use crate::batch::bound_all;
use crate::tally::count;
use crate::{AlertSink, Content, Decider, Health, alert};

/// Limits of a [`Desk`].
#[derive(Clone, Copy, Debug)]
pub struct DeskOptions {
    /// Threads that digest uploads.
    pub digest_threads: usize,
    /// Uploads that are open at a time. Each has a buffer of 16 KiB.
    pub uploads_max: usize,
    /// Bytes of one upload that wait to be digested.
    pub ahead_bytes_max: usize,
    /// The largest content that is digested, in bytes; what is larger is unreadable.
    pub content_bytes_max: u64,
    /// How long an upload that has ended waits for others to end, if others are under way.
    pub company_wait: Duration,
    /// Alerts that wait to become durable. One batch of digests may go beyond.
    pub alerts_waiting_max: usize,
    /// How long an alert may take to become durable before its asker is told that it did not.
    pub undelivered_max: Duration,
}

impl Default for DeskOptions {
    /// One thread for 1,024 uploads of any size, 256 KiB of each ahead; 1 ms for company; 65,536 alerts for 10 s.
    fn default() -> Self {
        Self {
            digest_threads: 1,
            uploads_max: 1024,
            ahead_bytes_max: 256 << 10,
            content_bytes_max: 1 << 40,
            company_wait: Duration::from_millis(1),
            alerts_waiting_max: 65_536,
            undelivered_max: Duration::from_secs(10),
        }
    }
}

/// Why there is no answer. It is never the content's fault: content that cannot be judged has a verdict.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum DeskError {
    /// As many uploads are open as may be.
    #[error("{uploads_max} uploads are open, as many as may be: ask again later")]
    Full {
        /// The limit.
        uploads_max: usize,
    },
    /// The caller pushes faster than the upload is digested, and does not wait.
    #[error("more than {ahead_bytes_max} bytes of the upload wait to be digested")]
    TooFarAhead {
        /// The limit.
        ahead_bytes_max: usize,
    },
    /// There is a verdict, and its alert did not become durable. Asking again is safe: the alert's id is the same.
    #[error("the alert could not be delivered: {detail}")]
    Undelivered {
        /// What the sink said last.
        detail: String,
    },
    /// The desk is closed, or one of its threads has failed.
    #[error("the desk is closed")]
    Closed,
}

/// The answer about one content.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What names the content, as it was asked.
    pub content_id: String,
    /// The verdict. Its generation is that of the lists that made it.
    pub verdict: Verdict,
    /// The alert that left, if the verdict asks for something.
    pub alert_id: Option<AlertId>,
}

/// The answer about a batch of digests.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchAnswer {
    /// The lists that made it.
    pub generation: Generation,
    /// How many contents were asked about.
    pub contents: usize,
    /// What is to be done about those that are not simply allowed, each with its place in the batch, by growing place.
    pub notable: Vec<(usize, Answer)>,
}

/// The desk. Clones are the same; its threads end when the last one is gone, and with it the last upload.
#[derive(Clone)]
pub struct Desk(Arc<Parts>);

struct Parts {
    options: DeskOptions,
    decider: Decider,
    seats: Arc<Seats>,
    threads: Vec<Sender<Command>>,
    courier: Courier,
    uploads: AtomicU64,
    closed: AtomicBool,
}

impl Desk {
    /// Starts the threads. Whether alerts can be delivered is told as [`Part::Gate`](crate::Part::Gate).
    pub fn start(
        options: DeskOptions,
        decider: Decider,
        sink: Box<dyn AlertSink>,
        health: &Health,
    ) -> io::Result<Self> {
        let courier = Courier::start(sink, &options, decider.clone(), health.clone())?;
        let streams_max = options.uploads_max.div_ceil(options.digest_threads);
        let start = |number| {
            let (to, commands) = channel();
            let thread =
                DigestThread::new(options, streams_max, decider.clone(), courier.clone(), health.clone());
            let named = std::thread::Builder::new().name(format!("desk-{number}"));
            named.spawn(move || thread.run(&commands)).map(|_| to)
        };
        let threads = (0..options.digest_threads).map(start).collect::<io::Result<_>>()?;
        let seats = Arc::new(Seats::new(options.digest_threads, options.uploads_max));
        let (uploads, closed) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self(Arc::new(Parts { options, decider, seats, threads, courier, uploads, closed })))
    }

    /// The limits.
    pub fn options(&self) -> &DeskOptions {
        &self.0.options
    }

    /// What decides here.
    pub fn decider(&self) -> &Decider {
        &self.0.decider
    }

    /// Uploads that are open, or whose answer is not decided yet.
    pub fn uploads_open(&self) -> usize {
        self.0.seats.taken()
    }

    /// Opens an upload of the content that `identity` names, on the thread that has the fewest.
    pub fn open(&self, identity: Identity) -> Result<Upload, DeskError> {
        let parts = &*self.0;
        if parts.closed.load(Ordering::Acquire) {
            return Err(DeskError::Closed);
        }
        let full = DeskError::Full { uploads_max: parts.options.uploads_max };
        let seat = Seats::take(&parts.seats).ok_or(full)?;
        let number = parts.uploads.fetch_add(1, Ordering::Relaxed);
        Upload::open(number, parts.threads[seat.thread()].clone(), &parts.options, identity, seat)
    }

    /// Judges contents of which only the digests are known, on the caller's own thread, all by one snapshot. The reply is
    /// called when every alert is durable; at once if there is none. `identity` is asked only about contents that are
    /// not allowed.
    pub fn digests(
        &self,
        digests: Vec<Digests>,
        identity: impl Fn(usize) -> Identity,
        reply: Reply<BatchAnswer>,
    ) {
        let parts = &*self.0;
        if parts.closed.load(Ordering::Acquire) {
            return reply.give(Err(DeskError::Closed));
        }
        let now = Timestamp::now();
        let (snapshot, conditions) = (parts.decider.live().load(), parts.decider.conditions(now));
        let contents: Vec<Content> = digests.into_iter().map(Content::Digests).collect();
        let verdicts = parts.decider.verdicts(&snapshot, &conditions, &contents);
        count_verdicts(&parts.decider, 0, &verdicts);
        let (mut notable, mut alerts) = (Vec::new(), Vec::new());
        for (place, verdict) in verdicts.into_iter().enumerate() {
            if verdict.decision != Decision::Allow {
                let (answer, alert) = answer(verdict, identity(place), now);
                alerts.extend(alert);
                notable.push((place, answer));
            }
        }
        let answer = BatchAnswer { generation: snapshot.generation(), contents: contents.len(), notable };
        parts.courier.carry(alerts, reply.map(|()| answer));
    }

    /// Takes no new work. What is open already goes on.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }
}

/// What is answered about a content, and the alert that must be durable before.
fn answer(verdict: Verdict, identity: Identity, now: Timestamp) -> (Answer, Option<Alert>) {
    let mut identity = identity;
    bound_all(&mut identity);
    let content_id = identity.id.clone();
    let alert = alert(&verdict, identity, now);
    let alert_id = alert.as_ref().map(|alert| alert.alert_id);
    (Answer { content_id, verdict, alert_id }, alert)
}

fn count_verdicts(decider: &Decider, bytes: u64, verdicts: &[Verdict]) {
    let mut decisions = [0; Decision::WORDS.len()];
    for verdict in verdicts {
        count(&mut decisions, &verdict.decision);
    }
    decider.metrics().decided(bytes, decisions);
}
