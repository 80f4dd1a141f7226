//! The layers of the configuration: defaults < file < environment < flags, each checked key by key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::finding::{ConfigError, Finding, Places};
use super::keys::{Keys, Kind};
use super::settings::is_secret;

/// Variables that set a field begin like this; `__` stands between the parts of the key.
pub(crate) const VARIABLE_PREFIX: &str = "HASHWARD__";
/// A configuration file is read whole; nobody writes one larger than 1 MiB by hand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where the layers above the defaults come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The configuration file, if one is named.
    pub(crate) file: Option<PathBuf>,
    /// The process's environment.
    pub(crate) environment: Vec<(String, String)>,
    /// The flags, in the order in which they apply.
    pub(crate) flags: Vec<Flag>,
}

/// A flag that sets a field.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    /// The flag as the user knows it, such as `--list`.
    pub(crate) name: String,
    /// The dotted key that it sets.
    pub(crate) key: String,
    /// The value.
    pub(crate) value: FlagValue,
}

/// The value that a flag sets.
#[derive(Clone, Debug)]
pub(crate) enum FlagValue {
    /// As it is.
    Typed(Value),
    /// To be read as a value of TOML, else as text.
    Text(String),
}

/// All layers merged: a value for each dotted key that some layer sets, and where it was set.
#[derive(Default)]
pub(crate) struct Layered {
    /// The values.
    pub(crate) values: BTreeMap<String, Value>,
    /// Where each was written.
    pub(crate) places: Places,
    findings: Vec<Finding>,
}

impl Layered {
    /// Reads all layers. Everything that is wrong with any of them is told at once.
    pub(crate) fn gather(sources: &Sources, keys: &Keys) -> Result<Self, ConfigError> {
        let mut layered = Self::default();
        if let Some(path) = &sources.file {
            layered.file(path, keys)?;
        }
        for (variable, text) in &sources.environment {
            let Some(parts) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
            layered.text(&variable_key(parts, keys), text, variable, keys);
        }
        for flag in &sources.flags {
            match &flag.value {
                FlagValue::Text(text) => layered.text(&flag.key, text, &flag.name, keys),
                FlagValue::Typed(value) => layered.put(&flag.key, value.clone(), &flag.name, keys),
            }
        }
        if layered.findings.is_empty() { Ok(layered) } else { Err(ConfigError(layered.findings)) }
    }

