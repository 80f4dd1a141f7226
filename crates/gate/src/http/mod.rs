//! The HTTP door: HTTP/1.1 and HTTP/2, with TLS or without.

mod answer;
mod content;
mod digests;
mod endpoints;
pub(crate) mod identity;
mod openapi;
mod pace;
mod problem;
mod serve;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use tokio::sync::Semaphore;

pub use self::digests::parse_digests;
use self::endpoints::{ENDPOINTS, Endpoint, Operation};
pub use self::openapi::document;
pub use self::pace::Pace;
use self::pace::Paced;
use self::problem::{Problem, Reason};
pub use self::serve::{HttpDoor, HttpLimits};
use crate::AsyncDesk;
use crate::door::Door;
use crate::listener::Peer;
use crate::who::{Gatekeeper, Tenants, UsedUp};

/// Bytes of all bodies that are held whole.
const BODIES_BYTES_MAX: usize = 64 << 20;

/// What stands behind every request.
struct State {
    desk: AsyncDesk,
    door: Door,
    gatekeeper: Gatekeeper,
    tenants: Tenants,
    limits: HttpLimits,
    /// A permit for each byte of the bodies that are held.
    bodies: Arc<Semaphore>,
}

/// Everything the door answers.
fn routes(state: &Arc<State>) -> Router {
    let mut router = Router::new();
    for endpoint in ENDPOINTS {
        let state = Arc::clone(state);
        let filter = MethodFilter::try_from(endpoint.method.clone()).expect("the table has known methods");
        let answer =
            move |request: Request| async move { told(&state, admit(&state, endpoint, request).await) };
        router = router.route(endpoint.path, on(filter, answer));
    }
    let nowhere = |reason| {
        let state = Arc::clone(state);
        async move |request: Request| {
            let (head, body) = request.into_parts();
            let problem = Problem::new(reason, "see /v1/openapi.json");
            let body = Paced::new(body, state.limits.pace);
            told(&state, rest_read(&head, body, Err(problem)).await)
        }
    };
    router.fallback(nowhere(Reason::NotFound)).method_not_allowed_fallback(nowhere(Reason::WrongMethod))
}

/// The response, counted if it is a problem.
fn told(state: &State, answer: Result<Response, Problem>) -> Response {
    answer.unwrap_or_else(|problem| {
        state.door.refused(problem.reason.word());
        problem.into_response()
    })
}

/// Lets the request through to its endpoint, if whoever asks may.
async fn admit(state: &State, endpoint: &'static Endpoint, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let mut body = Paced::new(body, state.limits.pace);
    let answer = admitted(state, endpoint, &head, &mut body).await;
    rest_read(&head, body, answer).await
}

/// The answer, once a short rest of the body is read: what is told in the middle of a body is lost on many a client.
async fn rest_read(
    head: &Parts,
    body: Paced,
    answer: Result<Response, Problem>,
) -> Result<Response, Problem> {
    let mut body = body;
    // Who asks for leave to send the body, and gets none, does not send it.
    if body.has_begun() || !head.headers.contains_key(EXPECT) {
        body.drain().await;
    }
    answer
}

async fn admitted(
    state: &State,
    endpoint: &'static Endpoint,
    head: &Parts,
    body: &mut Paced,
) -> Result<Response, Problem> {
    if endpoint.roles.is_empty() {
        return Ok(about_itself());
    }
    let peer = head.extensions.get::<Peer>().cloned().unwrap_or_default();
    let caller = state.gatekeeper.identify(&peer, &head.headers);
    let caller = caller.ok_or_else(|| {
        Problem::new(Reason::NotKnown, "expected `authorization: Bearer` and a key, or a client certificate")
    })?;
    if !endpoint.roles.contains(&caller.role) {
        let may: Vec<&str> = endpoint.roles.iter().map(|role| role.word()).collect();
        let detail = format!("a {} may not ask this, only: {}", caller.role.word(), may.join(", "));
        return Err(Problem::new(Reason::NotAllowed, detail));
    }
    let turn = state.tenants.request(&caller.tenant, Instant::now()).map_err(used_up)?;
    let identity = identity::of(&head.headers, &caller)?;
    match endpoint.operation {
        Operation::Content => content::answer(state, &turn, identity, body).await,
        Operation::Digests => digests::answer(state, &turn, identity, body).await,
        Operation::Document => Ok(about_itself()),
    }
}

/// What everybody may ask: the document.
fn about_itself() -> Response {
    axum::Json(document()).into_response()
}

fn used_up(used_up: UsedUp) -> Problem {
    let (what, again) = match used_up {
        UsedUp::Requests { again } => ("requests", again),
        UsedUp::Matches { again } => ("matches", again),
    };
    let seconds = again.as_secs() + u64::from(again.subsec_nanos() > 0);
    let detail = format!("this tenant has used up its {what}");
    Problem { retry_after: Some(seconds), ..Problem::new(Reason::TooMany, detail) }
}

#[cfg(test)]
mod tests;
