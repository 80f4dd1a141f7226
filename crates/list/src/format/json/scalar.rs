//! Single values, as sources write them: numbers and booleans in quotes or without.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Problem;
use crate::format::out::Fault;

/// A value that may be of another type than it should be, so that the reader can say which field is wrong.
#[derive(Clone, Debug, Default)]
pub(in crate::format) enum Scalar<'a> {
    #[default]
    Null,
    Flag(bool),
    Whole(u64),
    /// A number that is negative, broken or too large.
    Number(f64),
    Text(Cow<'a, str>),
    /// An object or an array.
    Other,
}

impl Scalar<'_> {
    /// Text, or `None` for null and empty text.
    pub(in crate::format) fn text(&self, field: &'static str) -> Result<Option<&str>, Fault> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            _ => Err(Fault::of(field, Problem::NotA("text"))),
        }
    }

    /// Text as it stands, even if it is empty.
    pub(in crate::format) fn exact(&self, field: &'static str) -> Result<Option<String>, Fault> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text.clone().into_owned())),
            _ => Err(Fault::of(field, Problem::NotA("text"))),
        }
    }

    /// Text, or a number or a flag as text.
    pub(in crate::format) fn word(&self, field: &'static str) -> Result<Option<String>, Fault> {
        match self {
            Self::Flag(flag) => Ok(Some(flag.to_string())),
            Self::Whole(number) => Ok(Some(number.to_string())),
            Self::Number(number) => Ok(Some(number.to_string())),
            _ => Ok(self.text(field)?.map(str::to_owned)),
        }
    }

    pub(in crate::format) fn whole(&self, field: &'static str) -> Result<Option<u64>, Fault> {
        let wrong = Fault::of(field, Problem::NotA("a whole number"));
        match self {
            Self::Whole(number) => Ok(Some(*number)),
            Self::Null | Self::Text(_) => match self.text(field)? {
                Some(text) => text.parse().map(Some).map_err(|_| wrong),
                None => Ok(None),
            },
            _ => Err(wrong),
        }
    }

    pub(in crate::format) fn flag(&self, field: &'static str) -> Result<Option<bool>, Fault> {
        match self {
            Self::Flag(flag) => Ok(Some(*flag)),
            Self::Whole(number @ 0..=1) => Ok(Some(*number == 1)),
            Self::Null | Self::Text(_) => self
                .text(field)?
                .map(|text| flag(text).map_err(|problem| Fault::of(field, problem)))
                .transpose(),
            _ => Err(Fault::of(field, Problem::NotA("true or false"))),
        }
    }

    /// A point of time (RFC 3339).
    pub(in crate::format) fn time(&self, field: &'static str) -> Result<Option<Timestamp>, Fault> {
        let wrong = |_| Fault::of(field, Problem::NotA("a time such as 2026-01-31T12:00:00Z"));
        self.text(field)?.map(|text| text.parse().map_err(wrong)).transpose()
    }
}

/// Yes or no, as people and tools write it.
pub(in crate::format) fn flag(text: &str) -> Result<bool, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err(Problem::NotA("true or false")),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number))
    }

    #[allow(clippy::cast_precision_loss, reason = "a negative number is wrong wherever it stands")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(number).map_or(Scalar::Number(number as f64), Scalar::Whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Scalar<'de>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Scalar<'de>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The elements of an array; none for null.
#[derive(Debug)]
pub(in crate::format) struct Several<T>(pub(in crate::format) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Vec<T>>::deserialize(deserializer).map(|several| Self(several.unwrap_or_default()))
    }
}

/// Reads an item with `serde_json`; what it says of an error could show a digest, so only the place is kept.
pub(in crate::format) fn from_item<'a, T: Deserialize<'a>>(item: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(item).map_err(|error| {
        // Lines of an item are counted like the file's; the place is told in bytes of the item.
        let before = item.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
        Problem::Json { byte: before.map(<[u8]>::len).sum::<usize>() + error.column() }.into()
    })
}
