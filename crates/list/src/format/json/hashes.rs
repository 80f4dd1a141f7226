//! Hashes beside their names: `{"HashName": …, "HashValue": …}`, an array of such, or a plain value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar::Scalar;

/// Names and values; a plain value has no name.
#[derive(Debug, Default)]
pub(in crate::format) struct Hashes<'a>(pub(in crate::format) Vec<(Scalar<'a>, Scalar<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Hashes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyHashes)
    }
}

struct AnyHashes;

impl<'de> Visitor<'de> for AnyHashes {
    type Value = Hashes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hashes with names, or a hash")
    }

    fn visit_unit<E: Error>(self) -> Result<Hashes<'de>, E> {
        Ok(Hashes::default())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Hashes<'de>, E> {
        Ok(Hashes(vec![(Scalar::Null, Scalar::Text(text.into()))]))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Hashes<'de>, E> {
        Ok(Hashes(vec![(Scalar::Null, Scalar::Text(text.to_owned().into()))]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Hashes<'de>, A::Error> {
        let (mut name, mut value) = (Scalar::Null, Scalar::Null);
        while let Some(key) = members.next_key::<Scalar<'de>>()? {
            match key {
                Scalar::Text(key) if key == "HashName" => name = members.next_value()?,
                Scalar::Text(key) if key == "HashValue" => value = members.next_value()?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Hashes(vec![(name, value)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Hashes<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(Hashes(hashes)) = elements.next_element()? {
            all.extend(hashes);
        }
        Ok(Hashes(all))
    }
}
