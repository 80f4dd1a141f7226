//! Beside the line: signals, and the listener for metrics and health, on one thread of their own.

use std::future::pending;
use std::net::SocketAddr;
use std::thread;

use anyhow::{Context as _, Result};
use hashward_engine::{Health, Metrics, Stop};
use hashward_gate::Admin;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info};

use crate::exit::Exit;

/// Starts the thread. From here on SIGTERM, SIGINT and SIGHUP request the stop, and a second one ends the process.
/// Returns the address that is listened on, if one is wanted.
pub(crate) fn start(
    listen: Option<SocketAddr>,
    stop: &Stop,
    metrics: &Metrics,
    health: &Health,
) -> Result<Option<SocketAddr>> {
    let bind = |address| Admin::bind(address).with_context(|| format!("http.listen: {address}"));
    let admin = listen.map(bind).transpose()?;
    let address = admin.as_ref().map(Admin::local_addr);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting the control thread")?;
    let inside = runtime.enter();
    let signals = [
        ("SIGTERM", SignalKind::terminate()),
        ("SIGINT", SignalKind::interrupt()),
        ("SIGHUP", SignalKind::hangup()),
    ];
    for (name, kind) in signals {
        let signals = signal(kind).with_context(|| format!("listening for {name}"))?;
        runtime.spawn(watch(name, signals, stop.clone()));
    }
    drop(inside);
    let (metrics, health) = (metrics.clone(), health.clone());
    let body = move || {
        runtime.block_on(async move {
            // It serves for as long as the process lives: also while the line drains, an operator wants to
            // look.
            if let Some(admin) = admin
                && let Err(error) = admin.serve(metrics, health, pending()).await
            {
                error!(%error, "the http listener ended");
            }
            pending::<()>().await;
        });
    };
    thread::Builder::new().name("control".to_owned()).spawn(body).context("starting the control thread")?;
    Ok(address)
}

/// Turns the first signal into a stop, and any after it into an end.
async fn watch(name: &'static str, mut signals: Signal, stop: Stop) {
    while signals.recv().await.is_some() {
        if stop.is_requested() {
            error!(signal = name, "second signal, ending at once; what is in flight will be read again");
            std::process::exit(Exit::DrainTimedOut as i32);
        }
        info!(signal = name, "stopping: finishing what is in flight; a second signal ends at once");
        stop.request();
    }
}
