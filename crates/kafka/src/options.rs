use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::Form;

/// How to reach Kafka, and what to do there.
#[derive(Clone)]
pub struct KafkaOptions {
    /// Addresses of some brokers, `host:port`.
    pub bootstrap_servers: Vec<String>,
    /// The consumer group: workers with the same group share the partitions.
    pub group_id: String,
    /// The topics with content.
    pub topics: Vec<String>,
    /// How a record without CloudEvents headers is read.
    pub form: Form,
    /// Where alerts go.
    pub alerts_topic: String,
    /// Where records go that could not be judged.
    pub quarantine_topic: String,
    /// Names this worker's transactions; no other worker may use it.
    pub transactional_id: String,
    /// This worker's name, told in each alert.
    pub instance: String,
    /// Records in one batch, at most.
    pub batch_records_max: usize,
    /// Bytes of content after which a batch is closed.
    pub batch_bytes_max: usize,
    /// How long a batch is kept open after its first record.
    pub batch_wait: Duration,
    /// How often settled offsets are committed (at least once).
    pub commit_interval: Duration,
    /// How long a revoked partition is kept until what was read of it is delivered and committed.
    pub rebalance_drain: Duration,
    /// How long librdkafka tries to deliver one message.
    pub delivery_timeout: Duration,
    /// How long a transaction may be tried before the worker gives up.
    pub unavailable_max: Duration,
    /// Settings for every librdkafka client.
    pub settings: BTreeMap<String, String>,
    /// Settings for the consumer, over `settings`.
    pub consumer_settings: BTreeMap<String, String>,
    /// Settings for the producer, over `settings`.
    pub producer_settings: BTreeMap<String, String>,
}

impl fmt::Debug for KafkaOptions {
    /// Settings hold passwords, so only their names are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |settings: &BTreeMap<String, String>| settings.keys().cloned().collect::<Vec<_>>();
        f.debug_struct("KafkaOptions")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("group_id", &self.group_id)
            .field("topics", &self.topics)
            .field("settings", &names(&self.settings))
            .field("consumer_settings", &names(&self.consumer_settings))
            .field("producer_settings", &names(&self.producer_settings))
            .finish_non_exhaustive()
    }
}
