//! Who may ask what: every role, a stranger and a bad key over every endpoint. And the document, as it is committed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use hashward_engine::core::Generation;
use hashward_engine::desk::DeskOptions;
use hashward_engine::{
    AlertSink, BreakerLimits, Decider, Desk, Health, Live, Metrics, Outgoing, Part, Policy, PortError,
    Snapshot, Ticket,
};
use hashward_list::{LoadOptions, load};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use prometheus::Registry;

use super::*;
use crate::AsyncDeskLimits;
use crate::door::{DoorKind, Fail};
use crate::who::{KeyFile, NewKey, Role, TenantLimits};

struct Nowhere;

impl AlertSink for Nowhere {
    fn send(&mut self, _: Ticket, _: &Outgoing) -> Result<(), PortError> {
        panic!("nothing is listed")
    }

    fn acknowledged(&mut self, _: Duration, _: &mut Vec<Ticket>) -> Result<(), PortError> {
        Ok(())
    }
}

/// A door, and a key for each role.
fn state(folder: &Path) -> (Arc<State>, Vec<(Role, String)>) {
    let path = folder.join("one.txt");
    std::fs::write(&path, format!("SHA256 (one) = {}\n", "7".repeat(64))).unwrap();
    let list = load(&path, &LoadOptions::default()).unwrap();
    let live = Live::new(Arc::new(Snapshot::build(Generation(1), vec![list]).unwrap()));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let decider = Decider::new(live, Policy::default(), BreakerLimits::OFF, metrics.clone());
    let health = Health::of(&[Part::Gate]);
    let desk = Desk::start(DeskOptions::default(), decider, Box::new(Nowhere), &health).unwrap();
    let made = Role::ALL.map(|role| (role, NewKey::make("", "tests", role)));
    let lines: String = made.iter().map(|(_, made)| made.key.line() + "\n").collect();
    std::fs::write(folder.join("keys.jsonl"), lines).unwrap();
    let keys = KeyFile::load(&folder.join("keys.jsonl")).unwrap();
    let state = State {
        desk: AsyncDesk::new(desk, AsyncDeskLimits::default()),
        door: Door::new(DoorKind::Http, Fail::Closed, metrics),
        gatekeeper: Gatekeeper { keys, ..Gatekeeper::default() },
        tenants: Tenants::new(TenantLimits::default()),
        limits: HttpLimits::default(),
        bodies: Arc::new(Semaphore::new(BODIES_BYTES_MAX)),
    };
    (Arc::new(state), made.map(|(role, made)| (role, made.secret)).into())
}

#[test]
fn every_role_over_every_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (state, keys) = state(folder.path());
    let router = TowerToHyperService::new(routes(&state));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = |endpoint: &Endpoint, key: Option<&str>| {
        let mut request = Request::builder().method(endpoint.method.clone()).uri(endpoint.path);
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        runtime.block_on(router.call(request.body(Body::empty()).unwrap())).unwrap().status()
    };
    // Written out here once more: a slip in the table must not pass as the rule.
    let provider: &[Role] = &[Role::Provider];
    let expected =
        [("/v1/content", provider), ("/v1/digests", provider), ("/v1/openapi.json", &Role::ALL[..])];
    let mut walked = 0;
    for (endpoint, (path, may)) in ENDPOINTS.iter().zip(expected) {
        assert_eq!(endpoint.path, path);
        for (role, key) in &keys {
            let status = ask(endpoint, Some(key));
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            assert_eq!(!refused, may.contains(role), "{path} for {role:?}: {status}");
            assert!(!refused || status == StatusCode::FORBIDDEN, "{path} for {role:?}: {status}");
            walked += 1;
        }
        let is_public = may.len() == Role::ALL.len();
        let unknown = if is_public { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(ask(endpoint, None), unknown, "{path} for a stranger");
        for bad in ["", "hwk_", &keys[0].1[1..], &format!("{}0", keys[0].1)] {
            assert_eq!(ask(endpoint, Some(bad)), unknown, "{path} for {bad:?}");
        }
    }
    assert_eq!(walked, Role::ALL.len() * ENDPOINTS.len());
}

#[test]
fn the_committed_document_is_what_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let served = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("HASHWARD_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &served).unwrap();
        return;
    }
    assert!(committed == served, "docs/openapi.json is old: run this test with HASHWARD_WRITE_OPENAPI=1");
}
