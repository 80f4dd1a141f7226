//! Looks whether Kafka is as the configuration says, without joining the group or sending anything.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::told;
use crate::{KafkaOptions, settings};

/// Something that the configuration promises and Kafka does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The dotted key of the setting that leads there.
    pub key: &'static str,
    /// What is wrong, and what would be right.
    pub text: String,
}

/// Asks the brokers for each topic, waiting at most `timeout` for each answer.
pub fn probe(options: &KafkaOptions, reads: bool, sends: bool, timeout: Duration) -> Vec<Problem> {
    let client: Result<BaseConsumer, KafkaError> =
        settings::common(options, &options.consumer_settings).create();
    let client = match client {
        Ok(client) => client,
        Err(error) => return vec![Problem { key: "kafka.settings", text: told(&error) }],
    };
    let content = options.topics.iter().map(|topic| ("kafka.topics", topic)).filter(|_| reads);
    let outgoing = [
        ("kafka.alerts_topic", &options.alerts_topic),
        ("kafka.quarantine_topic", &options.quarantine_topic),
    ];
    let outgoing = outgoing.into_iter().filter(|_| sends);
    let mut problems = Vec::new();
    for (key, topic) in content.chain(outgoing) {
        match client.fetch_metadata(Some(topic), timeout) {
            Ok(metadata) => {
                let found = metadata.topics().iter().find(|found| found.name() == topic);
                let exists =
                    found.is_some_and(|found| found.error().is_none() && !found.partitions().is_empty());
                if !exists {
                    problems
                        .push(Problem { key, text: format!("there is no topic {topic:?}: create it first") });
                }
            }
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                problems.push(Problem { key, text: format!("there is no topic {topic:?}: create it first") });
            }
            Err(error) => {
                let servers = options.bootstrap_servers.join(", ");
                let text = format!("no answer from {servers} within {} s: {error}", timeout.as_secs());
                problems.push(Problem { key: "kafka.bootstrap_servers", text });
                // The other topics would time out the same way.
                break;
            }
        }
    }
    problems
}
