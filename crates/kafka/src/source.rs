//! Content in: a member of a consumer group.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hashward_engine::{Batch, Header, Payload, PortError, Position, Record, Source, StreamId};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use tracing::{debug, info, warn};

use crate::KafkaOptions;
use crate::assignment::Assignment;
use crate::context::ConsumerSide;
use crate::error::port_error;
use crate::form::{Brought, OpenReference, brought};
use crate::headers::identity;
use crate::polled::{MessageQueue, Polled, TAKEN_MAX, TopicAddress, poll};

/// Reads the content topics.
pub struct KafkaSource {
    consumer: Arc<BaseConsumer<ConsumerSide>>,
    messages: Arc<MessageQueue>,
    assignment: Arc<Assignment>,
    options: Arc<KafkaOptions>,
    open_reference: OpenReference,
    streams: Streams,
    /// How far the last batch goes in each stream: told to the assignment once the line has taken the batch.
    last_ends: Vec<(StreamId, i64)>,
    /// Records that came while the source was on hold; they begin the next batch.
    early: Batch,
    /// The version of the assignment for which the source is on hold.
    holding: Option<u64>,
    /// The version of the assignment that was last resumed.
    resumed: u64,
    /// How many references the batch holds that is being read.
    references: usize,
}

/// The owned partitions as the reading thread knows them, so that a record costs no lock.
#[derive(Default)]
struct Streams {
    version: u64,
    known: Vec<Known>,
    /// The partition of the last record, and where it is in `known`: records come in runs.
    last: Option<(TopicAddress, i32, usize)>,
}

struct Known {
    id: StreamId,
    topic: Arc<str>,
    number: i32,
    origin: Arc<str>,
    /// One past the last record read.
    end: i64,
}

/// How long a call waits for a first record.
const FIRST_RECORD_WAIT: Duration = Duration::from_millis(100);
/// So many references at the most are fetched in one batch: nothing of it is delivered before the slowest has come.
const REFERENCES_PER_BATCH_MAX: usize = 64;
/// From this length on, in bytes, content is judged where librdkafka received it: holding a message costs less than
/// copying it.
const LEND_BYTES_MIN: usize = 2048;

impl KafkaSource {
    pub(crate) fn new(
        consumer: Arc<BaseConsumer<ConsumerSide>>,
        messages: Arc<MessageQueue>,
        assignment: Arc<Assignment>,
        options: Arc<KafkaOptions>,
        open_reference: OpenReference,
    ) -> Self {
        let streams = Streams::default();
        let early = Batch::default();
        Self {
            consumer,
            messages,
            assignment,
            options,
            open_reference,
            streams,
            last_ends: Vec::new(),
            early,
            holding: None,
            resumed: 0,
            references: 0,
        }
    }

    /// Serves what librdkafka has to tell, waiting for it at most so long.
    fn serve(&mut self, wait: Duration, batch: &mut Batch) -> Result<(), PortError> {
        let consumer = Arc::clone(&self.consumer);
        let polled = poll(&consumer, wait);
        self.follow_rebalance(batch);
        match polled {
            Some(Ok(message)) => self.take(message, batch),
            Some(Err(error)) => bear(&error)?,
            None => {}
        }
        Ok(())
    }

    /// Serves what librdkafka has to tell, then takes what records are there, or waits for one. Whether any came.
    fn read(&mut self, wait: Duration, batch: &mut Batch) -> Result<bool, PortError> {
        let before = batch.records.len();
        self.serve(Duration::ZERO, batch)?;
        let messages = Arc::clone(&self.messages);
        let mut borne = Ok(());
        // Nothing of what was taken may be left behind: librdkafka gives it once.
        for message in messages.take(wait, self.room(batch)) {
            match message {
                Ok(message) => self.take(message, batch),
                Err(error) => borne = borne.and(bear(&error)),
            }
        }
        borne.map(|()| batch.records.len() > before)
    }

