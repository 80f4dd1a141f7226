//! The holes in the straight line into which Kafka, folders and files are plugged.
//!
//! A **source** reads batches. A **delivery** carries what a batch gave rise to out, and only then commits: the
//! contiguous prefix of each stream, never a record more. [`crate::AtLeastOnce`] makes a delivery of an **alert sink**
//! and a **checkpoint**; a source whose offsets and alerts share one transaction brings a delivery of its own.

use std::time::{Duration, Instant};

use hashward_core::Decision;

use crate::{Batch, Judged, Outgoing, Position, StreamId};

/// Why a port cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// What is behind the port does not answer, or has no room. It may pass: what was not delivered is still there.
    #[error("{port} is unavailable: {detail}")]
    Unavailable {
        /// The port's name in configuration, such as `kafka` or `alerts.file`.
        port: &'static str,
        /// What happened.
        detail: String,
    },
    /// Another instance with the same identity took over. Going on would deliver twice.
    #[error("{port}: another instance took over: {detail}")]
    Fenced {
        /// The port's name.
        port: &'static str,
        /// What happened.
        detail: String,
    },
    /// What is behind the port refuses us: credentials, rights, settings. Trying again changes nothing.
    #[error("{port} refuses: {detail}")]
    Refused {
        /// The port's name.
        port: &'static str,
        /// What happened.
        detail: String,
    },
}

/// Where content comes from.
pub trait Source: Send {
    /// Fills the empty `batch` with what has come. Waits no longer than the source's configured batch time after the
    /// first record, and not much longer for the first one; the batch may stay empty.
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), PortError>;

    /// Called again and again while the line is full, for at most `wait` each: the source takes in nothing new, and
    /// keeps up what it owes to others, such as its membership in a consumer group.
    fn hold(&mut self, wait: Duration) -> Result<(), PortError>;

    /// Whether the source can do its work now; if not, why.
    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The name that a delivery gives to something that it sent, until it is acknowledged. Opaque to the sink.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket(pub Position);

/// Where alerts and quarantined records go.
pub trait AlertSink: Send {
    /// Takes something to deliver. Returns before it is durable; may wait while the sink's own bounded queue is full.
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError>;

    /// Adds the tickets of what has become durable to `acknowledged`, in any order, waiting at most `wait` for the
    /// first. After an error nothing is lost: calling again tries again.
    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError>;
}

impl<S: AlertSink + ?Sized> AlertSink for Box<S> {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        (**self).send(ticket, outgoing)
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        (**self).acknowledged(wait, acknowledged)
    }
}

/// Where a source remembers how far it was read.
pub trait Checkpoint: Send {
    /// Told before a record is settled, for each record whose decision is not `allow`.
    fn decided(&mut self, _position: Position, _decision: &Decision) {}

    /// Everything of `stream` before offset `end` is done, for good. Streams that are no longer current are ignored.
    fn settle(&mut self, stream: StreamId, end: i64);

    /// Whether the source still owns `stream`.
    fn is_current(&self, stream: StreamId) -> bool;

    /// Makes what was settled durable where its time has come, or at once if `now`.
    fn commit(&mut self, now: bool) -> Result<(), PortError>;
}

/// Carries out what a batch gave rise to, then commits.
pub trait Delivery: Send {
    /// Takes a judged batch. Returns when there is room for the next one.
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError>;

    /// Called while no batch comes: collects late acknowledgements and commits what is due. Waits at most `wait`.
    fn idle(&mut self, wait: Duration) -> Result<(), PortError>;

    /// Finishes what is in flight, at the latest at `deadline`, and commits. Whether everything was finished.
    fn drain(&mut self, deadline: Instant) -> Result<bool, PortError>;
}
