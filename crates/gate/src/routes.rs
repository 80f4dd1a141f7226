//! What each path answers.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hashward_engine::{Health, Metrics};
use serde_json::{Map, Value, json};

/// The text format of Prometheus, as its exposition format document names it.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PATHS: [&str; 4] = ["/metrics", "/livez", "/readyz", "/version"];

pub(crate) fn routes(metrics: Metrics, health: Health) -> Router {
    let serve_metrics = {
        let health = health.clone();
        move || async move {
            metrics.ready(health.is_ready());
            ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics.render())
        }
    };
    Router::new()
        .route(PATHS[0], get(serve_metrics))
        .route(PATHS[1], get(async || "ok"))
        .route(PATHS[2], get(move || async move { readiness(&health) }))
        .route(PATHS[3], get(async || version()))
        .fallback(async || hint(StatusCode::NOT_FOUND, "not found"))
        .method_not_allowed_fallback(async || {
            hint(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered")
        })
}

fn readiness(health: &Health) -> Response {
    let parts = health.parts();
    let is_ready = parts.iter().all(|(_, state)| state.is_ok());
    let state = |state: Result<(), String>| Value::from(state.err().unwrap_or_else(|| "ready".to_owned()));
    let parts: Map<_, _> = parts.into_iter().map(|(name, part)| (name.to_owned(), state(part))).collect();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut told = json!({ "ready": is_ready, "parts": parts });
    let doors: Map<_, _> = health
        .doors()
        .into_iter()
        .map(|(name, fails)| (name.to_owned(), json!({ "fails": fails })))
        .collect();
    if !doors.is_empty() {
        told["doors"] = Value::Object(doors);
    }
    let remarks = health.remarks();
    if !remarks.is_empty() {
        told["remarks"] = json!(remarks);
    }
    json_response(status, &told)
}

fn version() -> Response {
    json_response(StatusCode::OK, &json!({ "name": "hashward", "version": env!("CARGO_PKG_VERSION") }))
}

fn hint(status: StatusCode, error: &str) -> Response {
    json_response(status, &json!({ "error": error, "paths": PATHS }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}