    /// How many records may be taken at once: so few that the batch is not filled by much more than it may hold, if they
    /// are like those in it; and where they are large, as many as fill the lanes once more.
    fn room(&self, batch: &Batch) -> usize {
        let records = batch.records.len();
        let records_left = self.options.batch_records_max.saturating_sub(records);
        let average = batch.bytes().div_ceil(records.max(1));
        let at_once = if records == 0 {
            1
        } else if batch.bytes() + average * TAKEN_MAX < self.options.batch_bytes_max {
            TAKEN_MAX
        } else {
            batch.records_to_full_lanes()
        };
        at_once.min(records_left).max(1)
    }

    /// After a rebalance: learns the partitions anew, and drops what was read of those that left. Nobody has taken it
    /// from us yet, and their next owner reads it again.
    fn follow_rebalance(&mut self, batch: &mut Batch) {
        let version = self.assignment.version();
        if version == self.streams.version {
            return;
        }
        let owned = self.assignment.lock();
        self.streams.version = version;
        self.streams.last = None;
        let ends: HashMap<StreamId, i64> = self.streams.known.iter().map(|k| (k.id, k.end)).collect();
        self.streams.known = owned
            .streams()
            .map(|(id, p)| Known {
                id,
                topic: Arc::clone(&p.topic),
                number: p.number,
                origin: Arc::clone(&p.origin),
                end: ends.get(&id).copied().unwrap_or_default(),
            })
            .collect();
        batch.records.retain(|record| owned.get(record.position.stream).is_some());
        self.early.records.retain(|record| owned.get(record.position.stream).is_some());
    }

    /// Puts a record into the batch.
    fn take(&mut self, message: Polled<'_>, batch: &mut Batch) {
        let Some(mut stream) = self.streams.find(&message) else {
            // Read before its partition left: the next owner reads it.
            debug!(partition = message.partition(), "record of a partition that is no longer ours");
            return;
        };
        if message.offset() < stream.end {
            // The topic was made anew, or lost its end: librdkafka starts it over, and so does what we know of it.
            warn!(origin = &*stream.origin, from = stream.end, to = message.offset(), "offsets went back");
            self.assignment.restart(stream.id);
            self.follow_rebalance(batch);
            let Some(restarted) = self.streams.find(&message) else { return };
            stream = restarted;
        }
        stream.end = message.offset() + 1;
        let position = Position { stream: stream.id, offset: message.offset() };
        let origin = batch.origin_of(&stream.origin);
        let headers = message.headers();
        let mut identity = identity(&headers);
        if let Some(identity) = &mut identity
            && !identity.id.is_empty()
        {
            // Two topics may number their events alike: an id alone would let one's alert pass for the other's.
            identity.source.get_or_insert_with(|| message.topic().to_owned());
        }
        // What the identity holds, the headers hold too.
        let header_bytes = |header: &Header| header.name.len() + header.value.as_ref().map_or(0, Vec::len);
        batch.count(2 * headers.iter().map(header_bytes).sum::<usize>());
        let key = message.key().map(|key| batch.store(key));
        let bytes = message.payload();
        let (payload, value) = match brought(self.options.form, &headers, bytes) {
            Brought::Content if bytes.len() >= LEND_BYTES_MIN => (batch.lend(Box::new(message.lend())), None),
            Brought::Content => (Payload::Bytes(batch.store(bytes)), None),
            Brought::Reference(url) => {
                self.references += 1;
                (Payload::Deferred((self.open_reference)(&url)), Some(batch.store(bytes)))
            }
            Brought::Digests(digests) => (Payload::Digests(digests), Some(batch.store(bytes))),
            Brought::Unreadable(reason) => (Payload::Unreadable(Box::new(reason)), Some(batch.store(bytes))),
        };
        batch.records.push(Record { position, origin, key, value, headers, identity, payload });
    }

