//! The keys that a configuration may have, read from the generated schema, and the nearest one to a wrong
//! word.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::nearest::nearest;

use super::raw::RawConfig;

/// The JSON Schema of the configuration, with every part in its place rather than behind a reference.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<RawConfig>().to_value()
}

/// What a key holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// More keys.
    Section,
    /// A table of names that Hashward does not know beforehand.
    Open,
    /// Such a table in which each name has a whole number.
    OpenNumbers,
    /// Text, or one of some words.
    Text,
    /// A list of texts.
    List,
    /// A number or a switch.
    Other,
}

impl Kind {
    /// Whether names that are not known beforehand may stand below the key.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::OpenNumbers)
    }
}

/// Every key, dotted, with what it holds and the field's part of the schema.
pub(crate) struct Keys(BTreeMap<String, (Kind, Value)>);

impl Keys {
    /// The keys of the schema.
    pub(crate) fn new() -> Self {
        let mut keys = BTreeMap::new();
        add(&schema(), "", &mut keys);
        Self(keys)
    }

    /// What the dotted key holds, if it is known.
    pub(crate) fn kind(&self, key: &str) -> Option<Kind> {
        self.0.get(key).map(|(kind, _)| *kind)
    }

    /// The field's part of the schema.
    pub(crate) fn field(&self, key: &str) -> Option<&Value> {
        self.0.get(key).map(|(_, field)| field)
    }

    /// Finds the known key at the head of a dotted one. What is left behind an open table is a name in that
    /// table.
    pub(crate) fn resolve<'a>(&self, dotted: &'a str) -> Option<(Kind, &'a str, &'a str)> {
        if let Some(kind) = self.kind(dotted) {
            return Some((kind, dotted, ""));
        }
        let heads = dotted.match_indices('.').map(|(at, _)| (&dotted[..at], &dotted[at + 1..]));
        let open = |head| self.kind(head).filter(|kind| kind.is_open());
        heads.filter(|(_, name)| !name.is_empty()).find_map(|(head, name)| Some((open(head)?, head, name)))
    }

    /// The message for a key that is not known.
    pub(crate) fn unknown(&self, dotted: &str) -> String {
        match self.nearest(dotted) {
            Some(near) => format!("unknown key; did you mean {near}?"),
            None => "unknown key; `hashward config reference` shows every key".to_owned(),
        }
    }

    fn nearest(&self, dotted: &str) -> Option<&str> {
        let (section, name) = dotted.rsplit_once('.').unwrap_or(("", dotted));
        let known_section = self.kind(section) == Some(Kind::Section);
        if known_section {
            // The section's name says nothing about how alike the words are.
            let prefix = format!("{section}.");
            let names = self.0.keys().filter_map(|key| key.strip_prefix(&prefix));
            let near = nearest(name, names).map(|near| format!("{prefix}{near}"));
            if let Some((key, _)) = near.and_then(|near| self.0.get_key_value(&near)) {
                return Some(key);
            }
        }
        // Else the right word in the wrong section is the likeliest slip.
        let elsewhere = self.0.keys().find(|key| key.rsplit_once('.').is_some_and(|(_, last)| last == name));
        let anywhere = || nearest(dotted, self.0.keys().map(String::as_str)).filter(|_| !known_section);
        elsewhere.map(String::as_str).or_else(anywhere)
    }
}

fn add(schema: &Value, prefix: &str, keys: &mut BTreeMap<String, (Kind, Value)>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, field) in properties {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let kind = match field["type"].as_str() {
            Some("object") if field["properties"].is_object() => Kind::Section,
            Some("object") if field["additionalProperties"]["type"] == "integer" => Kind::OpenNumbers,
            Some("object") => Kind::Open,
            Some("array") => Kind::List,
            Some("integer" | "number" | "boolean") => Kind::Other,
            _ => Kind::Text,
        };
        add(field, &key, keys);
        keys.insert(key, (kind, field.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known() {
        let keys = Keys::new();
        for (key, kind) in [
            ("instance", Kind::Text),
            ("kafka", Kind::Section),
            ("kafka.settings", Kind::Open),
            ("guard.rollout_percent", Kind::OpenNumbers),
            ("kafka.delivery", Kind::Text),
            ("kafka.topics", Kind::List),
            ("line.open_threads", Kind::Other),
            ("http.enabled", Kind::Other),
        ] {
            assert_eq!(keys.kind(key), Some(kind), "{key}");
        }
        assert_eq!(keys.kind("kafka.settings.sasl.username"), None);
        let resolved = keys.resolve("kafka.settings.sasl.username");
        assert_eq!(resolved, Some((Kind::Open, "kafka.settings", "sasl.username")));
        let resolved = keys.resolve("guard.rollout_percent.eu.common");
        assert_eq!(resolved, Some((Kind::OpenNumbers, "guard.rollout_percent", "eu.common")));
        assert_eq!(keys.resolve("line.open"), None);
    }

    #[test]
    fn near_words() {
        let keys = Keys::new();
        for (wrong, right) in [
            ("kafak.topics", "kafka.topics"),
            ("line.digest_thread", "line.digest_threads"),
            ("digest_threads", "line.digest_threads"),
            ("kafka.records_max", "batch.records_max"),
            ("instanse", "instance"),
        ] {
            assert_eq!(keys.unknown(wrong), format!("unknown key; did you mean {right}?"));
        }
        assert!(keys.unknown("zebra").contains("hashward config reference"));
    }

    #[test]
    fn every_field_is_documented() {
        for (key, (kind, field)) in &Keys::new().0 {
            assert!(
                field["description"].as_str().is_some_and(|text| text.ends_with('.')),
                "{key}: no description"
            );
            if *kind != Kind::Section {
                assert!(field["examples"].as_array().is_some_and(|all| !all.is_empty()), "{key}: no example");
                assert!(!field["default"].is_null(), "{key}: no default");
            }
        }
    }
}
