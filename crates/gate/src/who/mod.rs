//! Who asks: a tenant in a role, proven by an API key, a token or a client certificate.

mod keys;
mod tenants;

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::Deserialize;

pub use keys::{Key, KeyFile, KeysError, NewKey, parse_fingerprint};
pub use tenants::{TenantLimits, Tenants, UnderWay, UsedUp};

use crate::listener::Peer;

/// What somebody may do. Each endpoint names the roles that may ask it; all others are refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Asks about content, and tells what became of alerts.
    Provider,
    /// Looks after this worker.
    Operator,
    /// Works on lists.
    Maintainer,
    /// Looks at what was decided, and changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Provider, Self::Operator, Self::Maintainer, Self::Auditor];

    /// The role's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Operator => "operator",
            Self::Maintainer => "maintainer",
            Self::Auditor => "auditor",
        }
    }
}

/// The longest name of a tenant.
const TENANT_CHARS_MAX: usize = 64;

/// Whether this can name a tenant: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.
pub fn is_tenant(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=TENANT_CHARS_MAX).contains(&text.len()) && text.bytes().all(good)
}

/// Somebody who asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The customer or part of the provider in whose name it is asked.
    pub tenant: String,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    /// The source of a tenant's contents: what others call alike stays apart.
    pub(crate) fn source(&self, stated: Option<&str>) -> String {
        match stated {
            None => self.tenant.clone(),
            Some(source) => format!("{}/{source}", self.tenant),
        }
    }
}

/// Tells who asks.
#[derive(Debug, Default)]
pub struct Gatekeeper {
    /// The callers behind API keys.
    pub keys: KeyFile,
    /// The callers behind client certificates, by their fingerprints.
    pub certificates: HashMap<[u8; 32], Caller>,
    /// Who asks without any proof; `None`: nobody does.
    pub anonymous: Option<Caller>,
}

impl Gatekeeper {
    /// Who asks. `None`: it is not known, or what is shown as proof proves nothing. A proof that is bad is never made good
    /// by another, nor by anonymity.
    pub fn identify(&self, peer: &Peer, headers: &HeaderMap) -> Option<Caller> {
        if let Some(shown) = headers.get(AUTHORIZATION) {
            let (scheme, secret) = shown.to_str().ok()?.split_once(' ')?;
            return scheme.eq_ignore_ascii_case("bearer").then(|| self.keys.caller(secret.trim()))?;
        }
        match peer.certificate {
            Some(certificate) => self.certificates.get(&certificate).cloned(),
            None => self.anonymous.clone(),
        }
    }
}
