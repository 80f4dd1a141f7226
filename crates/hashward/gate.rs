//! The gate beside the line: its doors are bound, then served on threads of their own until the end.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hashward_engine::desk::DeskOptions;
use hashward_engine::{AlertSink, Decider, Desk, Health, Metrics, Part, Stop};
use hashward_gate::{
    AsyncDesk, AsyncDeskLimits, Caller, Door, DoorKind, Gatekeeper, HttpDoor, HttpLimits, KeyFile, Listener,
    NewKey, Role, ServerTls, Tenants, is_tenant,
};
use serde_json::json;
use tokio::task::JoinSet;
use tracing::{error, info};

use crate::cli::GateKey;
use crate::config::{CommonDoor, Config, Finding, Gate};
use crate::exit::Exit;
use crate::output::{Output, Style};
use crate::scanners::{self, BoundScanners, Serving};

/// How often the doors look whether somebody asked for the end.
const STOP_TICK: Duration = Duration::from_millis(20);
/// What is offered to HTTP clients who speak TLS (RFC 9113, section 3.2).
const HTTP_PROTOCOLS: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The gate, bound and not served yet.
pub(crate) struct Bound<'a> {
    config: &'a Config,
    gate: &'a Gate,
    gatekeeper: Gatekeeper,
    http: Option<(Vec<Listener>, HttpLimits)>,
    scanners: BoundScanners<'a>,
}

/// The gate as it is served.
pub(crate) struct Served(JoinHandle<()>);

impl<'a> Bound<'a> {
    /// Reads keys and certificates, and binds every address.
    pub(crate) fn bind(config: &'a Config, gate: &'a Gate) -> Result<Self> {
        let gatekeeper = gatekeeper(gate)?;
        let http = match &gate.http {
            None => None,
            Some(door) => Some((bind("gate.http", &door.common, HTTP_PROTOCOLS)?, door.limits)),
        };
        Ok(Self { config, gate, gatekeeper, http, scanners: BoundScanners::bind(gate)? })
    }

    /// Starts to serve. Whoever asks is answered until `stop` is requested; then what is under way is finished.
    pub(crate) fn serve(
        self,
        decider: Decider,
        sink: Box<dyn AlertSink>,
        stop: &Stop,
        metrics: &Metrics,
        health: &Health,
    ) -> Result<Served> {
        let (line, gate) = (&self.config.line, self.gate);
        let options = DeskOptions {
            digest_threads: line.digest_threads,
            uploads_max: gate.uploads_max,
            ahead_bytes_max: gate.upload_ahead_bytes_max,
            content_bytes_max: line.content_bytes_max,
            company_wait: gate.company_wait,
            alerts_waiting_max: line.in_flight_max,
            undelivered_max: gate.undelivered_max,
        };
        let desk = Desk::start(options, decider, sink, health).context("starting the desk")?;
        let limits =
            AsyncDeskLimits { ahead_bytes_max: gate.ahead_bytes_max, batches_max: line.digest_threads };
        let desk = AsyncDesk::new(desk, limits);
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("gate").enable_all().build();
        let runtime = runtime.context("starting the gate")?;
        let mut doors = JoinSet::new();
        if let (Some((listeners, limits)), Some(http)) = (self.http, &gate.http) {
            let door = Door::new(DoorKind::Http, http.common.fail, metrics.clone());
            health.door(door.kind().word(), door.fail().word());
            let limits = HttpLimits { grace: line.drain_timeout, ..limits };
            let tenants = Tenants::new(gate.tenants);
            let door = HttpDoor::new(desk.clone(), door, self.gatekeeper, tenants, limits);
            for listener in listeners {
                info!(
                    door = "http",
                    address = listener.local(),
                    fails = http.common.fail.word(),
                    "door open"
                );
                let (door, stop) = (door.clone(), stop.clone());
                let serving = async move { door.serve(listener, stopped(stop)).await };
                doors.spawn_on(serving, runtime.handle());
            }
        }
        let grace = line.drain_timeout;
        let serving = Serving { desk: &desk, grace, stop, metrics, health, runtime: runtime.handle() };
        self.scanners.serve(&serving, &mut doors)?;
        let (stop, health) = (stop.clone(), health.clone());
        let body = move || {
            runtime.block_on(async {
                stopped(stop).await;
                health.not_ready(Part::Gate, "closing");
                while let Some(served) = doors.join_next().await {
                    if let Ok(Err(error)) = served {
                        error!(%error, "a door was not served");
                    }
                }
            });
            desk.desk().close();
        };
        thread::Builder::new().name("gate".to_owned()).spawn(body).map(Served).context("starting the gate")
    }
}

