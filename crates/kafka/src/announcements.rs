//! Announcements: a small topic that tells every worker at once that there is something new to fetch.
//!
//! An announcement is a hint, and proves nothing: whoever reads one looks where it would have looked anyway, and verifies
//! what it finds there. So nothing depends on what stands in it, and who may write to the topic can make workers look more
//! often, as often as their own limit allows, and do nothing else.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashward_engine::PortError;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::error::{PORT, port_error};
use crate::{KafkaOptions, settings};

/// The longest announcement that is read, in bytes.
const ANNOUNCEMENT_BYTES_MAX: usize = 4096;
/// The consumer group that librdkafka asks for. Partitions are assigned by hand and nothing is committed, so that every
/// worker reads every announcement.
const GROUP_ID: &str = "hashward-announcements";
/// The most partitions that are listened to: one is plenty.
const PARTITIONS_MAX: usize = 64;

/// What somebody says is new.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Announcement {
    /// The lists of which there is a new release, by their ids.
    pub lists: Vec<String>,
    /// The version of the repository's targets.
    pub version: u64,
}

/// Listens to a topic of announcements, from now on.
pub struct Announcements {
    consumer: BaseConsumer,
}

impl Announcements {
    /// Begins to listen: what is announced after this returns is heard. Waits for the brokers for `timeout` at the most,
    /// for each of their answers.
    pub fn listen(options: &KafkaOptions, topic: &str, timeout: Duration) -> Result<Self, PortError> {
        let failed = |error| port_error("listening to announcements", &error);
        let consumer: BaseConsumer = settings::listener(options, GROUP_ID).create().map_err(failed)?;
        let metadata = consumer.fetch_metadata(Some(topic), timeout).map_err(failed)?;
        let mut partitions = TopicPartitionList::new();
        let named = metadata.topics().iter().filter(|found| found.name() == topic);
        for partition in named.flat_map(MetadataTopic::partitions).take(PARTITIONS_MAX) {
            // The end as a number: "the end" would be looked up later, and what came before that not be heard.
            let (_, end) = consumer.fetch_watermarks(topic, partition.id(), timeout).map_err(failed)?;
            partitions.add_partition_offset(topic, partition.id(), Offset::Offset(end)).map_err(failed)?;
        }
        if partitions.count() == 0 {
            let detail = format!("there is no topic {topic:?} for announcements: create it first");
            return Err(PortError::Unavailable { port: PORT, detail });
        }
        consumer.assign(&partitions).map_err(failed)?;
        Ok(Self { consumer })
    }

    /// Waits for an announcement, for `wait` at the most. What is not one is passed over.
    pub fn next(&self, wait: Duration) -> Result<Option<Announcement>, PortError> {
        let until = Instant::now() + wait;
        loop {
            match self.consumer.poll(until.saturating_duration_since(Instant::now())) {
                None => return Ok(None),
                Some(Ok(message)) => {
                    let announced = message.payload().filter(|bytes| bytes.len() <= ANNOUNCEMENT_BYTES_MAX);
                    if let Some(announcement) = announced.and_then(|bytes| serde_json::from_slice(bytes).ok())
                    {
                        return Ok(Some(announcement));
                    }
                }
                Some(Err(error)) => return Err(port_error("listening to announcements", &error)),
            }
            if Instant::now() >= until {
                return Ok(None);
            }
        }
    }
}

/// Announces to `topic`, and waits until every in-sync replica has it, for `timeout` at the most.
pub fn announce(
    options: &KafkaOptions,
    topic: &str,
    announcement: &Announcement,
    timeout: Duration,
) -> Result<(), PortError> {
    let failed = |error| port_error("announcing", &error);
    let producer: BaseProducer<Delivered> =
        settings::producer(options, None).create_with_context(Delivered::default()).map_err(failed)?;
    let text = serde_json::to_vec(announcement).expect("plain data is JSON");
    let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic).payload(&text);
    producer.send(record).map_err(|(error, _)| failed(error))?;
    producer.flush(timeout).map_err(failed)?;
    let report = producer.context().0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let timed_out = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
    report.unwrap_or(Err(timed_out)).map_err(failed)
}

/// The report on the one message that is sent.
#[derive(Default)]
struct Delivered(Mutex<Option<Result<(), KafkaError>>>);

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let report = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }
}
