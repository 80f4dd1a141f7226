//! librdkafka's errors in the words of the ports: who is to blame, and whether trying again can help.

use hashward_engine::PortError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// The port's name in errors.
pub(crate) const PORT: &str = "kafka";

/// Names the culprit of an error that ends the work.
pub(crate) fn port_error(doing: &str, error: &KafkaError) -> PortError {
    let detail = format!("{doing}: {}", told(error));
    match error.rdkafka_error_code() {
        Some(code) if is_fenced(code) => PortError::Fenced { port: PORT, detail },
        Some(code) if is_refusal(code) => PortError::Refused { port: PORT, detail },
        None if matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)) => {
            PortError::Refused { port: PORT, detail }
        }
        _ => PortError::Unavailable { port: PORT, detail },
    }
}

/// The error as text. A setting's value is never told: it may be a secret under a misspelled name.
pub(crate) fn told(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, _, name, _) => {
            format!("librdkafka has no setting {name:?}, or not with this value: see its CONFIGURATION.md")
        }
        error => error.to_string(),
    }
}

/// Another worker with the same transactional or group instance id is at work.
pub(crate) fn is_fenced(code: Code) -> bool {
    matches!(code, Code::Fenced | Code::ProducerFenced | Code::FencedInstanceId | Code::InvalidProducerEpoch)
}

/// The broker will give the same answer tomorrow.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::ClusterAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::InvalidTransactionTimeout
            | Code::MessageSizeTooLarge
            | Code::InvalidRecord
            | Code::UnsupportedSASLMechanism
    )
}
