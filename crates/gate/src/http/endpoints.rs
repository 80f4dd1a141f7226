//! Every endpoint of the HTTP door, with the roles that may ask it: the one table from which requests are routed and
//! admitted, and from which the `OpenAPI` document is made.

use axum::http::Method;

use crate::who::Role;

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    Content,
    Digests,
    Document,
}

/// An endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) operation: Operation,
    /// Who may ask. Empty: everybody, known or not.
    pub(super) roles: &'static [Role],
    pub(super) summary: &'static str,
}

/// All of them.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/content",
        operation: Operation::Content,
        roles: &[Role::Provider],
        summary: "Judges the content of the body, or each part of a form.",
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/digests",
        operation: Operation::Digests,
        roles: &[Role::Provider],
        summary: "Judges up to 10,000 contents of which only the digests are told.",
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/openapi.json",
        operation: Operation::Document,
        roles: &[],
        summary: "This document.",
    },
];
