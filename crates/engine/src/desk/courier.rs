//! One thread brings the alerts of all askers to the sink, and tells each when its own are durable.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::Alert;
use jiff::Timestamp;
use tracing::{info, warn};

use super::{DeskError, DeskOptions, Reply};
use crate::{AlertSink, Decider, Health, Outgoing, Part, PortError, Position, StreamId as Stream, Ticket};

/// How long one look for acknowledgements takes: those who ask meanwhile wait as long.
const ACKNOWLEDGE_WAIT: Duration = Duration::from_millis(2);
/// The first and the longest pause between two attempts at what fails.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LONGEST: Duration = Duration::from_millis(500);
/// How long the courier waits for an errand before it looks after the breakers.
const REST: Duration = Duration::from_millis(500);
/// All tickets of the desk are of one stream.
const STREAM: Stream = Stream(0);

/// Alerts of one asker.
struct Errand {
    alerts: Vec<Alert>,
    reply: Reply<()>,
    deadline: Instant,
}

/// Where errands are given.
#[derive(Clone)]
pub(super) struct Courier {
    to: Sender<Errand>,
    /// Alerts that are not durable yet.
    waiting: Arc<AtomicUsize>,
    alerts_waiting_max: usize,
    undelivered_max: Duration,
    decider: Decider,
}

impl Courier {
    pub(super) fn start(
        sink: Box<dyn AlertSink>,
        options: &DeskOptions,
        decider: Decider,
        health: Health,
    ) -> io::Result<Self> {
        let (to, errands) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let route = Route::new(sink, decider.clone(), health, Arc::clone(&waiting));
        thread::Builder::new().name("courier".to_owned()).spawn(move || route.run(&errands))?;
        let &DeskOptions { alerts_waiting_max, undelivered_max, .. } = options;
        Ok(Self { to, waiting, alerts_waiting_max, undelivered_max, decider })
    }

    /// Tells `reply` when all `alerts` are durable, or that they are not. At once if there is none.
    pub(super) fn carry(&self, alerts: Vec<Alert>, reply: Reply<()>) {
        if alerts.is_empty() {
            return reply.give(Ok(()));
        }
        if self.waiting.load(Ordering::Acquire) >= self.alerts_waiting_max {
            let detail = format!("{} alerts wait already", self.alerts_waiting_max);
            return reply.give(Err(DeskError::Undelivered { detail }));
        }
        self.waiting.fetch_add(alerts.len(), Ordering::AcqRel);
        for alert in &alerts {
            self.decider.metrics().alert_made(alert.action);
        }
        // An errand that nobody takes is dropped, and its reply with it: then the asker is told so.
        drop(self.to.send(Errand { alerts, reply, deadline: Instant::now() + self.undelivered_max }));
    }
}

/// What is on its way.
struct Route {
    sink: Box<dyn AlertSink>,
    decider: Decider,
    health: Health,
    waiting: Arc<AtomicUsize>,
    /// The askers who wait, by the number of their errand.
    askers: HashMap<u64, Asker>,
    /// Errands by growing number, and so by growing deadline.
    deadlines: VecDeque<(u64, Instant)>,
    errands: u64,
    /// What the sink has not taken yet.
    unsent: VecDeque<(u64, Outgoing)>,
    /// What it has taken: the errand behind each ticket's offset.
    sent: HashMap<i64, u64>,
    tickets: i64,
    /// The pause after the last failure, and what it was.
    failing: Option<(Duration, String)>,
}

struct Asker {
    undelivered: usize,
    reply: Reply<()>,
}

impl Route {
    fn new(sink: Box<dyn AlertSink>, decider: Decider, health: Health, waiting: Arc<AtomicUsize>) -> Self {
        Self {
            sink,
            decider,
            health,
            waiting,
            askers: HashMap::new(),
            deadlines: VecDeque::new(),
            errands: 0,
            unsent: VecDeque::new(),
            sent: HashMap::new(),
            tickets: 0,
            failing: None,
        }
    }

