//! Delivery in which no alert is lost, and a crash may send some again under the same id.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::{
    AlertSink, Checkpoint, Delivery, Health, Judged, Metrics, Outgoing, Patience, PortError, Prefix,
    StreamId, Ticket,
};

/// Limits of [`AtLeastOnce`].
#[derive(Clone, Copy, Debug)]
pub struct AtLeastOnceOptions {
    /// Alerts and quarantined records that may be under way at a time. More wait, and with them the source.
    pub in_flight_max: usize,
    /// How long a sink may stay unavailable before the worker gives up and leaves its work to the next start.
    pub unavailable_max: Duration,
}

/// Sends to an [`AlertSink`], and settles the contiguous prefix of what it acknowledged at a [`Checkpoint`].
pub struct AtLeastOnce<S, C> {
    sink: S,
    checkpoint: C,
    options: AtLeastOnceOptions,
    metrics: Metrics,
    health: Health,
    streams: HashMap<StreamId, Stream>,
    in_flight: usize,
    acknowledged: Vec<Ticket>,
    sending: Patience,
    committing: Patience,
}

#[derive(Default)]
struct Stream {
    prefix: Prefix,
    /// What the checkpoint was last told.
    settled_end: i64,
}

/// Records that may wait behind one that is not acknowledged, before the line waits too.
const WAITING_RECORDS_MAX: usize = 1 << 20;
/// How long one look for acknowledgements takes while the line waits for room.
const ROOM_WAIT: Duration = Duration::from_millis(20);

impl<S: AlertSink, C: Checkpoint> AtLeastOnce<S, C> {
    /// A delivery to `sink` that remembers its progress at `checkpoint`.
    pub fn new(
        sink: S,
        checkpoint: C,
        options: AtLeastOnceOptions,
        metrics: Metrics,
        health: Health,
    ) -> Self {
        Self {
            sink,
            checkpoint,
            options,
            metrics,
            health,
            streams: HashMap::new(),
            in_flight: 0,
            acknowledged: Vec::new(),
            sending: Patience::default(),
            committing: Patience::default(),
        }
    }

    /// Collects acknowledgements, tells the checkpoint how far each stream is settled, and commits what is due.
    /// Whether the commit went well.
    fn collect(&mut self, wait: Duration, commit_now: bool) -> Result<bool, PortError> {
        let max = self.options.unavailable_max;
        if self.in_flight > 0 {
            match self.sink.acknowledged(wait, &mut self.acknowledged) {
                // A sink that takes things and acknowledges none does not work.
                Ok(()) if self.acknowledged.is_empty() => {}
                Ok(()) => self.sending.relieved(&self.health),
                Err(error) => self.sending.bear(error, max, &self.metrics, &self.health)?,
            }
        } else if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let acknowledged = self.acknowledged.len();
        for Ticket(position) in self.acknowledged.drain(..) {
            if let Some(stream) = self.streams.get_mut(&position.stream) {
                stream.prefix.acknowledge(position.offset);
            }
        }
        self.in_flight -= acknowledged;
        self.metrics.deliveries(acknowledged, self.in_flight);
        let checkpoint = &mut self.checkpoint;
        self.streams.retain(|id, stream| {
            let end = stream.prefix.settled_end();
            if end > stream.settled_end {
                stream.settled_end = end;
                checkpoint.settle(*id, end);
            }
            checkpoint.is_current(*id) || stream.prefix.waiting() > 0
        });
        match self.checkpoint.commit(commit_now) {
            Ok(()) => {
                self.committing.relieved(&self.health);
                Ok(true)
            }
            Err(error) => {
                self.committing.bear(error, max, &self.metrics, &self.health)?;
                Ok(false)
            }
        }
    }

    /// How many records wait for an acknowledgement, their own or that of one before them.
    fn waiting(&self) -> usize {
        self.streams.values().map(|stream| stream.prefix.waiting()).sum()
    }

    /// Hands one thing to the sink; waits while there is no room for it.
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        while self.in_flight >= self.options.in_flight_max || self.waiting() >= WAITING_RECORDS_MAX {
            self.collect(ROOM_WAIT, false)?;
        }
        loop {
            let Err(error) = self.sink.send(ticket, outgoing) else {
                self.in_flight += 1;
                return Ok(());
            };
            self.sending.bear(error, self.options.unavailable_max, &self.metrics, &self.health)?;
            self.collect(ROOM_WAIT, false)?;
        }
    }
}

impl<S: AlertSink, C: Checkpoint> Delivery for AtLeastOnce<S, C> {
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError> {
        let mut notable = judged.notable.iter().peekable();
        let records = &judged.batch.records;
        for (number, record) in records.iter().enumerate() {
            let position = record.position;
            // What belongs to a stream that left is the next owner's to send.
            let notable = notable
                .next_if(|notable| notable.record == number)
                .filter(|_| self.checkpoint.is_current(position.stream));
            // A record that waits for nothing is settled with the next one of its stream.
            let next = records.get(number + 1).map(|record| record.position.stream);
            if notable.is_none() && next == Some(position.stream) {
                continue;
            }
            // The prefix knows what it waits for before the sink can acknowledge it.
            let prefix = &mut self.streams.entry(position.stream).or_default().prefix;
            prefix.push(position.offset, u32::from(notable.is_some()));
            if let Some(notable) = notable {
                self.checkpoint.decided(position, &notable.decision);
                self.send(Ticket(position), &notable.outgoing)?;
            }
        }
        self.collect(Duration::ZERO, false).map(drop)
    }

    fn idle(&mut self, wait: Duration) -> Result<(), PortError> {
        self.collect(wait, false).map(drop)
    }

    fn drain(&mut self, deadline: Instant) -> Result<bool, PortError> {
        while self.in_flight > 0 && Instant::now() < deadline {
            self.collect(ROOM_WAIT, false)?;
        }
        while !self.collect(Duration::ZERO, true)? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
        Ok(self.in_flight == 0)
    }
}
