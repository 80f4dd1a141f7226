//! Who a content is, from the head of its request: CloudEvents in the binary mode of its HTTP binding.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use hashward_engine::core::Identity;
use percent_encoding::percent_decode_str;

use super::problem::{Problem, Reason};
use crate::who::Caller;

/// Reads `ce-id`, `ce-source`, `ce-subject`, `ce-type`, `traceparent`, `tracestate` and `content-type`. Values of the first
/// four are percent-encoded where they are not ASCII (CloudEvents HTTP binding, section 3.1.3.2). Without an id the content
/// gets one of its own.
pub(super) fn of(headers: &HeaderMap, caller: &Caller) -> Result<Identity, Problem> {
    let plain = |name: &str| -> Result<Option<String>, Problem> {
        let Some(value) = headers.get(name) else { return Ok(None) };
        let bad = |_| Problem::new(Reason::BadRequest, format_args!("{name}: expected text"));
        let text = std::str::from_utf8(value.as_bytes()).map_err(bad)?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    };
    let encoded = |name: &str| -> Result<Option<String>, Problem> {
        let Some(text) = plain(name)? else { return Ok(None) };
        let bad =
            |_| Problem::new(Reason::BadRequest, format_args!("{name}: expected percent-encoded UTF-8"));
        percent_decode_str(&text).decode_utf8().map(|text| Some(text.into_owned())).map_err(bad)
    };
    Ok(Identity {
        id: encoded("ce-id")?.unwrap_or_else(of_its_own),
        source: Some(caller.source(encoded("ce-source")?.as_deref())),
        kind: encoded("ce-type")?,
        subject: encoded("ce-subject")?,
        content_type: plain(CONTENT_TYPE.as_str())?,
        traceparent: plain("traceparent")?,
        tracestate: plain("tracestate")?,
    })
}

/// An id that no other content has.
pub(crate) fn of_its_own() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    format!("{:032x}", u128::from_be_bytes(bytes))
}