    /// Goes until nobody can give an errand any more, and the last is done.
    fn run(mut self, errands: &Receiver<Errand>) {
        self.health.ready(Part::Gate);
        let mut is_open = true;
        while is_open || !self.askers.is_empty() {
            if self.unsent.is_empty() && self.sent.is_empty() {
                match errands.recv_timeout(REST) {
                    Ok(errand) => self.take(errand),
                    Err(RecvTimeoutError::Timeout) => self.decider.rest(Timestamp::now()),
                    Err(RecvTimeoutError::Disconnected) => is_open = false,
                }
            }
            for errand in errands.try_iter() {
                self.take(errand);
            }
            match self.send().and_then(|()| self.collect()) {
                Ok(()) => {}
                Err(error) => self.fail(&error),
            }
            self.expire();
        }
    }

    fn take(&mut self, Errand { alerts, reply, deadline }: Errand) {
        self.errands += 1;
        let number = self.errands;
        self.askers.insert(number, Asker { undelivered: alerts.len(), reply });
        self.deadlines.push_back((number, deadline));
        self.unsent.extend(alerts.into_iter().map(|alert| (number, Outgoing::Alert(Box::new(alert)))));
    }

    fn send(&mut self) -> Result<(), PortError> {
        while let Some((errand, outgoing)) = self.unsent.front() {
            let offset = self.tickets;
            self.sink.send(Ticket(Position { stream: STREAM, offset }), outgoing)?;
            self.tickets += 1;
            self.sent.insert(offset, *errand);
            self.unsent.pop_front();
        }
        Ok(())
    }

    fn collect(&mut self) -> Result<(), PortError> {
        if self.sent.is_empty() {
            return Ok(());
        }
        let mut acknowledged = Vec::new();
        let collected = self.sink.acknowledged(ACKNOWLEDGE_WAIT, &mut acknowledged);
        let sent = acknowledged.iter().filter_map(|Ticket(position)| self.sent.remove(&position.offset));
        let errands: Vec<u64> = sent.collect();
        self.waiting.fetch_sub(errands.len(), Ordering::AcqRel);
        for errand in &errands {
            // One whose time ran out has its answer already.
            let Some(asker) = self.askers.get_mut(errand) else { continue };
            asker.undelivered -= 1;
            if asker.undelivered == 0
                && let Some(asker) = self.askers.remove(errand)
            {
                asker.reply.give(Ok(()));
            }
        }
        if !errands.is_empty() {
            self.decider.metrics().delivered(errands.len());
            if self.failing.take().is_some() {
                info!("delivery of the gate's alerts works again");
                self.health.ready(Part::Gate);
            }
        }
        collected
    }

    /// Takes an attempt that failed, and pauses. What cannot pass is told to all who wait.
    fn fail(&mut self, error: &PortError) {
        self.decider.metrics().delivery_failed();
        let pause = self.failing.as_ref().map_or(RETRY_FIRST, |(pause, _)| (*pause * 2).min(RETRY_LONGEST));
        if self.failing.is_none() {
            warn!(%error, "delivery of the gate's alerts fails, trying again");
        }
        self.failing = Some((pause, error.to_string()));
        self.health.not_ready(Part::Gate, error.to_string());
        if !matches!(error, PortError::Unavailable { .. }) {
            let now = Instant::now();
            self.deadlines.iter_mut().for_each(|(_, deadline)| *deadline = now);
        }
        let first =
            self.deadlines.front().map(|(_, deadline)| deadline.saturating_duration_since(Instant::now()));
        thread::sleep(pause.min(first.unwrap_or(pause)));
    }

    /// Tells those whose time ran out. Their alerts stay on their way: the verdict stands.
    fn expire(&mut self) {
        let now = Instant::now();
        while let Some((errand, deadline)) = self.deadlines.front() {
            if self.askers.contains_key(errand) && *deadline > now {
                break;
            }
            if let Some(asker) = self.askers.remove(errand) {
                let detail = self.failing.as_ref().map_or("no acknowledgement", |(_, what)| what);
                asker.reply.give(Err(DeskError::Undelivered { detail: detail.to_owned() }));
            }
            self.deadlines.pop_front();
        }
    }
}
