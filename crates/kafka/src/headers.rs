//! What a record's headers say about its content: CloudEvents 1.0 in the Kafka protocol binding (binary mode), and the
//! W3C Trace Context.

use hashward_core::Identity;
use hashward_engine::Header;

/// The longest `tracestate` that is carried on, in bytes: twice what W3C Trace Context asks for.
const TRACESTATE_BYTES_MAX: usize = 1024;

/// The value of the last header of that name, as text; bytes that are no UTF-8 are replaced.
pub(crate) fn text(headers: &[Header], name: &str) -> Option<String> {
    let header = headers.iter().rev().find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(header.value.as_deref()?).into_owned())
}

/// Who the headers say the content is; `None` if they say nothing.
pub(crate) fn identity(headers: &[Header]) -> Option<Box<Identity>> {
    if headers.is_empty() {
        return None;
    }
    let trace = |name| text(headers, name).or_else(|| text(headers, &format!("ce_{name}")));
    let traceparent = trace("traceparent").filter(|value| is_traceparent(value));
    Some(Box::new(Identity {
        id: text(headers, "ce_id").unwrap_or_default(),
        source: text(headers, "ce_source"),
        kind: text(headers, "ce_type"),
        subject: text(headers, "ce_subject"),
        content_type: text(headers, "content-type"),
        tracestate: trace("tracestate")
            .filter(|state| traceparent.is_some() && state.len() <= TRACESTATE_BYTES_MAX),
        traceparent,
    }))
}

/// Whether this is a `traceparent` as W3C Trace Context has it: version, trace id, parent id, flags, none of the ids
/// zero. Another value is not carried on, as the standard asks.
fn is_traceparent(value: &str) -> bool {
    let lower_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let parts: Vec<&str> = value.splitn(5, '-').collect();
    let [version, trace, parent, flags, rest @ ..] = parts.as_slice() else { return false };
    let lengths = [version.len(), trace.len(), parent.len(), flags.len()] == [2, 32, 16, 2];
    let nonzero = [trace, parent].iter().all(|id| id.bytes().any(|b| b != b'0'));
    let future = *version != "00" || rest.is_empty();
    lengths
        && nonzero
        && future
        && *version != "ff"
        && [version, trace, parent, flags].iter().all(|p| lower_hex(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Header {
        Header { name: name.to_owned(), value: Some(value.as_bytes().to_vec()) }
    }

    #[test]
    fn traceparents() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good));
        assert!(is_traceparent(&format!("cc{}-what-comes-later", &good[2..])));
        for bad in [
            "",
            "00",
            &good.to_uppercase(),
            &format!("{good}-more"),
            &format!("ff{}", &good[2..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(bad), "{bad:?}");
        }
    }

    #[test]
    fn cloudevents() {
        let headers = [
            header("ce_id", "first"),
            header("CE_ID", "42"),
            header("ce_subject", "a.jpg"),
            header("traceparent", "no"),
        ];
        let identity = identity(&headers).unwrap();
        assert_eq!((identity.id.as_str(), identity.subject.as_deref()), ("42", Some("a.jpg")));
        assert_eq!((identity.source, identity.traceparent), (None, None));
        assert!(super::identity(&[]).is_none());
    }
}
