//! Which librdkafka settings are the operator's, and which are Hashward's.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::KafkaOptions;

/// Settings on which Hashward's promises rest, and what to use instead.
pub const OWNED_SETTINGS: &[(&str, &str)] = &[
    ("acks", "always `all`: an alert counts as delivered when every in-sync replica has it"),
    ("auto.commit.enable", "always off: offsets are committed when their alerts are delivered"),
    ("auto.commit.interval.ms", "`kafka.commit_interval_ms`"),
    ("auto.offset.reset", "always `earliest`: starting at the end would skip uploads"),
    ("bootstrap.servers", "`kafka.bootstrap_servers`"),
    ("delivery.timeout.ms", "`kafka.delivery_timeout_ms`"),
    ("enable.auto.commit", "always off: offsets are committed when their alerts are delivered"),
    ("enable.auto.offset.store", "always off: offsets are committed when their alerts are delivered"),
    ("enable.gapless.guarantee", "always off: a message that failed is sent again"),
    ("enable.idempotence", "always on: a retry must not repeat an alert"),
    ("enable.partition.eof", "always off"),
    ("group.id", "`kafka.group_id`"),
    ("group.protocol", "always `classic`: cooperative-sticky assignment belongs to it"),
    ("isolation.level", "always `read_committed`: content of an aborted transaction was never uploaded"),
    ("message.timeout.ms", "`kafka.delivery_timeout_ms`"),
    ("metadata.broker.list", "`kafka.bootstrap_servers`"),
    ("offset.store.method", "always `broker`"),
    ("partition.assignment.strategy", "always `cooperative-sticky`: a rebalance stops only what moves"),
    ("request.required.acks", "always `all`: an alert counts as delivered when every in-sync replica has it"),
    ("statistics.interval.ms", "fixed: the lag metric is made from it"),
    ("transactional.id", "`kafka.transactional_id`"),
];

/// If Hashward owns the librdkafka setting `name`: what to use instead, or why it cannot be set.
pub fn owned_setting(name: &str) -> Option<&'static str> {
    OWNED_SETTINGS.iter().find(|(owned, _)| *owned == name).map(|(_, instead)| *instead)
}

/// How often librdkafka tells its statistics, from which the lag is made.
const STATISTICS_INTERVAL_MS: &str = "1000";

/// How long librdkafka waits before it fetches again once its queue was full, unless the operator sets it: its default of
/// a second lets a fast reader run dry.
const FETCH_QUEUE_BACKOFF_MS: &str = "10";

/// How long a transaction lives unless the operator sets `transaction.timeout.ms`: librdkafka's default.
const TRANSACTION_TIMEOUT_MS: u128 = 60_000;

/// The settings of every client: where the brokers are, and what the operator set.
pub(crate) fn common(options: &KafkaOptions, own: &BTreeMap<String, String>) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", format!("hashward-{}", options.instance));
    config.set("bootstrap.servers", options.bootstrap_servers.join(","));
    for (name, value) in options.settings.iter().chain(own) {
        config.set(name, value);
    }
    config
}

/// The consumer's settings.
pub(crate) fn consumer(options: &KafkaOptions) -> ClientConfig {
    let mut config = common(options, &options.consumer_settings);
    if config.get("fetch.queue.backoff.ms").is_none() {
        config.set("fetch.queue.backoff.ms", FETCH_QUEUE_BACKOFF_MS);
    }
    config
        .set("group.id", &options.group_id)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("statistics.interval.ms", STATISTICS_INTERVAL_MS);
    config
}

/// The settings of a consumer that reads for itself alone, outside of any group's assignment.
pub(crate) fn listener(options: &KafkaOptions, group_id: &str) -> ClientConfig {
    let mut config = common(options, &options.consumer_settings);
    config
        .set("group.id", group_id)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "false")
        // What was announced meanwhile is made up for by the next look.
        .set("auto.offset.reset", "latest");
    config
}

/// The producer's settings; with a transactional id, a transactional producer's.
pub(crate) fn producer(options: &KafkaOptions, transactional_id: Option<&str>) -> ClientConfig {
    let mut config = common(options, &options.producer_settings);
    config.set("enable.idempotence", "true").set("acks", "all");
    let mut message_timeout_ms = options.delivery_timeout.as_millis();
    if let Some(id) = transactional_id {
        config.set("transactional.id", id);
        // A message cannot be tried for longer than its transaction lives; then both are begun again.
        let set = config.get("transaction.timeout.ms").and_then(|value| value.parse().ok());
        message_timeout_ms = message_timeout_ms.min(set.unwrap_or(TRANSACTION_TIMEOUT_MS));
    }
    config.set("message.timeout.ms", message_timeout_ms.to_string());
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_settings_are_sorted_and_found() {
        assert!(OWNED_SETTINGS.is_sorted());
        assert_eq!(owned_setting("group.id"), Some("`kafka.group_id`"));
        assert_eq!(owned_setting("sasl.password"), None);
    }
}
