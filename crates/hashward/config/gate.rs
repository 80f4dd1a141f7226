//! The gate as it is written, and as the rest of the program uses it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hashward_gate::{
    Address, Caller, Fail, HttpLimits, Pace, Role, TenantLimits, TlsFiles, is_tenant, parse_fingerprint,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checked::{Check, MS_MAX};
use super::scanners::{ClamdDoor, IcapDoor, RawClamdDoor, RawIcapDoor, clamd, icap};

/// The doors at which providers ask about one content and wait for the verdict. None is open unless it has an address.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawGate {
    /// Uploads that are open at a time, at all doors, 1 to 1048576. Each has a buffer of 16 KiB.
    #[schemars(example = 4096)]
    pub(crate) uploads_max: u64,
    /// Bytes of one upload that wait to be digested, 65536 to 1073741824.
    #[schemars(example = 1_048_576)]
    pub(crate) upload_ahead_bytes_max: u64,
    /// Bytes of all uploads that wait to be digested, 65536 to 68719476736.
    #[schemars(example = 268_435_456)]
    pub(crate) ahead_bytes_max: u64,
    /// How long an upload that has ended waits for others to end with, if others are under way, in milliseconds, at most
    /// 1000. It saves work under load, and costs as much latency.
    #[schemars(example = 1)]
    pub(crate) company_wait_ms: u64,
    /// How long an alert may take to become durable before its asker is told that there is no answer, in milliseconds.
    #[schemars(example = 5000)]
    pub(crate) undelivered_max_ms: u64,
    /// The file of API keys, one JSON object a line, as `hashward gate key` writes it. Empty: there are none.
    #[schemars(example = "/etc/hashward/keys.jsonl")]
    pub(crate) keys_file: String,
    /// Who asks with which client certificate: its SHA-256 fingerprint, and `tenant:role`. The roles are `provider`,
    /// `operator`, `maintainer` and `auditor`.
    #[schemars(example = serde_json::json!({"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": "shop:provider"}))]
    pub(crate) certificates: BTreeMap<String, String>,
    /// The tenant in whose name anybody may ask as a provider without proving who they are. Empty: nobody may. Only for
    /// doors that nobody else reaches.
    #[schemars(example = &"local")]
    pub(crate) anonymous_tenant: String,
    /// Requests of one tenant in a second, in the long run, at most 4294967295. 0: any number.
    #[schemars(example = 1000)]
    pub(crate) tenant_requests_per_second: u64,
    /// Requests of one tenant that may come at once beyond that.
    #[schemars(example = 2000)]
    pub(crate) tenant_requests_burst: u64,
    /// Requests of one tenant that are under way at a time, at least 1.
    #[schemars(example = 256)]
    pub(crate) tenant_requests_at_a_time: u64,
    /// Matches that one tenant is answered about in an hour. Whoever has more probes the lists, or has a flood; both ask
    /// for people. 0: any number.
    #[schemars(example = 100)]
    pub(crate) tenant_matches_per_hour: u64,
    /// The HTTP door.
    pub(crate) http: RawHttpDoor,
    /// The door that speaks the protocol of clamd.
    pub(crate) clamd: RawClamdDoor,
    /// The door that speaks ICAP.
    pub(crate) icap: RawIcapDoor,
}

impl Default for RawGate {
    fn default() -> Self {
        Self {
            uploads_max: 1024,
            upload_ahead_bytes_max: 256 << 10,
            ahead_bytes_max: 64 << 20,
            company_wait_ms: 0,
            undelivered_max_ms: 10_000,
            keys_file: String::new(),
            certificates: BTreeMap::new(),
            anonymous_tenant: String::new(),
            tenant_requests_per_second: 0,
            tenant_requests_burst: 0,
            tenant_requests_at_a_time: 1024,
            tenant_matches_per_hour: 0,
            http: RawHttpDoor::default(),
            clamd: RawClamdDoor::default(),
            icap: RawIcapDoor::default(),
        }
    }
}

/// What a door does with content about which there is no verdict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawFail {
    /// Nothing was chosen: no door can be open.
    #[default]
    Unset,
    /// It passes.
    Open,
    /// It does not pass.
    Closed,
}

