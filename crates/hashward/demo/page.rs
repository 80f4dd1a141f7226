//! Fetches the demo's own `/metrics`, as Prometheus would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

const TIMEOUT: Duration = Duration::from_secs(5);
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// The metrics once so many deliveries are acknowledged, or after a few seconds whatever they are.
pub(crate) fn wait_for(address: SocketAddr, acknowledged: u64) -> Result<String> {
    let started = Instant::now();
    loop {
        let metrics = fetch(address)?;
        let value =
            metrics.lines().find_map(|line| line.strip_prefix("hashward_deliveries_acknowledged_total "));
        let reached =
            value.and_then(|value| value.parse().ok()).is_some_and(|value: u64| value >= acknowledged);
        if reached || started.elapsed() >= TIMEOUT {
            return Ok(metrics);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn fetch(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).context("connecting to /metrics")?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(PAGE_BYTES_MAX).read_to_string(&mut answer).context("reading /metrics")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("/metrics gives no HTTP answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "/metrics says {}", head.lines().next().unwrap_or_default());
    Ok(body.to_owned())
}