    fn file(&mut self, path: &Path, keys: &Keys) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| Finding::at(&shown, format_args!("cannot be read: {error}"));
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            let what = format_args!("{bytes} bytes: a configuration file has at most {FILE_BYTES_MAX}");
            return Err(Finding::at(&shown, what).into());
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        // The parser's own display quotes the line, which may hold a password. Only its message is told.
        let syntax = |error: toml::de::Error| {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            Finding::at(format_args!("{shown}:{line}:{column}"), error.message())
        };
        let places = DeTable::parse(&text).map_err(syntax)?;
        let values: Table = toml::from_str(&text).map_err(syntax)?;
        let file = FileText { name: &shown, text: &text };
        self.section(&file, places.get_ref(), &values, "", keys);
        Ok(())
    }

    fn section(
        &mut self,
        file: &FileText<'_>,
        table: &DeTable<'_>,
        values: &Table,
        prefix: &str,
        keys: &Keys,
    ) {
        // In the order of the file, so that errors are told in it.
        let mut items: Vec<_> = table.iter().collect();
        items.sort_by_key(|(name, _)| name.span().start);
        for (name, item) in items {
            let name_text = name.get_ref().as_ref();
            let key = if prefix.is_empty() { name_text.to_owned() } else { format!("{prefix}.{name_text}") };
            let value = &values[name_text];
            let place = file.place(name);
            match (keys.kind(&key), item.get_ref(), value) {
                (
                    Some(Kind::Section | Kind::Open | Kind::OpenNumbers),
                    DeValue::Table(inner),
                    Value::Table(values),
                ) => {
                    self.section(file, inner, values, &key, keys);
                }
                _ => self.put(&key, value.clone(), &place, keys),
            }
        }
    }

    /// Sets a key from text, as variables and `--set` bring it.
    fn text(&mut self, key: &str, text: &str, place: &str, keys: &Keys) {
        let read = parse_value(text);
        let value = match keys.resolve(key) {
            // A name of a table takes text as it stands: "1e5" or "true" must reach librdkafka unchanged.
            Some((Kind::Open, _, name)) if !name.is_empty() => verbatim(read, text),
            Some((Kind::Text, ..)) => verbatim(read, text),
            _ => read.unwrap_or_else(|| Value::String(text.to_owned())),
        };
        self.put(key, value, place, keys);
    }

    /// Sets a key of any kind. An open table's members are set one by one, so that layers add to one another.
    fn put(&mut self, key: &str, value: Value, place: &str, keys: &Keys) {
        let finding =
            |what: String| Finding { place: Some(place.to_owned()), key: Some(key.to_owned()), what };
        match (keys.resolve(key), value) {
            (None, _) => self.findings.push(finding(keys.unknown(key))),
            (Some((Kind::Section | Kind::Open | Kind::OpenNumbers, ..)), Value::Table(members)) => {
                for (name, member) in members {
                    self.put(&format!("{key}.{name}"), member, place, keys);
                }
            }
            (Some((Kind::Section, ..)), _) => {
                self.findings.push(finding(format!("this is a section: set its fields, such as in [{key}]")));
            }
            (Some(_), value) => {
                self.values.insert(key.to_owned(), value);
                self.places.set(key, place);
            }
        }
    }

    /// The values as one nested table. What stands behind an open table is one name, dots and all.
    pub(crate) fn table(&self, keys: &Keys) -> Table {
        let mut root = Table::new();
        for (key, value) in &self.values {
            let Some((_, head, name)) = keys.resolve(key) else { continue };
            let mut path: Vec<&str> = head.split('.').collect();
            if !name.is_empty() {
                path.push(name);
            }
            let last = path.pop().unwrap_or_default();
            let mut table = &mut root;
            for part in path {
                let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
                let Value::Table(inner) = inner else { unreachable!("sections are tables") };
                table = inner;
            }
            table.insert(last.to_owned(), value.clone());
        }
        root
    }

    /// The value of a key as an error message may show it.
    pub(crate) fn shown(&self, key: &str) -> Option<String> {
        const SHOWN_CHARS_MAX: usize = 80;
        let hidden = is_secret(key) && key.contains("settings");
        let value = self.values.get(key).filter(|_| !hidden)?.to_string();
        let short = value.chars().count() <= SHOWN_CHARS_MAX;
        Some(if short { value } else { value.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect() })
    }
}

struct FileText<'a> {
    name: &'a str,
    text: &'a str,
}

impl FileText<'_> {
    fn place<T>(&self, spanned: &Spanned<T>) -> String {
        format!("{}:{}", self.name, position(self.text, spanned.span().start).0)
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The dotted key of a variable's name behind the prefix. Names of librdkafka have dots where variables
/// cannot: an underscore stands for one. The ids of lists may have both, so that an underscore stays one.
fn variable_key(parts: &str, keys: &Keys) -> String {
    let dotted = parts.to_lowercase().replace("__", ".");
    match keys.resolve(&dotted) {
        Some((Kind::Open, head, name)) if !name.is_empty() => format!("{head}.{}", name.replace('_', ".")),
        _ => dotted,
    }
}

fn parse_value(text: &str) -> Option<Value> {
    let document = format!("value = {text}");
    let mut table: Table = toml::from_str(&document).ok()?;
    // More than one key: the text had a line break and was no value.
    (table.len() == 1).then(|| table.remove("value"))?
}

/// Text as it stands, unless it was quoted as TOML quotes text.
fn verbatim(read: Option<Value>, text: &str) -> Value {
    read.filter(Value::is_str).unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(position("ab\ncd", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
        assert_eq!(position("é\né=", 4), (2, 1));
        assert_eq!(position("", 9), (1, 1));
    }

    #[test]
    fn values_of_text() {
        assert_eq!(parse_value("7"), Some(Value::Integer(7)));
        assert_eq!(parse_value("[\"a\"]"), Some(Value::Array(vec!["a".into()])));
        assert_eq!(parse_value("plain words"), None);
        assert_eq!(parse_value("1\nother = 2"), None);
        assert_eq!(verbatim(parse_value("007"), "007"), Value::String("007".to_owned()));
        assert_eq!(verbatim(parse_value("\"x\""), "\"x\""), Value::String("x".to_owned()));
    }
}
