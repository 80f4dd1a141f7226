//! What is generated from the configuration's structs: the schema, the reference, and the effective values.

use std::fmt::Write as _;

use serde_json::Value;

use super::Config;
use super::keys::{Keys, schema};
use super::raw::RawConfig;

/// The widest line of the reference, in characters.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Every field of Hashward's configuration, with its default. Written by `hashward config reference`.
#
# A configuration names only what differs from this. Layers, each over the one before:
#   1. these defaults
#   2. the file: --config FILE, else the variable HASHWARD_CONFIG
#   3. variables: HASHWARD__SECTION__FIELD=value, such as HASHWARD__LINE__OPEN_THREADS=16. The value is
#      one of TOML, else text. HASHWARD__KAFKA__SETTINGS__SASL_PASSWORD=… sets \"sasl.password\" in
#      [kafka.settings].
#   4. flags: --set line.open_threads=16, --list FILE and the like
#
# Relative paths start at the working directory. Units are in the names: _ms is milliseconds.
";

/// The JSON Schema as text.
pub(crate) fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    text.push('\n');
    text
}

/// The reference: every field with its meaning, example and default.
pub(crate) fn reference() -> String {
    let keys = Keys::new();
    let defaults = toml::to_string(&RawConfig::default()).expect("the defaults are TOML");
    let mut text = HEAD.to_owned();
    let mut section = String::new();
    for line in defaults.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            describe(&mut text, &keys, name);
            text.push_str(line);
            text.push('\n');
        } else if let Some((field, _)) = line.split_once(" = ") {
            let key = if section.is_empty() { field.to_owned() } else { format!("{section}.{field}") };
            describe(&mut text, &keys, &key);
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Writes the comment above a field or section.
fn describe(text: &mut String, keys: &Keys, key: &str) {
    let Some(field) = keys.field(key) else { return };
    text.push('\n');
    for paragraph in field["description"].as_str().unwrap_or_default().split("\n\n") {
        comment(text, paragraph, "# ");
    }
    for choice in field["oneOf"].as_array().into_iter().flatten() {
        let word = &choice["const"];
        let meaning = choice["description"].as_str().unwrap_or_default();
        comment(text, &format!("- {word}: {meaning}"), "#   ");
    }
    if let Some(example) = field["examples"].get(0) {
        let name = key.rsplit('.').next().unwrap_or(key);
        let shown = match example {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| format!("{name:?} = {value}"))
                .collect::<Vec<_>>()
                .join(", "),
            value => format!("{name} = {}", inline(value)),
        };
        writeln!(text, "# Example: {shown}").expect("writing to memory");
    }
}

/// A value as TOML writes it on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Writes text as comment lines no wider than [`WIDTH`].
fn comment(text: &mut String, paragraph: &str, lead: &str) {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if !line.is_empty() && lead.len() + line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(text, "{lead}{line}").expect("writing to memory");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(text, "{lead}{line}").expect("writing to memory");
}

/// The effective configuration, all layers merged, without secrets.
pub(crate) fn show(config: &Config, json: bool) -> String {
    if json {
        let mut text = serde_json::to_string_pretty(&config.raw).expect("a configuration is JSON");
        text.push('\n');
        return text;
    }
    toml::to_string(&config.raw).expect("a configuration is TOML")
}