/// The TLS of a door.
#[expect(clippy::struct_field_names, reason = "keys of files say that they are")]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawTls {
    /// The certificate chain of the door, leaf first, as PEM. With it every address speaks TLS; Unix sockets do not.
    /// Empty: no TLS.
    #[schemars(example = "/etc/hashward/tls/gate.pem")]
    pub(crate) certificates_file: String,
    /// The private key of the leaf, as PEM.
    #[schemars(example = "/etc/hashward/tls/gate.key")]
    pub(crate) key_file: String,
    /// The authorities of clients, as PEM. With it every client must prove a certificate of theirs. Empty: none must.
    #[schemars(example = "/etc/hashward/tls/clients.pem")]
    pub(crate) clients_file: String,
}

/// The HTTP door.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawHttpDoor {
    /// Where it listens: addresses as `IP:port`, or paths of Unix sockets, which begin with '/'. Port 0 takes a free one;
    /// the log tells which. Empty: the door is closed.
    #[schemars(example = ["127.0.0.1:8460", "/run/hashward/http.sock"])]
    pub(crate) listen: Vec<String>,
    /// What it does with content about which there is no verdict, because it cannot be read or because Hashward is not
    /// well: `open` lets it pass, `closed` does not. It must be chosen for an open door.
    #[schemars(example = &"closed")]
    pub(crate) fail: RawFail,
    /// Allows an address that other machines can reach without TLS.
    #[schemars(example = true)]
    pub(crate) insecure: bool,
    /// Its TLS.
    pub(crate) tls: RawTls,
    /// The permissions of Unix sockets, in octal digits.
    #[schemars(example = &"666")]
    pub(crate) socket_mode: String,
    /// Connections that are served at a time, 1 to 1048576; more wait.
    #[schemars(example = 4096)]
    pub(crate) connections_max: u64,
    /// How long a TLS handshake, and then the head of a request may take, in milliseconds.
    #[schemars(example = 5000)]
    pub(crate) head_timeout_ms: u64,
    /// The longest head of a request, in bytes, 8192 to 1048576.
    #[schemars(example = 16_384)]
    pub(crate) head_bytes_max: u64,
    /// The longest pause in a body, in milliseconds.
    #[schemars(example = 5000)]
    pub(crate) body_pause_max_ms: u64,
    /// How many bytes of a body must come in a second, on average, once it took longer than the longest pause.
    #[schemars(example = 65_536)]
    pub(crate) body_bytes_per_second_min: u64,
    /// How long a connection may live, however busy it is, in milliseconds.
    #[schemars(example = 600_000)]
    pub(crate) connection_timeout_ms: u64,
}

impl Default for RawHttpDoor {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            fail: RawFail::Unset,
            insecure: false,
            tls: RawTls::default(),
            socket_mode: "660".to_owned(),
            connections_max: 16_384,
            head_timeout_ms: 10_000,
            head_bytes_max: 65_536,
            body_pause_max_ms: 10_000,
            body_bytes_per_second_min: 1024,
            connection_timeout_ms: 3_600_000,
        }
    }
}

/// The gate, if any of its doors is open.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// Uploads that are open at a time.
    pub(crate) uploads_max: usize,
    /// Bytes of one upload that wait.
    pub(crate) upload_ahead_bytes_max: usize,
    /// Bytes of all uploads that wait.
    pub(crate) ahead_bytes_max: usize,
    /// How long uploads wait for company.
    pub(crate) company_wait: Duration,
    /// How long alerts may take.
    pub(crate) undelivered_max: Duration,
    /// The file of API keys.
    pub(crate) keys_file: Option<PathBuf>,
    /// Fingerprints, and who they are.
    pub(crate) certificates: Vec<([u8; 32], Caller)>,
    /// Who asks without proof.
    pub(crate) anonymous_tenant: Option<String>,
    /// What each tenant may use up.
    pub(crate) tenants: TenantLimits,
    /// The HTTP door; `None`: it is closed.
    pub(crate) http: Option<HttpDoor>,
    /// The clamd door; `None`: it is closed.
    pub(crate) clamd: Option<ClamdDoor>,
    /// The ICAP door; `None`: it is closed.
    pub(crate) icap: Option<IcapDoor>,
}

