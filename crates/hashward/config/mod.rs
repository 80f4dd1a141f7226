//! The configuration: TOML as written → layers merged → every value checked.

mod checked;
mod document;
mod finding;
mod gate;
mod host;
mod keys;
mod layers;
mod raw;
mod scanners;
mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod topology;

use std::path::PathBuf;

use toml::Value;

pub(crate) use checked::{
    AlertsKind, Config, DeliveryKind, Evidence, Form, Guard, Lists, LogFormat, SourceKind, Subscriptions,
};
pub(crate) use document::{reference, schema_text, show};
pub(crate) use finding::{ConfigError, Finding};
pub(crate) use gate::{CommonDoor, Gate};
pub(crate) use layers::{Flag, FlagValue, Sources};
pub(crate) use scanners::{ClamdDoor, IcapDoor};
pub(crate) use settings::Settings;

use crate::nearest::nearest;
use keys::Keys;
use layers::Layered;
use raw::RawConfig;

/// The variable that names the configuration file where no flag does.
pub(crate) const FILE_VARIABLE: &str = "HASHWARD_CONFIG";

/// The sources of one process: the file named by flag or variable, the environment, the flags.
pub(crate) fn sources(file: Option<PathBuf>, flags: Vec<Flag>) -> Sources {
    // A variable that is not Unicode cannot be one of ours: names and values of fields are.
    let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = variables.filter(|(name, _)| name.starts_with(layers::VARIABLE_PREFIX));
    let environment = ours.map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect();
    let from_variable = || std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    Sources { file: file.or_else(from_variable), environment, flags }
}

/// Reads, merges and checks the layers.
pub(crate) fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let keys = Keys::new();
    let mut layered = Layered::gather(sources, &keys)?;
    let raw = typed(&mut layered, &keys)?;
    let Layered { places, .. } = layered;
    match Config::try_from(raw) {
        Ok(config) => Ok(Config { places, ..config }),
        Err(ConfigError(findings)) => {
            Err(ConfigError(findings.into_iter().map(|finding| places.mark(finding)).collect()))
        }
    }
}

/// Gives the merged values their types. A value of a wrong type is told and left out, so that the next one is
/// found too.
fn typed(layered: &mut Layered, keys: &Keys) -> Result<RawConfig, ConfigError> {
    let mut findings = Vec::new();
    loop {
        let table = Value::Table(layered.table(keys));
        let error = match serde_path_to_error::deserialize::<_, RawConfig>(table) {
            Ok(raw) if findings.is_empty() => return Ok(raw),
            Ok(_) => return Err(ConfigError(findings)),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let at_fault =
            layered.values.keys().filter(|key| is_at(&path, key)).max_by_key(|key| key.len()).cloned();
        let Some(key) = at_fault else {
            findings.push(Finding::of(&path, error.inner().message()));
            return Err(ConfigError(findings));
        };
        let shown = layered.shown(&key).map(|value| format!("{value}: ")).unwrap_or_default();
        let what = format!("{shown}{}", expected(error.inner().message(), &key, layered, keys));
        findings.push(layered.places.mark(Finding::of(&key, what)));
        layered.values.remove(&key);
    }
}

/// Whether the path of an error leads to `key` or into its value.
fn is_at(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What would be right, in words, from the message of the deserializer.
fn expected(message: &str, key: &str, layered: &Layered, keys: &Keys) -> String {
    let message = message.lines().next().unwrap_or_default();
    let wanted = message.rsplit_once("expected ").map_or(message, |(_, wanted)| wanted);
    let words = match wanted {
        "u64" | "i64" => "a whole number, 0 or more".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string" => "text in quotes".to_owned(),
        "a sequence" => "a list in brackets".to_owned(),
        other if other.contains("untagged") => "text, a number, true or false".to_owned(),
        other => other.replace('`', "\""),
    };
    let head = keys.resolve(key).map_or(key, |(_, head, _)| head);
    let value = layered.values.get(key).and_then(Value::as_str).unwrap_or_default();
    let choices: Vec<&str> = keys.field(head).map(choices).unwrap_or_default();
    if let Some(near) = nearest(value, choices.iter().copied()) {
        return format!("expected {words}; did you mean \"{near}\"?");
    }
    let example = keys.field(head).map(|field| field["examples"][0].to_string());
    match example {
        Some(example) if choices.is_empty() && head == key => format!("expected {words}, such as {example}"),
        _ => format!("expected {words}"),
    }
}

/// The words that a field takes, if it takes only some.
fn choices(field: &serde_json::Value) -> Vec<&str> {
    let one_of = field["oneOf"].as_array().into_iter().flatten();
    one_of.filter_map(|choice| choice["const"].as_str()).collect()
}

/// Checks whether the parts go together.
pub(crate) fn check_topology(config: &Config) -> Result<(), ConfigError> {
    let findings = topology::check(config);
    if findings.is_empty() { Ok(()) } else { Err(ConfigError(findings)) }
}
