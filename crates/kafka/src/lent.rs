//! Messages that stay in librdkafka's buffer, and outlive the borrow under which they were polled.
#![allow(unsafe_code, reason = "the one place where a message's lifetime is lengthened")]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::message::{BorrowedMessage, Message};

use crate::context::ConsumerSide;

/// A message as its consumer's poll gave it.
pub(crate) struct Polled<'a> {
    consumer: &'a Arc<BaseConsumer<ConsumerSide>>,
    message: BorrowedMessage<'a>,
}

/// Asks librdkafka once.
pub(crate) fn poll(
    consumer: &Arc<BaseConsumer<ConsumerSide>>,
    wait: Duration,
) -> Option<KafkaResult<Polled<'_>>> {
    consumer.poll(wait).map(|polled| polled.map(|message| Polled { consumer, message }))
}

impl<'a> Deref for Polled<'a> {
    type Target = BorrowedMessage<'a>;

    fn deref(&self) -> &BorrowedMessage<'a> {
        &self.message
    }
}

impl Polled<'_> {
    /// Keeps the message, with the consumer that it belongs to, for as long as somebody needs its value.
    pub(crate) fn lend(self) -> LentMessage {
        // SAFETY: only the lifetime changes. It stands for the borrow of the consumer that was polled (`Polled` is made
        // nowhere else than in `poll`, from one consumer), and means that the message must not outlive the consumer's
        // client. `LentMessage` holds a share of that consumer, which it drops after the message, and lends the message
        // for no longer than it lives itself.
        let message =
            unsafe { std::mem::transmute::<BorrowedMessage<'_>, BorrowedMessage<'static>>(self.message) };
        LentMessage { message, _consumer: Arc::clone(self.consumer) }
    }
}

/// A message that is held. Its value stays where librdkafka received it.
pub(crate) struct LentMessage {
    /// Declared, and so dropped, before the consumer.
    message: BorrowedMessage<'static>,
    _consumer: Arc<BaseConsumer<ConsumerSide>>,
}

impl AsRef<[u8]> for LentMessage {
    fn as_ref(&self) -> &[u8] {
        self.message.payload().unwrap_or_default()
    }
}
