//! Messages as librdkafka received them: some dozens at a time, with their headers whatever their names, and values that
//! stay in its buffer for as long as somebody holds them.
//!
//! Asking for a message costs librdkafka locks and looks at the clock, which at 200 bytes are more than receiving them. It
//! can give many at once, but then it also serves what else stands in the same queue, and drops a rebalance that nobody
//! has registered a callback for. So the messages of all partitions go into a queue of their own, and the consumer's queue
//! has the events alone.
#![allow(unsafe_code, reason = "the one place that reaches below rdkafka")]

use std::ffi::{CStr, CString, c_void};
use std::mem;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use hashward_engine::Header;
use rdkafka::bindings as native;
use rdkafka::bindings::rd_kafka_resp_err_t as Answer;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;

use crate::context::ConsumerSide;

const GOOD: Answer = Answer::RD_KAFKA_RESP_ERR_NO_ERROR;

/// So many messages are taken out of a queue at a time at the most.
pub(crate) const TAKEN_MAX: usize = 64;

/// The queue that the messages of all partitions go into.
pub(crate) struct MessageQueue {
    queue: NonNull<native::rd_kafka_queue_t>,
    /// Dropped after the queue, which must not outlive the consumer's client.
    consumer: Arc<BaseConsumer<ConsumerSide>>,
}

// SAFETY: librdkafka's queues may be used by any thread; they have a lock of their own.
unsafe impl Send for MessageQueue {}
// SAFETY: as above.
unsafe impl Sync for MessageQueue {}

impl MessageQueue {
    /// An empty queue.
    pub(crate) fn new(consumer: Arc<BaseConsumer<ConsumerSide>>) -> Self {
        // SAFETY: the client is valid while the consumer is.
        let queue = unsafe { native::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = NonNull::new(queue).expect("librdkafka ends the process when it has no memory");
        Self { queue, consumer }
    }

    /// Has the messages of a partition come into this queue. It must be said anew whenever the partition is assigned, and
    /// before: then none of its messages can come another way.
    pub(crate) fn gather(&self, topic: &str, partition: i32) {
        let topic = CString::new(topic).expect("librdkafka told the name, which ends with a NUL");
        // SAFETY: the client is valid while the consumer is, and the name for the call.
        unsafe {
            let client = self.consumer.client().native_ptr();
            let from = native::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            if !from.is_null() {
                native::rd_kafka_queue_forward(from, self.queue.as_ptr());
                native::rd_kafka_queue_destroy(from);
            }
        }
    }

    /// Takes what is there, at most so many messages and at most [`TAKEN_MAX`]; while there is nothing, waits for one.
    pub(crate) fn take(&self, wait: Duration, at_most: usize) -> Taken<'_> {
        let mut taken = Taken { queue: self, messages: [ptr::null_mut(); TAKEN_MAX], next: 0, end: 0 };
        taken.fill(Duration::ZERO, at_most.min(TAKEN_MAX));
        if taken.end == 0 && !wait.is_zero() {
            // With more room it would wait until there are as many.
            taken.fill(wait, 1);
        }
        taken
    }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        // SAFETY: this is the only owner, and the client is still there.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

/// Messages that were taken out of a queue, in the order of each partition. What is not asked for is dropped with it.
pub(crate) struct Taken<'a> {
    queue: &'a MessageQueue,
    messages: [*mut native::rd_kafka_message_t; TAKEN_MAX],
    next: usize,
    end: usize,
}

impl Taken<'_> {
    fn fill(&mut self, wait: Duration, at_most: usize) {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: there is room for `at_most` messages.
        let taken = unsafe {
            native::rd_kafka_consume_batch_queue(
                self.queue.queue.as_ptr(),
                wait_ms,
                self.messages.as_mut_ptr(),
                at_most,
            )
        };
        // Less than zero is an error that a queue of a consumer does not have.
        self.end = usize::try_from(taken).unwrap_or_default();
    }
}

impl<'a> Iterator for Taken<'a> {
    type Item = KafkaResult<Polled<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = *self.messages[..self.end].get(self.next)?;
        self.next += 1;
        let message = NonNull::new(message).expect("librdkafka counts what it gives");
        let message = Held { message, event: None };
        let error = message.native().err;
        Some(if error == GOOD {
            Ok(Polled { consumer: &self.queue.consumer, message })
        } else {
            Err(KafkaError::MessageConsumption(error.into()))
        })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// Asks the consumer's own queue once: serves an event, if there is one. A message can only come of a partition whose
/// messages are not gathered.
pub(crate) fn poll(
    consumer: &Arc<BaseConsumer<ConsumerSide>>,
    wait: Duration,
) -> Option<KafkaResult<Polled<'_>>> {
    consumer.poll(wait).map(|polled| {
        polled.map(|event| {
            let message = NonNull::new(event.ptr()).expect("a message is somewhere");
            // SAFETY: only the lifetime changes. It stands for the borrow of the consumer, and means that the message must
            // not outlive the consumer's client. `Held` is in a `Polled`, which borrows that consumer, or in a
            // `LentMessage`, which holds a share of it.
            let event = unsafe { mem::transmute::<BorrowedMessage<'_>, BorrowedMessage<'static>>(event) };
            Polled { consumer, message: Held { message, event: Some(event) } }
        })
    })
}

