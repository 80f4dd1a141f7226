//! Kafka in and out, over librdkafka.
//!
//! Content comes from a consumer group; alerts leave through an idempotent producer. There are two promises to choose
//! from. **At least once**: a [`KafkaSink`] acknowledges, and a [`KafkaCheckpoint`] commits the contiguous prefix.
//! **Transactional**: a [`Transactional`] delivery puts a batch's alerts and its offsets into one transaction, so that
//! a reader of committed messages sees each alert once.

mod announcements;
mod assignment;
mod checkpoint;
mod client;
mod context;
mod error;
mod form;
mod headers;
mod options;
mod polled;
mod probe;
mod record;
mod settings;
mod sink;
mod source;
mod transaction;

pub use announcements::{Announcement, Announcements, announce};
pub use checkpoint::KafkaCheckpoint;
pub use client::{AtLeastOnceParts, TransactionalParts, at_least_once, sink, transactional};
pub use form::{Form, OpenReference, parse_digests};
pub use options::KafkaOptions;
pub use probe::{Problem, probe};
pub use settings::{OWNED_SETTINGS, owned_setting};
pub use sink::KafkaSink;
pub use source::KafkaSource;
pub use transaction::Transactional;
