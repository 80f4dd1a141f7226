//! `https://` at configured hosts.

use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use hashward_engine::core::{Unreadable, UnreadableKind};
use ureq::http::{Response, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Body, Error, Timeout};

use crate::reader::WholeBody;
use crate::transport::{StaleConnection, StrictEnd};
use crate::url::{bad, refused};
use crate::{FetchError, FetchOptions, HostPattern};

/// The first and the longest pause between two attempts.
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_LONGEST: Duration = Duration::from_secs(5);
/// Idle connections that are kept for the next reference, in all and for each host.
const IDLE_CONNECTIONS_MAX: usize = 64;
pub(crate) const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 16;
/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// The memory of one connection's buffers, in bytes.
const INPUT_BUFFER_BYTES: usize = 64 << 10;
const OUTPUT_BUFFER_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Https {
    hosts: Vec<HostPattern>,
    agent: Agent,
    transfer_timeout: Duration,
    attempts_max: u32,
}

/// How long one reference may still take.
struct Patience {
    until: Instant,
    is_whole: bool,
}

/// Why one attempt failed.
enum Failed {
    /// Another attempt may do better.
    Now(String),
    /// No attempt will.
    ForGood(Unreadable),
}

impl Patience {
    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

impl Https {
    pub(crate) fn new(options: &FetchOptions) -> Result<Self, FetchError> {
        let hosts = options.https_hosts.iter().map(|host| host.parse()).collect::<Result<_, _>>()?;
        let ca_file = options.ca_file.as_deref();
        let agent = agent(ca_file, options.connect_timeout, options.transfer_timeout, true)?;
        let FetchOptions { transfer_timeout, attempts_max, .. } = *options;
        Ok(Self { hosts, agent, transfer_timeout, attempts_max })
    }

    /// Opens what follows `https://`.
    pub(crate) fn open(&self, rest: &str) -> Result<Box<dyn Read + Send>, Unreadable> {
        if self.hosts.is_empty() {
            return Err(refused("https:// is not allowed: `https_hosts` names no host"));
        }
        // What is checked is what is asked: one parser for both.
        let uri: Uri =
            format!("https://{rest}").parse().map_err(|error| bad(format_args!("it is no URL: {error}")))?;
        let host = self.allowed_host(&uri)?;
        let mut patience = Patience { until: Instant::now() + self.transfer_timeout, is_whole: true };
        let mut backoff = BACKOFF_FIRST;
        let mut attempt = 1;
        let why = loop {
            match self.attempt(&uri, host, &mut patience) {
                Ok(reader) => return Ok(reader),
                Err(Failed::ForGood(reason)) => return Err(reason),
                Err(Failed::Now(why)) if attempt >= self.attempts_max || patience.left() <= backoff => {
                    break why;
                }
                Err(Failed::Now(_)) => {}
            }
            thread::sleep(backoff);
            backoff = (backoff * 2).min(BACKOFF_LONGEST);
            attempt += 1;
        };
        let detail = format_args!("{host}: {why}, attempt {attempt} of {}", self.attempts_max);
        Err(Unreadable::new(UnreadableKind::ReadFailed, detail))
    }