/// An open HTTP door.
#[derive(Clone, Debug)]
pub(crate) struct HttpDoor {
    /// What it shares with other doors.
    pub(crate) common: CommonDoor,
    /// What clients may use up.
    pub(crate) limits: HttpLimits,
}

/// What all doors have.
#[derive(Clone, Debug)]
pub(crate) struct CommonDoor {
    /// Where it listens.
    pub(crate) listen: Vec<Address>,
    /// What it does without a verdict.
    pub(crate) fail: Fail,
    /// Its TLS.
    pub(crate) tls: Option<TlsFiles>,
}

/// A door as it is written, whichever it is.
pub(super) struct Written<'a> {
    pub(super) name: &'static str,
    pub(super) listen: &'a [String],
    pub(super) fail: RawFail,
    pub(super) insecure: bool,
    pub(super) tls: &'a RawTls,
    pub(super) socket_mode: &'a str,
}

impl Written<'_> {
    fn key(&self, field: &str) -> String {
        format!("gate.{}.{field}", self.name)
    }

    /// The door, unless it is closed.
    pub(super) fn door(&self, check: &mut Check) -> Option<CommonDoor> {
        if self.listen.is_empty() {
            return None;
        }
        let fail = match self.fail {
            RawFail::Open => Fail::Open,
            RawFail::Closed => Fail::Closed,
            RawFail::Unset => {
                let expected = "unset: choose what becomes of content without a verdict, \"open\" (it passes) or \
                                \"closed\" (it does not)";
                check.wrong(&self.key("fail"), expected);
                Fail::Closed
            }
        };
        let tls = self.tls(check);
        let mode = u32::from_str_radix(self.socket_mode, 8).ok().filter(|mode| *mode <= 0o777);
        if mode.is_none() {
            let expected = "expected octal digits, such as \"660\"";
            check.wrong(&self.key("socket_mode"), format_args!("{:?}: {expected}", self.socket_mode));
        }
        let addresses = self.listen.iter().filter_map(|text| {
            if text.starts_with('/') {
                return Some(Address::Unix(PathBuf::from(text), mode.unwrap_or(0o600)));
            }
            let Ok(address) = text.parse::<SocketAddr>() else {
                let expected = "expected IP:port, such as 127.0.0.1:8460, or the path of a Unix socket";
                check.wrong(&self.key("listen"), format_args!("{text:?}: {expected}"));
                return None;
            };
            if !address.ip().is_loopback() && tls.is_none() && !self.insecure {
                let expected = format_args!(
                    "other machines can reach it without TLS: set {} and {}, or {} = true",
                    self.key("tls.certificates_file"),
                    self.key("tls.key_file"),
                    self.key("insecure"),
                );
                check.wrong(&self.key("listen"), format_args!("{text:?}: {expected}"));
            }
            Some(Address::Tcp(address))
        });
        let listen = addresses.collect();
        Some(CommonDoor { listen, fail, tls })
    }

    fn tls(&self, check: &mut Check) -> Option<TlsFiles> {
        let file = |path: &str| (!path.is_empty()).then(|| PathBuf::from(path));
        let client_authorities = file(&self.tls.clients_file);
        match (file(&self.tls.certificates_file), file(&self.tls.key_file)) {
            (Some(certificates), Some(key)) => Some(TlsFiles { certificates, key, client_authorities }),
            (None, None) if client_authorities.is_none() => None,
            (None, _) => {
                check.wrong(&self.key("tls.certificates_file"), "empty: the door's other TLS files need it");
                None
            }
            (_, None) => {
                check.wrong(&self.key("tls.key_file"), "empty: the door's certificate needs its key");
                None
            }
        }
    }
}

