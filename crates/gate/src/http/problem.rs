//! What went wrong, as RFC 9457 tells it.

use std::fmt;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hashward_engine::desk::DeskError;
use schemars::JsonSchema;
use serde::Serialize;

/// The media type of a problem (RFC 9457, section 3).
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// How long whoever asked too much had better wait, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What is told of a problem.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Told {
    /// What kind of problem it is: `urn:hashward:problem:` and the reason.
    #[serde(rename = "type")]
    kind: String,
    /// The reason in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, and what would be right.
    detail: String,
}

macro_rules! reasons {
    ($($name:ident = $word:literal, $status:ident, $title:literal;)+) => {
        /// Why there is no answer.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Reason {
            $(#[doc = $title] $name,)+
        }

        impl Reason {
            /// The words of all reasons.
            pub(super) const WORDS: &'static [&'static str] = &[$($word),+];

            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

reasons! {
    BadRequest = "bad-request", BAD_REQUEST, "The request cannot be understood.";
    NotKnown = "not-known", UNAUTHORIZED, "It is not known who asks.";
    NotAllowed = "not-allowed", FORBIDDEN, "Who asks may not do this.";
    NotFound = "not-found", NOT_FOUND, "There is nothing here.";
    WrongMethod = "wrong-method", METHOD_NOT_ALLOWED, "This is not asked in this way.";
    TooSlow = "too-slow", REQUEST_TIMEOUT, "The body comes too slowly.";
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large.";
    WrongType = "wrong-type", UNSUPPORTED_MEDIA_TYPE, "The body is of another type than is taken here.";
    TooMany = "too-many", TOO_MANY_REQUESTS, "So much may not be asked at a time.";
    Full = "full", SERVICE_UNAVAILABLE, "There is no room at the moment.";
    Undelivered = "undelivered", SERVICE_UNAVAILABLE, "An alert could not be delivered.";
    Closing = "closing", SERVICE_UNAVAILABLE, "This worker is about to end.";
}

/// Why a request gets no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) reason: Reason,
    pub(super) detail: String,
    /// After how many seconds to ask again; `None`: not at all.
    pub(super) retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(reason: Reason, detail: impl fmt::Display) -> Self {
        let waits =
            [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&reason.status());
        Self { reason, detail: detail.to_string(), retry_after: waits.then_some(RETRY_AFTER_SECONDS) }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let reason = match error {
            DeskError::Full { .. } | DeskError::TooFarAhead { .. } => Reason::Full,
            DeskError::Undelivered { .. } => Reason::Undelivered,
            DeskError::Closed => Reason::Closing,
        };
        // What is behind the sink is none of the asker's business.
        let detail = match error {
            DeskError::Undelivered { .. } => {
                "there is a verdict, and its alert is not durable yet".to_owned()
            }
            other => other.to_string(),
        };
        Self::new(reason, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.reason.status();
        let kind = format!("urn:hashward:problem:{}", self.reason.word());
        let told = Told { kind, title: self.reason.title(), status: status.as_u16(), detail: self.detail };
        let mut response = (status, Json(told)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