/// A message that nobody else destroys.
struct Held {
    message: NonNull<native::rd_kafka_message_t>,
    /// The event that brought it, which destroys it; without one it is ours to destroy.
    event: Option<BorrowedMessage<'static>>,
}

// SAFETY: librdkafka has handed the message over, and changes nothing in it any more; it may be destroyed by any thread.
unsafe impl Send for Held {}
// SAFETY: nothing is changed through a shared one.
unsafe impl Sync for Held {}

impl Held {
    fn native(&self) -> &native::rd_kafka_message_t {
        // SAFETY: it is valid until it is destroyed, by whatever is in `self`.
        unsafe { self.message.as_ref() }
    }

    fn payload(&self) -> &[u8] {
        let message = self.native();
        // SAFETY: librdkafka says where the bytes are and how many, and keeps them as long as the message.
        unsafe { bytes(message.payload, message.len) }.unwrap_or_default()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.event.is_none() {
            // SAFETY: it is ours, and not used after this.
            unsafe { native::rd_kafka_message_destroy(self.message.as_ptr()) }
        }
    }
}

/// The bytes that librdkafka tells; `None` if there are none.
///
/// # Safety
///
/// If `start` is not null, so many bytes are there for as long as `'a`.
unsafe fn bytes<'a>(start: *const c_void, count: usize) -> Option<&'a [u8]> {
    // SAFETY: what the caller promises.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast::<u8>(), count) })
}

/// Names a topic as long as one of its partitions is assigned, and costs no look at the name itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TopicAddress(usize);

/// A message as its consumer gave it.
pub(crate) struct Polled<'a> {
    consumer: &'a Arc<BaseConsumer<ConsumerSide>>,
    message: Held,
}

impl Polled<'_> {
    pub(crate) fn topic_address(&self) -> TopicAddress {
        TopicAddress(self.message.native().rkt.addr())
    }

    pub(crate) fn topic(&self) -> &str {
        // SAFETY: librdkafka ends a name with a NUL, and keeps it as long as the message.
        let name = unsafe { CStr::from_ptr(native::rd_kafka_topic_name(self.message.native().rkt)) };
        name.to_str().expect("a topic's name is ASCII")
    }

    pub(crate) fn partition(&self) -> i32 {
        self.message.native().partition
    }

    pub(crate) fn offset(&self) -> i64 {
        self.message.native().offset
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        let message = self.message.native();
        // SAFETY: librdkafka says where the bytes are and how many, and keeps them as long as the message.
        unsafe { bytes(message.key, message.key_len) }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.message.payload()
    }

    /// The record's headers as they came. A name that is no UTF-8 has its bad bytes replaced; `rdkafka` itself panics on
    /// one, and anybody who may write to the topic can send it.
    pub(crate) fn headers(&self) -> Vec<Header> {
        let mut headers = Vec::new();
        let mut list = ptr::null_mut();
        // SAFETY: the message is valid while `self` is, and `list` is a place for one pointer.
        if unsafe { native::rd_kafka_message_headers(self.message.message.as_ptr(), &raw mut list) } != GOOD {
            return headers;
        }
        loop {
            let (mut name, mut value, mut value_bytes) = (ptr::null(), ptr::null(), 0);
            // SAFETY: `list` belongs to the message, which `self` keeps; the other three are places for what they name.
            let answer = unsafe {
                native::rd_kafka_header_get_all(
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
            let value = unsafe { bytes(value, value_bytes) }.map(<[u8]>::to_vec);
            headers.push(Header { name, value });
        }
    }

    /// Keeps the message, with the consumer that it belongs to, for as long as somebody needs its value.
    pub(crate) fn lend(self) -> LentMessage {
        LentMessage { message: self.message, _consumer: Arc::clone(self.consumer) }
    }
}

/// A message that is held. Its value stays where librdkafka received it.
pub(crate) struct LentMessage {
    /// Declared, and so dropped, before the consumer.
    message: Held,
    _consumer: Arc<BaseConsumer<ConsumerSide>>,
}

impl AsRef<[u8]> for LentMessage {
    fn as_ref(&self) -> &[u8] {
        self.message.payload()
    }
}