impl Served {
    /// Waits until everything that was under way is finished. The stop must have been requested.
    pub(crate) fn wait(self) {
        if self.0.join().is_err() {
            error!("the gate ended early");
        }
    }
}

/// Completes when the stop is requested.
pub(crate) async fn stopped(stop: Stop) {
    while !stop.is_requested() {
        tokio::time::sleep(STOP_TICK).await;
    }
}

/// Makes an API key. It is shown this once; the file keeps its hash.
pub(crate) fn key(arguments: &GateKey, style: Style) -> Result<Exit> {
    let GateKey { tenant, role, name, file } = arguments;
    ensure!(is_tenant(tenant), "--tenant: {tenant:?}: expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'");
    let NewKey { secret, key } = NewKey::make(name, tenant, *role);
    let mut options = OpenOptions::new();
    let opened = options.append(true).create(true).mode(0o600).open(file);
    let written = opened.and_then(|mut opened| {
        opened.write_all(format!("{}\n", key.line()).as_bytes())?;
        opened.sync_all()
    });
    written.with_context(|| file.display().to_string())?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"key": secret, "tenant": tenant, "role": role.word(), "keys_file": file}))?;
    } else {
        output.line(&secret)?;
    }
    Ok(Exit::Success)
}

/// What the doors need to know who asks.
fn gatekeeper(gate: &Gate) -> Result<Gatekeeper> {
    let keys = gate.keys_file.as_deref().map(KeyFile::load).transpose().context("gate.keys_file")?;
    let provider = |tenant: &String| Caller { tenant: tenant.clone(), role: Role::Provider };
    Ok(Gatekeeper {
        keys: keys.unwrap_or_default(),
        certificates: gate.certificates.iter().cloned().collect(),
        anonymous: gate.anonymous_tenant.as_ref().map(provider),
    })
}

/// The TLS of a door, if it has one.
fn tls(key: &str, door: &CommonDoor, protocols: &[&[u8]]) -> Result<Option<ServerTls>> {
    let load = |files| ServerTls::load(files, protocols);
    door.tls.as_ref().map(load).transpose().with_context(|| format!("{key}.tls.certificates_file"))
}

/// Binds every address of a door.
pub(crate) fn bind(key: &str, door: &CommonDoor, protocols: &[&[u8]]) -> Result<Vec<Listener>> {
    let tls = tls(key, door, protocols)?;
    let bound = door.listen.iter().map(|address| {
        let listener = Listener::bind(address).with_context(|| format!("{key}.listen: {address}"))?;
        let is_tcp = listener.tcp_addr().is_some();
        Ok(listener.with_tls(tls.clone().filter(|_| is_tcp)))
    });
    bound.collect()
}

/// What is wrong around the gate: keys, certificates, addresses.
pub(crate) fn problems(gate: &Gate) -> Vec<Finding> {
    let mut findings = scanners::problems(gate);
    if let Some(Err(error)) = gate.keys_file.as_deref().map(KeyFile::load) {
        findings.push(Finding::of("gate.keys_file", error));
    }
    let doors = [
        ("gate.http", gate.http.as_ref().map(|door| &door.common), HTTP_PROTOCOLS),
        ("gate.clamd", gate.clamd.as_ref().map(|door| &door.common), &[]),
        ("gate.icap", gate.icap.as_ref().map(|door| &door.common), &[]),
    ];
    for (key, door, protocols) in doors {
        let Some(door) = door else { continue };
        if let Some(Err(error)) = door.tls.as_ref().map(|files| ServerTls::load(files, protocols)) {
            findings.push(Finding::of(&format!("{key}.tls.certificates_file"), error));
        }
        for address in &door.listen {
            if let Err(error) = Listener::bind(address) {
                let what = format_args!("{address} cannot be listened on: {error}");
                findings.push(Finding::of(&format!("{key}.listen"), what));
            }
        }
    }
    findings
}
