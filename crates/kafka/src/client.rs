//! Puts the clients together.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use hashward_engine::{Health, Metrics, PortError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::BaseProducer;

use crate::assignment::Assignment;
use crate::context::{ConsumerSide, ProducerSide};
use crate::error::port_error;
use crate::polled::MessageQueue;
use crate::settings;
use crate::{KafkaCheckpoint, KafkaOptions, KafkaSink, KafkaSource, OpenReference, Transactional};

/// A source and where it remembers its progress.
pub struct AtLeastOnceParts {
    /// Reads content.
    pub source: KafkaSource,
    /// Commits offsets.
    pub checkpoint: KafkaCheckpoint,
}

/// A source and the delivery that shares its transactions.
pub struct TransactionalParts {
    /// Reads content.
    pub source: KafkaSource,
    /// Delivers alerts and commits offsets.
    pub delivery: Transactional,
}

struct Member {
    consumer: Arc<BaseConsumer<ConsumerSide>>,
    messages: Arc<MessageQueue>,
    assignment: Arc<Assignment>,
}

/// Makes a member of the consumer group that has not subscribed yet.
fn member(options: &KafkaOptions, commits: bool, metrics: &Metrics) -> Result<Member, PortError> {
    let assignment = Arc::new(Assignment::default());
    let side = ConsumerSide {
        assignment: Arc::clone(&assignment),
        metrics: metrics.clone(),
        rebalance_drain: options.rebalance_drain,
        commits,
        connected: AtomicBool::new(false),
        messages: OnceLock::new(),
    };
    let consumer: BaseConsumer<ConsumerSide> = settings::consumer(options)
        .create_with_context(side)
        .map_err(|error| port_error("setting up the consumer", &error))?;
    let consumer = Arc::new(consumer);
    let messages = Arc::new(MessageQueue::new(Arc::clone(&consumer)));
    // Nothing is subscribed to yet, so nothing can have been assigned.
    consumer.context().messages.get_or_init(|| Arc::downgrade(&messages));
    Ok(Member { consumer, messages, assignment })
}

fn subscribe(member: &Member, options: &KafkaOptions) -> Result<(), PortError> {
    let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
    member.consumer.subscribe(&topics).map_err(|error| port_error("subscribing", &error))
}

fn producer(
    options: &KafkaOptions,
    transactional_id: Option<&str>,
) -> Result<BaseProducer<ProducerSide>, PortError> {
    settings::producer(options, transactional_id)
        .create_with_context(ProducerSide::default())
        .map_err(|error| port_error("setting up the producer", &error))
}

/// A source and its checkpoint, for delivery at least once to any sink.
pub fn at_least_once(
    options: KafkaOptions,
    open_reference: OpenReference,
    metrics: &Metrics,
) -> Result<AtLeastOnceParts, PortError> {
    let member = member(&options, true, metrics)?;
    subscribe(&member, &options)?;
    let Member { consumer, messages, assignment } = member;
    let checkpoint = KafkaCheckpoint::new(
        Arc::clone(&consumer),
        Arc::clone(&assignment),
        options.commit_interval,
        metrics.clone(),
    );
    let source = KafkaSource::new(consumer, messages, assignment, Arc::new(options), open_reference);
    Ok(AtLeastOnceParts { source, checkpoint })
}

/// A sink for alerts from any source.
pub fn sink(options: KafkaOptions) -> Result<KafkaSink, PortError> {
    let producer = producer(&options, None)?;
    Ok(KafkaSink::new(producer, Arc::new(options)))
}

/// A source and a delivery that consume, alert and commit in one transaction.
pub fn transactional(
    options: KafkaOptions,
    open_reference: OpenReference,
    metrics: &Metrics,
    health: &Health,
) -> Result<TransactionalParts, PortError> {
    let member = member(&options, false, metrics)?;
    let producer = producer(&options, Some(&options.transactional_id))?;
    let options = Arc::new(options);
    let delivery = Transactional {
        consumer: Arc::clone(&member.consumer),
        producer,
        assignment: Arc::clone(&member.assignment),
        options: Arc::clone(&options),
        metrics: metrics.clone(),
        health: health.clone(),
    };
    // An earlier worker's open transaction hides the committed offsets, so it is ended before we ask for them.
    delivery.begin()?;
    subscribe(&member, &options)?;
    let Member { consumer, messages, assignment } = member;
    let source = KafkaSource::new(consumer, messages, assignment, options, open_reference);
    Ok(TransactionalParts { source, delivery })
}
