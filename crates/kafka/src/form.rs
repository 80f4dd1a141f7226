//! In which form a record brings its content: the bytes themselves, a reference, or digests that the provider computed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashward_core::{Algorithm, Digest, Digests, Unreadable, UnreadableKind};
use hashward_engine::{Header, Open};
use serde_json::Value;

use crate::headers::text;

/// How the value of a record without `ce_dataref` is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// As stated digests where the content type or the value's shape says so, as content otherwise.
    #[default]
    Auto,
    /// Always as content: right for topics whose bytes the users of the provider choose.
    Content,
    /// Always as stated digests.
    Digests,
}

/// Makes the content that a reference names, to be opened later.
pub type OpenReference = Arc<dyn Fn(&str) -> Box<dyn Open> + Send + Sync>;

/// The media type that states digests whatever the value looks like.
const DIGESTS_TYPE: &str = "application/vnd.hashward.digests+json";
/// A value that states every digest there is, with room to spare.
const DIGESTS_BYTES_MAX: usize = 4096;

/// What a record brings.
pub(crate) enum Brought {
    /// The value is the content.
    Content,
    /// Content elsewhere.
    Reference(String),
    /// Digests.
    Digests(Box<Digests>),
    /// Nothing that can be judged.
    Unreadable(Unreadable),
}

/// Tells the form of a record.
pub(crate) fn brought(form: Form, headers: &[Header], value: &[u8]) -> Brought {
    if let Some(url) = text(headers, "ce_dataref") {
        return Brought::Reference(url);
    }
    let stated = |result: Result<Digests, Unreadable>| match result {
        Ok(digests) => Brought::Digests(Box::new(digests)),
        Err(reason) => Brought::Unreadable(reason),
    };
    match form {
        Form::Digests => stated(parse_digests(value)),
        Form::Auto if text(headers, "content-type").is_some_and(|kind| is_digests_type(&kind)) => {
            stated(parse_digests(value))
        }
        // By shape alone only what is right to the last digit is digests: everything else is content, and is hashed.
        Form::Auto if value.first() == Some(&b'{') => {
            parse_digests(value).map_or(Brought::Content, |digests| Brought::Digests(Box::new(digests)))
        }
        Form::Auto | Form::Content => Brought::Content,
    }
}

fn is_digests_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(DIGESTS_TYPE)
}

/// Reads `{"digests": {"<algorithm>": "<hex>", …}}`: at least one digest, and nothing else.
pub fn parse_digests(value: &[u8]) -> Result<Digests, Unreadable> {
    const EXPECTED: &str = r#"expected {"digests": {"<algorithm>": "<hexadecimal digits>"}}"#;
    let bad = |detail: String| Unreadable::new(UnreadableKind::BadDigests, detail);
    if value.len() > DIGESTS_BYTES_MAX {
        return Err(bad(format!("{} bytes: at most {DIGESTS_BYTES_MAX} can state digests", value.len())));
    }
    // The parser's own words may quote the value, so only the place is told.
    let mut parsed: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(value)
        .map_err(|error| bad(format!("line {}, column {}: {EXPECTED}", error.line(), error.column())))?;
    let stated = parsed.remove("digests").ok_or_else(|| bad(format!("no \"digests\": {EXPECTED}")))?;
    if !parsed.is_empty() {
        return Err(bad(format!("more than \"digests\": {EXPECTED}")));
    }
    if stated.is_empty() {
        return Err(bad(format!("no digest: {EXPECTED}")));
    }
    let mut digests = Digests::default();
    for (name, hex) in &stated {
        let algorithm: Algorithm = name.parse().map_err(|error| bad(format!("digests: {error}")))?;
        let hex = hex.as_str().ok_or_else(|| bad(format!("digests.{algorithm}: expected a string")))?;
        let digest = Digest::from_hex(algorithm, hex);
        digests.insert(&digest.map_err(|error| bad(format!("digests.{algorithm}: {error}")))?);
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn form_of(form: Form, headers: &[(&str, &str)], value: &[u8]) -> String {
        let headers: Vec<Header> = headers
            .iter()
            .map(|(name, value)| Header { name: (*name).to_owned(), value: Some(value.as_bytes().to_vec()) })
            .collect();
        match brought(form, &headers, value) {
            Brought::Content => "content".to_owned(),
            Brought::Reference(url) => format!("reference {url}"),
            Brought::Digests(digests) => format!("digests {}", digests.algorithms()),
            Brought::Unreadable(reason) => reason.to_string(),
        }
    }

    #[test]
    fn forms() {
        let stated = format!(r#"{{"digests": {{"md5": "{EMPTY_MD5}"}}}}"#);
        let stated = stated.as_bytes();
        let json = [("content-type", "application/vnd.hashward.digests+json; charset=utf-8")];
        assert_eq!(form_of(Form::Auto, &[], b"bytes"), "content");
        assert_eq!(form_of(Form::Auto, &[], stated), "digests md5");
        assert_eq!(form_of(Form::Content, &[], stated), "content");
        assert_eq!(form_of(Form::Auto, &json, stated), "digests md5");
        assert_eq!(form_of(Form::Auto, &[("ce_dataref", "file:///a")], stated), "reference file:///a");
        assert_eq!(form_of(Form::Auto, &[], br#"{"digests": {"md5": "00"}}"#), "content");
        assert_eq!(form_of(Form::Auto, &[], br#"{"digests": {}}"#), "content");
        assert_eq!(form_of(Form::Auto, &[], b""), "content");
    }

    #[test]
    fn errors_say_what_would_be_right() {
        for (value, expected) in [
            ("", "bad-digests: line 1, column 0: expected {"),
            ("[]", "bad-digests: line 1, column 0: expected {"),
            (r#"{"digest": {}}"#, "bad-digests: no \"digests\": expected {"),
            (r#"{"digests": {}}"#, "bad-digests: no digest: expected {"),
            (r#"{"digests": {"md5": 7}}"#, "bad-digests: digests.md5: expected a string"),
            (
                r#"{"digests": {"md5": "00"}}"#,
                "bad-digests: digests.md5: 2 hexadecimal digits: a digest of md5 has 32",
            ),
            (
                r#"{"digests": {"sha3": "00"}}"#,
                "bad-digests: digests: unknown digest algorithm \"sha3\": expected one",
            ),
        ] {
            let told = form_of(Form::Digests, &[], value.as_bytes());
            assert!(told.starts_with(expected), "{value}: {told}");
        }
        let deep = "[".repeat(4096);
        assert!(form_of(Form::Digests, &[], deep.as_bytes()).starts_with("bad-digests: line 1"));
        let long = " ".repeat(4097);
        assert!(form_of(Form::Digests, &[], long.as_bytes()).starts_with("bad-digests: 4097 bytes"));
    }
}
