//! Files of a web server that the operator named: streamed, from any byte on, under limits.

use std::io::{self, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::{Response, Uri, header};
use ureq::{Agent, Body, Error};

use crate::https::{IDLE_CONNECTIONS_PER_HOST_MAX, agent, is_identity};
use crate::reader::WholeBody;
use crate::transport::StaleConnection;
use crate::{FetchError, URL_BYTES_MAX};

/// How servers are asked.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// Certificates in PEM that are trusted instead of the bundled ones of the public web.
    pub ca_file: Option<PathBuf>,
    /// How long resolving a host's name may take, and then connecting to it.
    pub connect_timeout: Duration,
    /// How long one file may take in all, to its last byte, however slowly bytes come.
    pub transfer_timeout: Duration,
    /// Whether `http://` may lead anywhere. Else it leads to this machine only.
    pub plain_http: bool,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            transfer_timeout: Duration::from_hours(1),
            plain_http: false,
        }
    }
}

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The server has no such file: 404, 410, or 403, which object stores answer for what is not there.
    #[error("{host} has no such file: it answered {status}")]
    NotFound {
        /// The server.
        host: String,
        /// What it answered.
        status: u16,
    },
    /// No attempt will do better.
    #[error("{why}")]
    Refused {
        /// Why.
        why: String,
    },
    /// A later attempt may do better.
    #[error("{why}")]
    Unavailable {
        /// Why.
        why: String,
    },
}

/// Asks web servers. Shared by all threads; connections are kept for the next file.
#[derive(Debug)]
pub struct Web {
    agent: Agent,
    plain_http: bool,
}

impl Web {
    /// Checks the options, and reads the certificates.
    pub fn new(options: &WebOptions) -> Result<Self, FetchError> {
        let limits = [
            ("connect_timeout", options.connect_timeout.is_zero()),
            ("transfer_timeout", options.transfer_timeout.is_zero()),
        ];
        if let Some((what, _)) = limits.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(FetchError::Zero { what });
        }
        let (connect, transfer) = (options.connect_timeout, options.transfer_timeout);
        let agent = agent(options.ca_file.as_deref(), connect, transfer, false)?;
        Ok(Self { agent, plain_http: options.plain_http })
    }

    /// Opens what `url` names behind its first `offset_bytes`. A file that has no more is an empty one. Redirects are
    /// refused. Reading fails if the file does not come to its end.
    pub fn get(&self, url: &str, offset_bytes: u64) -> Result<Box<dyn Read + Send>, WebError> {
        let uri = self.allowed(url)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let response = self.ask(&uri, offset_bytes).map_err(|error| not_answered(&host, &error))?;
        let status = response.status().as_u16();
        let refused = |why: &str| Err(WebError::Refused { why: format!("{host} answered {status}{why}") });
        match status {
            206 if !begins_at(&response, offset_bytes) => {
                return refused(" with another part than was asked for");
            }
            200 | 206 => {}
            // RFC 9110, section 15.5.17: there is nothing behind this offset.
            416 if offset_bytes > 0 => return Ok(Box::new(io::empty())),
            403 | 404 | 410 => return Err(WebError::NotFound { host, status }),
            300..=399 => return refused(": redirects are not followed"),
            429 | 500..=599 => {
                return Err(WebError::Unavailable { why: format!("{host} answered {status}") });
            }
            _ => return refused(""),
        }
        if !is_identity(&response) {
            return refused(" with content in an encoding that was not asked for");
        }
        let body = response.into_body();
        let stated_bytes = body.content_length();
        let mut reader = WholeBody::new(body.into_reader(), stated_bytes);
        if status == 200 && offset_bytes > 0 {
            // A server that knows no ranges sends all of it.
            io::copy(&mut (&mut reader).take(offset_bytes), &mut io::sink())
                .map_err(|error| WebError::Unavailable { why: format!("{host}: {error}") })?;
        }
        Ok(Box::new(reader))
    }

    fn allowed(&self, url: &str) -> Result<Uri, WebError> {
        let refused = |why: String| Err(WebError::Refused { why });
        if url.len() > URL_BYTES_MAX {
            return refused(format!("the URL is longer than {URL_BYTES_MAX} bytes"));
        }
        let Ok(uri) = url.parse::<Uri>() else { return refused("it is no URL".to_owned()) };
        let host = uri.host().unwrap_or_default();
        if host.is_empty() || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return refused("the URL must name a host, and no user before it".to_owned());
        }
        match uri.scheme_str() {
            Some("https") => Ok(uri),
            Some("http") if self.plain_http || is_loopback(host) => Ok(uri),
            Some("http") => {
                refused(format!("http:// leads to this machine only, and not to {host}: use https://"))
            }
            _ => refused("the URL must begin with https://".to_owned()),
        }
    }

    /// Asks once on a connection that lives; kept ones that turn out to be closed do not count.
    fn ask(&self, uri: &Uri, offset_bytes: u64) -> Result<Response<Body>, Error> {
        let call = || {
            let request = self.agent.get(uri);
            if offset_bytes == 0 {
                return request.call();
            }
            request.header(header::RANGE, format!("bytes={offset_bytes}-")).call()
        };
        for _ in 0..IDLE_CONNECTIONS_PER_HOST_MAX {
            match call() {
                Err(error) if StaleConnection::is(&error) => {}
                result => return result,
            }
        }
        call()
    }
}

/// Whether a name means this machine, whatever a resolver says.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// RFC 9110, section 14.4: `bytes 42-1233/1234`.
fn begins_at(response: &Response<Body>, offset_bytes: u64) -> bool {
    let stated = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = stated.and_then(|stated| stated.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    first == Some(offset_bytes)
}

fn not_answered(host: &str, error: &Error) -> WebError {
    let why = format!("{host}: {error}");
    match error {
        Error::BadUri(_)
        | Error::Http(_)
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::LargeResponseHeader(..) => WebError::Refused { why },
        // rustls tells a bad certificate through the connection it was to secure.
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => WebError::Refused { why },
        _ => WebError::Unavailable { why },
    }
}

#[cfg(test)]
mod tests;