/// Checks the gate. `None`: every door is closed.
pub(super) fn gate(raw: &RawGate, check: &mut Check) -> Option<Gate> {
    let http = &raw.http;
    let written = Written {
        name: "http",
        listen: &http.listen,
        fail: http.fail,
        insecure: http.insecure,
        tls: &http.tls,
        socket_mode: &http.socket_mode,
    };
    let common = written.door(check);
    let mut ms = |name: &str, value| check.ms(&format!("gate.http.{name}"), value, 1, MS_MAX);
    let head_timeout = ms("head_timeout_ms", http.head_timeout_ms);
    let pause_max = ms("body_pause_max_ms", http.body_pause_max_ms);
    let connection_timeout = ms("connection_timeout_ms", http.connection_timeout_ms);
    let limits = HttpLimits {
        connections_max: check.count("gate.http.connections_max", http.connections_max, 1, 1 << 20),
        head_timeout,
        head_bytes_max: check.count("gate.http.head_bytes_max", http.head_bytes_max, 8192, 1 << 20),
        pace: Pace { pause_max, bytes_per_second_min: http.body_bytes_per_second_min },
        connection_timeout,
        ..HttpLimits::default()
    };
    let mut small = |name: &str, value, least| check.small(&format!("gate.{name}"), value, least, u32::MAX);
    let tenants = TenantLimits {
        requests_per_second: small("tenant_requests_per_second", raw.tenant_requests_per_second, 0),
        requests_burst: small("tenant_requests_burst", raw.tenant_requests_burst, 0),
        requests_at_a_time: u64::from(small("tenant_requests_at_a_time", raw.tenant_requests_at_a_time, 1)),
        matches_per_hour: small("tenant_matches_per_hour", raw.tenant_matches_per_hour, 0),
    };
    let anonymous_tenant = (!raw.anonymous_tenant.is_empty()).then(|| raw.anonymous_tenant.clone());
    if anonymous_tenant.as_deref().is_some_and(|tenant| !is_tenant(tenant)) {
        check.wrong("gate.anonymous_tenant", format_args!("{:?}: {TENANT_EXPECTED}", raw.anonymous_tenant));
    }
    let gate = Gate {
        uploads_max: check.count("gate.uploads_max", raw.uploads_max, 1, 1 << 20),
        upload_ahead_bytes_max: check.count(
            "gate.upload_ahead_bytes_max",
            raw.upload_ahead_bytes_max,
            64 << 10,
            1 << 30,
        ),
        ahead_bytes_max: check.count("gate.ahead_bytes_max", raw.ahead_bytes_max, 64 << 10, 1 << 36),
        company_wait: check.ms("gate.company_wait_ms", raw.company_wait_ms, 0, 1000),
        undelivered_max: check.ms("gate.undelivered_max_ms", raw.undelivered_max_ms, 1, MS_MAX),
        keys_file: (!raw.keys_file.is_empty()).then(|| PathBuf::from(&raw.keys_file)),
        certificates: certificates(&raw.certificates, check),
        anonymous_tenant,
        tenants,
        http: common.map(|common| HttpDoor { common, limits }),
        clamd: clamd(&raw.clamd, check),
        icap: icap(&raw.icap, check),
    };
    let is_known =
        gate.keys_file.is_some() || !gate.certificates.is_empty() || gate.anonymous_tenant.is_some();
    if gate.http.is_some() && !is_known {
        let expected = "nobody may ask: set gate.keys_file, gate.certificates or gate.anonymous_tenant";
        check.wrong("gate.http.listen", expected);
    }
    let is_open = gate.http.is_some() || gate.clamd.is_some() || gate.icap.is_some();
    is_open.then_some(gate)
}

/// What a tenant's name may be.
const TENANT_EXPECTED: &str = "expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'";

fn certificates(written: &BTreeMap<String, String>, check: &mut Check) -> Vec<([u8; 32], Caller)> {
    let mut certificates = Vec::new();
    for (fingerprint, who) in written {
        let key = format!("gate.certificates.{fingerprint}");
        let Some(bytes) = parse_fingerprint(fingerprint) else {
            check.wrong(&key, "expected the SHA-256 of a certificate: 64 hexadecimal digits");
            continue;
        };
        let parts = who.rsplit_once(':');
        let role = parts.and_then(|(_, word)| Role::ALL.into_iter().find(|role| role.word() == word));
        match (parts, role) {
            (Some((tenant, _)), Some(role)) if is_tenant(tenant) => {
                certificates.push((bytes, Caller { tenant: tenant.to_owned(), role }));
            }
            _ => check.wrong(&key, format_args!("{who:?}: expected tenant:role, such as \"shop:provider\"")),
        }
    }
    certificates
}
