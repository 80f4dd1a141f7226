//! `POST /v1/content`: a body, or a form of several.

use std::time::Instant;

use axum::Json;
use axum::response::{IntoResponse, Response};
use hashward_engine::core::Identity;
use hashward_engine::desk::Answer;
use http_body_util::{BodyDataStream, BodyExt as _};

use super::State;
use super::answer::{ContentAnswer, FormAnswer, PartAnswer};
use super::pace::{Broken, Paced};
use super::problem::{Problem, Reason};
use crate::AsyncUpload;
use crate::door::{Fail, Passage};
use crate::who::UnderWay;

/// The most parts of one form.
const PARTS_MAX: usize = 100;

pub(super) async fn answer(
    state: &State,
    turn: &UnderWay,
    identity: Identity,
    body: &mut Paced,
) -> Result<Response, Problem> {
    let content_type = identity.content_type.as_deref().unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return content(state, turn, identity, body).await.map(|answer| Json(answer).into_response());
    }
    let boundary = multer::parse_boundary(content_type).map_err(|error| not_a_form(&error))?;
    form(state, turn, &identity, body, boundary).await.map(|answer| Json(answer).into_response())
}

/// The whole body is one content.
async fn content(
    state: &State,
    turn: &UnderWay,
    identity: Identity,
    body: &mut Paced,
) -> Result<ContentAnswer, Problem> {
    let id = identity.id.clone();
    let mut asking = Asking::open(state, identity);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broken)?;
        if let Ok(bytes) = frame.into_data()
            && asking.push(bytes).await
        {
            break;
        }
    }
    asking.finish(state, turn, id).await
}

/// Each part of the body is a content.
async fn form(
    state: &State,
    turn: &UnderWay,
    identity: &Identity,
    body: &mut Paced,
    boundary: String,
) -> Result<FormAnswer, Problem> {
    let mut parts = Vec::new();
    let mut action = Passage::Pass;
    let mut form = multer::Multipart::new(BodyDataStream::new(body), boundary);
    while let Some(mut field) = form.next_field().await.map_err(|error| not_a_form(&error))? {
        if parts.len() == PARTS_MAX {
            return Err(Problem::new(
                Reason::TooLarge,
                format_args!("more than {PARTS_MAX} parts in a form"),
            ));
        }
        let id = format!("{}#{}", identity.id, parts.len());
        let name = field.name().map(str::to_owned);
        let subject = field.file_name().or(field.name()).map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let of_part = Identity { id: id.clone(), subject, content_type, ..identity.clone() };
        let mut asking = Asking::open(state, of_part);
        let mut is_over = false;
        while let Some(bytes) = field.chunk().await.map_err(|error| not_a_form(&error))? {
            // What comes behind it is another part's, so that it must be read.
            is_over = is_over || asking.push(bytes).await;
        }
        let answer = asking.finish(state, turn, id).await?;
        action = action.max(answer.action);
        parts.push(PartAnswer { name, answer });
    }
    Ok(FormAnswer { action, parts })
}

/// An upload, or why there is none: then its bytes go nowhere, and a door that fails open says so in the end.
struct Asking(Result<AsyncUpload, Problem>);

impl Asking {
    fn open(state: &State, identity: Identity) -> Self {
        Self(state.desk.open(identity).map_err(Problem::from))
    }

    /// Takes bytes. Whether nothing that comes after them matters any more.
    async fn push(&mut self, bytes: axum::body::Bytes) -> bool {
        let Ok(upload) = &mut self.0 else { return true };
        if let Err(error) = upload.push(bytes).await {
            self.0 = Err(error.into());
            return true;
        }
        upload.is_too_large()
    }

    async fn finish(self, state: &State, turn: &UnderWay, id: String) -> Result<ContentAnswer, Problem> {
        let asked = Instant::now();
        let answered: Result<Answer, Problem> = match self.0 {
            Ok(upload) => upload.finish().await.map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        let fail = state.door.fail();
        match answered {
            Ok(answer) => {
                state.door.answered(&answer.verdict.decision, asked.elapsed());
                turn.matched(answer.verdict.matches.len());
                Ok(ContentAnswer::new(answer, fail))
            }
            Err(problem) if fail == Fail::Open => {
                state.door.refused(problem.reason.word());
                Ok(ContentAnswer::unjudged(id, &problem))
            }
            Err(problem) => Err(problem),
        }
    }
}

/// A body that did not come to its end.
pub(super) fn broken(broken: Broken) -> Problem {
    let reason = match broken {
        Broken::TooSlow { .. } => Reason::TooSlow,
        Broken::Off => Reason::BadRequest,
    };
    Problem::new(reason, broken)
}

fn not_a_form(error: &multer::Error) -> Problem {
    let slow = |error: &multer::Error| match error {
        multer::Error::StreamReadFailed(cause) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&**cause);
            while let Some(error) = cause {
                if matches!(error.downcast_ref(), Some(Broken::TooSlow { .. })) {
                    return true;
                }
                cause = error.source();
            }
            false
        }
        _ => false,
    };
    let reason = if slow(error) { Reason::TooSlow } else { Reason::BadRequest };
    Problem::new(reason, format_args!("the form cannot be read: {error}"))
}
