//! The `OpenAPI` 3.1 document, made from the table of endpoints and from the types that are told.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::answer::{ContentAnswer, DigestsAnswer, FormAnswer};
use super::digests::DigestsAsked;
use super::endpoints::{ENDPOINTS, Endpoint, Operation};
use super::problem::{PROBLEM_JSON, Told};

/// The document, as `GET /v1/openapi.json` serves it.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut schema = |operation: Operation| match operation {
        Operation::Content => (
            Some(json!({
                "application/octet-stream": {},
                "multipart/form-data": { "schema": { "type": "object", "additionalProperties": { "type": "string" } } },
            })),
            json!({ "oneOf": [schemas.subschema_for::<ContentAnswer>(), schemas.subschema_for::<FormAnswer>()] }),
        ),
        Operation::Digests => (
            Some(json!({ "application/json": { "schema": schemas.subschema_for::<DigestsAsked>() } })),
            json!(schemas.subschema_for::<DigestsAnswer>()),
        ),
        Operation::Document => (None, json!({ "type": "object" })),
    };
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let (body, answer) = schema(endpoint.operation);
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_lowercase()] = operation(endpoint, body, &answer);
    }
    let problem = schemas.subschema_for::<Told>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hashward",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "certificate": { "type": "mutualTLS" },
            },
            "responses": {
                "Problem": {
                    "description": "There is no answer, and this is why (RFC 9457).",
                    "content": { PROBLEM_JSON: { "schema": problem } },
                },
            },
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn operation(endpoint: &Endpoint, body: Option<Value>, answer: &Value) -> Value {
    let mut operation = json!({
        "operationId": format!("{:?}", endpoint.operation).to_lowercase(),
        "summary": endpoint.summary,
        "responses": {
            "200": {
                "description": "The answer.",
                "content": { "application/json": { "schema": answer } },
            },
            "default": { "$ref": "#/components/responses/Problem" },
        },
        "security": [],
    });
    if !endpoint.roles.is_empty() {
        let roles: Vec<&str> = endpoint.roles.iter().map(|role| role.word()).collect();
        operation["description"] = format!("For these roles: {}.", roles.join(", ")).into();
        operation["security"] = json!([{ "bearer": [] }, { "certificate": [] }]);
    }
    if let Some(content) = body {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}