    fn set_paused(&self, paused: bool) -> Result<(), PortError> {
        let pause = |list: &rdkafka::TopicPartitionList| {
            if paused { self.consumer.pause(list) } else { self.consumer.resume(list) }
        };
        let result = self.consumer.assignment().and_then(|assigned| pause(&assigned));
        result.map_err(|error| port_error(if paused { "pausing" } else { "resuming" }, &error))
    }

    fn is_full(&self, batch: &Batch) -> bool {
        batch.is_full(self.options.batch_records_max, self.options.batch_bytes_max)
            || self.references >= REFERENCES_PER_BATCH_MAX
    }
}

impl Source for KafkaSource {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), PortError> {
        // The line has taken the last batch, or it would not ask for another.
        for (stream, end) in self.last_ends.drain(..) {
            self.assignment.handed(stream, end);
        }
        let held = self.holding.take().is_some();
        // librdkafka keeps a partition paused that leaves and comes back, so each new assignment is resumed too.
        if held || self.resumed != self.streams.version {
            self.resumed = self.streams.version;
            self.set_paused(false)?;
        }
        if held {
            info!("reading again");
        }
        std::mem::swap(batch, &mut self.early);
        self.references = 0;
        if batch.records.is_empty() && !self.read(FIRST_RECORD_WAIT, batch)? {
            return Ok(());
        }
        let close_at = Instant::now() + self.options.batch_wait;
        while !self.is_full(batch) {
            // While records are there, taking them costs no look at the clock.
            if self.read(Duration::ZERO, batch)? {
                continue;
            }
            let left = close_at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.read(left, batch)?;
        }
        for record in &batch.records {
            let Position { stream, offset } = record.position;
            match self.last_ends.last_mut() {
                Some((last, end)) if *last == stream => *end = offset + 1,
                _ => self.last_ends.push((stream, offset + 1)),
            }
        }
        Ok(())
    }

    fn hold(&mut self, wait: Duration) -> Result<(), PortError> {
        // Partitions that came since the last call are not paused yet.
        if self.holding != Some(self.streams.version) {
            if self.holding.is_none() {
                info!("line is full, reading paused");
            }
            self.set_paused(true)?;
            self.holding = Some(self.streams.version);
        }
        let mut early = std::mem::take(&mut self.early);
        // The records of paused partitions that librdkafka has are not taken: it drops them, and reads them again.
        let result = self.serve(wait, &mut early);
        self.early = early;
        result
    }

    fn health(&self) -> Result<(), String> {
        if !self.consumer.context().connected.load(Ordering::Relaxed) {
            return Err("no broker is connected".to_owned());
        }
        if self.streams.version == 0 {
            return Err("not yet a member of the consumer group".to_owned());
        }
        Ok(())
    }
}

/// Bears with what may pass, and ends on what will not.
fn bear(error: &KafkaError) -> Result<(), PortError> {
    if let KafkaError::MessageConsumptionFatal(_) = error {
        return Err(port_error("reading", error));
    }
    match error.rdkafka_error_code() {
        Some(Code::GroupAuthorizationFailed | Code::TopicAuthorizationFailed) => {
            Err(port_error("reading", error))
        }
        // Told by the client's own log already.
        Some(Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve) => Ok(()),
        _ => {
            warn!(%error, "reading fails, trying again");
            Ok(())
        }
    }
}

impl Streams {
    fn find(&mut self, message: &Polled<'_>) -> Option<&mut Known> {
        let (address, number) = (message.topic_address(), message.partition());
        let last = self.last.filter(|(topic, partition, _)| (*topic, *partition) == (address, number));
        let find = || {
            let topic = message.topic();
            self.known.iter().position(|known| known.number == number && *known.topic == *topic)
        };
        let place = last.map(|(_, _, place)| place).or_else(find)?;
        self.last = Some((address, number, place));
        self.known.get_mut(place)
    }
}
