//! Canonical JSON as OLPC defined it: what signatures and key ids are made over.
//!
//! Objects' keys in order of code points, no white space, strings with `"` and `\` escaped and nothing else, whole
//! numbers only. <http://wiki.laptop.org/go/Canonical_JSON>, named by section 4.2.1.

use serde_json::Value;

/// Writes `value` in canonical form. `None` if it holds a number that is not whole: it has no canonical form.
pub(crate) fn canonical(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(_) => return None,
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Bytes of UTF-8 stand in the order of code points.
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| name.as_bytes());
            out.push(b'{');
            for (i, (name, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(name, out);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Some(())
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_order_and_only_two_characters_are_escaped() {
        let value: Value =
            serde_json::from_str(r#"{ "b": [1, true, null, -7], "a": "x\"\\\n\u00e9", "é": {}, "B": "" }"#)
                .unwrap();
        let expected = "{\"B\":\"\",\"a\":\"x\\\"\\\\\né\",\"b\":[1,true,null,-7],\"é\":{}}";
        assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_fraction_has_no_canonical_form() {
        for text in ["1.5", "[1e3]", "{\"a\":1.0}", "18446744073709551616"] {
            assert_eq!(canonical(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
