//! Messages as librdkafka polled them: their headers whatever their names, and values that stay in its buffer for longer
//! than the borrow under which they were polled.
#![allow(unsafe_code, reason = "the one place that reaches below rdkafka")]

use std::ffi::CStr;
use std::ops::Deref;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use hashward_engine::Header;
use rdkafka::bindings::{rd_kafka_header_get_all, rd_kafka_message_headers, rd_kafka_resp_err_t as Answer};
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
    /// The record's headers as they came. A name that is no UTF-8 has its bad bytes replaced; `rdkafka` itself panics on
    /// one, and anybody who may write to the topic can send it.
    pub(crate) fn headers(&self) -> Vec<Header> {
        const GOOD: Answer = Answer::RD_KAFKA_RESP_ERR_NO_ERROR;
        let mut headers = Vec::new();
        let mut list = ptr::null_mut();
        // SAFETY: the message is valid while `self` is, and `list` is a place for one pointer.
        if unsafe { rd_kafka_message_headers(self.message.ptr(), &raw mut list) } != GOOD {
            return headers;
        }
        loop {
            let (mut name, mut value, mut value_bytes) = (ptr::null(), ptr::null(), 0);
            // SAFETY: `list` belongs to the message, which `self` keeps; the other three are places for what they name.
            let answer = unsafe {
                rd_kafka_header_get_all(
                    list,
                    headers.len(),
                    &raw mut name,
                    &raw mut value,
                    &raw mut value_bytes,
                )
            };
            if answer != GOOD {
                return headers;
            }
            // SAFETY: librdkafka ends a name with a NUL, and keeps it as long as the message.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
            // SAFETY: a value that is not null has so many bytes, and is kept as long as the message.
            let value = (!value.is_null())
                .then(|| unsafe { slice::from_raw_parts(value.cast::<u8>(), value_bytes) }.to_vec());
            headers.push(Header { name, value });
        }
    }

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
