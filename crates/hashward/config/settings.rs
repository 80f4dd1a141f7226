//! Settings that are passed on to librdkafka, some of which are secrets.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// What stands where a secret would.
pub(crate) const REDACTED: &str = "(secret)";

/// Settings by name. Neither `Debug` nor `Serialize` shows a value that may be a secret.
#[derive(Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Settings(BTreeMap<String, Scalar>);

/// A value: librdkafka takes text, and people may write it as they would in TOML.
#[derive(Clone, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
enum Scalar {
    /// A switch.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl Settings {
    /// Each setting with its value as librdkafka takes it. The values may be secrets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.to_string()))
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn shown(&self) -> impl Iterator<Item = (&str, Scalar)> {
        self.0.iter().map(|(name, value)| {
            let shown = if is_secret(name) { Scalar::Text(REDACTED.to_owned()) } else { value.clone() };
            (name.as_str(), shown)
        })
    }
}

/// Whether a setting of this name may hold a secret. Rather one too many: a key's location is one too.
pub(crate) fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "secret", "passphrase", "credential", "token", "key", "oauthbearer.config"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown().map(|(name, value)| (name, value.to_string()))).finish()
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let pairs = [("sasl.password", "hunter2"), ("ssl.key.pem", "PEM"), ("security.protocol", "SASL_SSL")];
        let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name:?} = {value:?}")).collect();
        let settings: Settings = toml::from_str(&text.join("\n")).unwrap();
        let shown = format!("{settings:?} {}", toml::to_string(&settings).unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("PEM"), "{shown}");
        assert!(shown.contains("SASL_SSL"), "{shown}");
        let password = settings.iter().find(|(name, _)| *name == "sasl.password");
        assert_eq!(password, Some(("sasl.password", "hunter2".to_owned())));
    }

    #[test]
    fn values_become_text() {
        let settings: Settings = toml::from_str("a = true\nb = 7\nc = 0.5\nd = \"x\"").unwrap();
        let values: Vec<String> = settings.iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["true", "7", "0.5", "x"]);
    }
}
