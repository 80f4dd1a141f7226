//! The straight line: batch → digest → lookup → policy → alerts, and the ports on both ends.
//!
//! This crate knows no Kafka, no HTTP and no async runtime, so that a provider can embed it whole. [`check()`] is the one
//! function that decides; [`pipeline::run`] is the one place where the line is put together.

mod alerting;
mod at_least_once;
mod batch;
mod breaker;
mod check;
mod conditions;
mod decider;
pub mod desk;
mod health;
mod judge;
pub mod lists;
mod live;
mod metrics;
pub mod outgoing;
pub mod pipeline;
mod policy;
mod ports;
mod prefix;
mod rollout;
mod shared_sink;
mod snapshot;
mod stop;
mod tally;
mod weigh;

pub use alerting::alert;
pub use at_least_once::{AtLeastOnce, AtLeastOnceOptions};
pub use batch::{Batch, Header, Open, Payload, Position, Record, StreamId};
pub use breaker::{BREAKER_ENTRIES_MAX, BreakerLimits};
pub use check::{Content, check, check_all};
pub use conditions::{Conditions, EntryKey, Tripped};
pub use decider::Decider;
pub use desk::Desk;
pub use hashward_core as core;
pub use health::{Health, Part};
pub use judge::{Judge, JudgeOptions, Judged, Notable, read_content};
pub use lists::{ListIndexError, LoadedList};
pub use live::Live;
pub use metrics::{METRICS, MetricDoc, Metrics};
pub use outgoing::{Outgoing, Quarantined};
pub use policy::{Policy, Stage};
pub use ports::{AlertSink, Checkpoint, Delivery, PortError, Source, Ticket};
pub use prefix::Prefix;
pub use rollout::Rollout;
pub use shared_sink::SharedSink;
pub use snapshot::Snapshot;
pub use stop::Stop;
pub use weigh::is_valid;
