//! The black-box tests: the real binary, a real Apache Kafka broker, real files. Nothing here knows how Hashward works
//! inside, except where it works out which alerts to expect.
#![allow(missing_docs, unreachable_pub, reason = "a test binary has no readers of its documentation")]
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "a test may compare floats, cast numbers, and panic"
)]

mod broker;
mod cli;
mod evidence;
mod evidence_elsewhere;
mod fixture;
mod gate;
mod gate_clamd;
mod gate_icap;
mod guard;
mod https;
mod inbox;
mod kafka_crash;
mod kafka_ends;
mod kafka_forms;
mod kafka_group;
mod kafka_outage;
mod kafka_pressure;
mod kafka_releases;
mod kafka_slow;
mod kafka_swaps;
mod list_damage;
mod list_fixture;
mod list_import;
mod list_life;
mod list_scan;
mod list_sealed;
mod list_usage;
mod lists_live;
mod notify;
mod observability;
mod privacy;
mod publisher;
mod release_desk;
mod release_house;
mod releases;
mod releases_web;
mod replicas;
mod structure;
mod tuf_python;
mod worker;
