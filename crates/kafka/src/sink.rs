//! Alerts out, at least once: an idempotent producer whose delivery reports are the acknowledgements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashward_engine::{AlertSink, Outgoing, PortError, Ticket};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tracing::warn;

use crate::KafkaOptions;
use crate::context::{ProducerSide, Report};
use crate::error::{PORT, port_error};
use crate::record::{Message, message};

/// Sends alerts and quarantined records to their topics.
pub struct KafkaSink {
    producer: BaseProducer<ProducerSide>,
    options: Arc<KafkaOptions>,
    /// Messages that librdkafka gave up on, to be sent again.
    failed: Vec<(Ticket, Message)>,
}

/// How long one look at a producer's queue takes.
const POLL: Duration = Duration::from_millis(1);

impl KafkaSink {
    pub(crate) fn new(producer: BaseProducer<ProducerSide>, options: Arc<KafkaOptions>) -> Self {
        Self { producer, options, failed: Vec::new() }
    }

    fn send_again(&mut self) -> Result<(), PortError> {
        while let Some((ticket, message)) = self.failed.last() {
            enqueue(&self.producer, message, *ticket, self.options.delivery_timeout)?;
            self.failed.pop();
        }
        Ok(())
    }
}

impl AlertSink for KafkaSink {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        enqueue(&self.producer, &message(&self.options, outgoing), ticket, self.options.delivery_timeout)
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        self.send_again()?;
        let deadline = Instant::now() + wait;
        self.producer.poll(Duration::ZERO);
        let mut reports = self.producer.context().take_reports();
        while reports.is_empty() && Instant::now() < deadline {
            self.producer.poll(POLL);
            reports = self.producer.context().take_reports();
        }
        let mut failure = None;
        for report in reports {
            match report {
                Report::Delivered(ticket) => acknowledged.push(ticket),
                Report::Failed(ticket, error, message) => {
                    let mut message = again(&message);
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
                        && let Some(smaller) = message.smaller()
                    {
                        warn!(topic = message.topic, "message too large for the broker, sent in part");
                        message = smaller;
                    } else {
                        failure = Some(port_error("delivering", &error));
                    }
                    self.failed.push((ticket, message));
                }
            }
        }
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            let detail = format!("producer: {code}: {reason}");
            return Err(PortError::Refused { port: PORT, detail });
        }
        failure.map_or(Ok(()), Err)
    }
}

/// A message that came back undelivered, as it was.
fn again(message: &OwnedMessage) -> Message {
    Message {
        topic: message.topic().to_owned(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().cloned().unwrap_or_else(OwnedHeaders::new),
    }
}

/// Hands a message to librdkafka; waits up to `patience` while its queue is full.
///
/// A quarantined record that is too large for the producer goes in part, and says so.
pub(crate) fn enqueue(
    producer: &BaseProducer<ProducerSide>,
    message: &Message,
    ticket: Ticket,
    patience: Duration,
) -> Result<(), PortError> {
    let deadline = Instant::now() + patience;
    let mut record =
        BaseRecord::with_opaque_to(&message.topic, Box::new(ticket)).headers(message.headers.clone());
    record.key = message.key.as_ref();
    record.payload = message.value.as_ref();
    loop {
        let (error, refused) = match producer.send(record) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        record = refused;
        match error {
            KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) if Instant::now() < deadline => {
                producer.poll(POLL);
            }
            error => {
                let too_large = error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge);
                let Some(smaller) = message.smaller().filter(|_| too_large) else {
                    return Err(port_error("sending", &error));
                };
                warn!(topic = message.topic, "message too large, sent in part");
                return enqueue(producer, &smaller, ticket, patience);
            }
        }
    }
}