    fn allowed_host<'a>(&self, uri: &'a Uri) -> Result<&'a str, Unreadable> {
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err(bad("it names no host"));
        };
        if authority.as_str().contains('@') {
            return Err(refused("it holds a user name before the host"));
        }
        let port = authority.port_u16();
        let host = authority.host();
        if port.is_none() && authority.as_str().len() > host.len() {
            return Err(bad("what follows the host is no port"));
        }
        if !self.hosts.iter().any(|pattern| pattern.allows(host, port)) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(refused(format_args!("`https_hosts` does not name {host}{port}")));
        }
        Ok(host)
    }

    /// Asks once on a connection that lives; kept ones that turn out to be closed do not count.
    fn ask(&self, uri: &Uri, patience: &mut Patience) -> Result<Response<Body>, Error> {
        for _ in 0..IDLE_CONNECTIONS_PER_HOST_MAX {
            match self.call(uri, patience) {
                Err(error) if StaleConnection::is(&error) => {}
                result => return result,
            }
        }
        self.call(uri, patience)
    }

    fn call(&self, uri: &Uri, patience: &mut Patience) -> Result<Response<Body>, Error> {
        let request = self.agent.get(uri);
        if std::mem::take(&mut patience.is_whole) {
            // As the agent has it. A request with a time of its own would share no TLS session with others.
            return request.call();
        }
        match patience.left() {
            Duration::ZERO => Err(Error::Timeout(Timeout::Global)),
            left => request.config().timeout_global(Some(left)).build().call(),
        }
    }

    fn attempt(
        &self,
        uri: &Uri,
        host: &str,
        patience: &mut Patience,
    ) -> Result<Box<dyn Read + Send>, Failed> {
        let response = self.ask(uri, patience).map_err(|error| not_answered(&error, host))?;
        let status = response.status();
        let for_good = |kind, detail: &str| {
            Err(Failed::ForGood(Unreadable::new(kind, format_args!("{host} answered {status}{detail}"))))
        };
        match status.as_u16() {
            200 => {}
            300..=399 => return for_good(UnreadableKind::ReferenceRefused, ": redirects are not followed"),
            401 | 403 => return for_good(UnreadableKind::ReferenceRefused, ""),
            404 | 410 => return for_good(UnreadableKind::NotFound, ""),
            429 | 500..=599 => return Err(Failed::Now(format!("answered {status}"))),
            _ => return for_good(UnreadableKind::ReadFailed, ""),
        }
        if !is_identity(&response) {
            // The digests of packed content are not those of the content.
            return for_good(
                UnreadableKind::ReadFailed,
                " with content in an encoding that was not asked for",
            );
        }
        let body = response.into_body();
        let stated_bytes = body.content_length();
        Ok(Box::new(WholeBody::new(body.into_reader(), stated_bytes)))
    }
}

/// Asks servers under limits: no redirects, no proxies from the environment, nothing packed. Without `https_only` it
/// asks without TLS too.
pub(crate) fn agent(
    ca_file: Option<&Path>,
    connect_timeout: Duration,
    transfer_timeout: Duration,
    https_only: bool,
) -> Result<Agent, FetchError> {
    let roots = match ca_file {
        Some(path) => RootCerts::new_with_certs(&certificates(path)?),
        None => RootCerts::WebPki,
    };
    let config = Agent::config_builder()
        .https_only(https_only)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("hashward/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .max_response_header_size(HEAD_BYTES_MAX)
        .input_buffer_size(INPUT_BUFFER_BYTES)
        .output_buffer_size(OUTPUT_BUFFER_BYTES)
        .max_idle_connections(IDLE_CONNECTIONS_MAX)
        .max_idle_connections_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
        .timeout_resolve(Some(connect_timeout))
        .timeout_connect(Some(connect_timeout))
        .timeout_global(Some(transfer_timeout))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build();
    let connector = DefaultConnector::default().chain(StrictEnd);
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

pub(crate) fn is_identity(response: &Response<Body>) -> bool {
    let mut encodings = response.headers().get_all(header::CONTENT_ENCODING).iter();
    encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// What a request without an answer comes to. Only texts that cannot repeat the URL are told.
fn not_answered(error: &Error, host: &str) -> Failed {
    let for_good = |kind, why: &str| Failed::ForGood(Unreadable::new(kind, format_args!("{host}: {why}")));
    match error {
        Error::BadUri(_) | Error::Http(_) | Error::RequireHttpsOnly(_) => {
            for_good(UnreadableKind::BadReference, "it is no URL that can be asked for")
        }
        Error::Tls(_) | Error::Rustls(_) | Error::LargeResponseHeader(..) => {
            for_good(UnreadableKind::ReadFailed, &error.to_string())
        }
        // rustls tells a bad certificate through the connection it was to secure.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            for_good(UnreadableKind::ReadFailed, &format!("TLS failed: {error}"))
        }
        other => Failed::Now(other.to_string()),
    }
}

fn certificates(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, FetchError> {
    let pem = std::fs::read(path).map_err(|source| FetchError::CaFile { path: path.to_owned(), source })?;
    let wrong = |detail: String| FetchError::NoCertificates { path: path.to_owned(), detail };
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item.map_err(|error| wrong(error.to_string()))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            _ => return Err(wrong("it holds other things than certificates".to_owned())),
        }
    }
    if certificates.is_empty() { Err(wrong("it is empty".to_owned())) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests;
