//! Connections of the HTTP door.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use bytes::{Buf as _, Bytes};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::pace::Pace;
use super::problem::Reason;
use super::{BODIES_BYTES_MAX, State, routes};
use crate::AsyncDesk;
use crate::door::Door;
use crate::listener::{Connection, ConnectionLimits, Listener, Stream};
use crate::who::{Gatekeeper, Tenants};

/// What clients may use up.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Connections that are served at a time; more wait in the system's queue.
    pub connections_max: usize,
    /// How long a TLS handshake, and then the head of a request may take.
    pub head_timeout: Duration,
    /// The longest head of a request, in bytes. At least 8192.
    pub head_bytes_max: usize,
    /// How fast a body must come.
    pub pace: Pace,
    /// How long a connection may live, however busy it is.
    pub connection_timeout: Duration,
    /// Requests of one connection at a time (HTTP/2).
    pub streams_max: u32,
    /// How long requests in progress may take after a shutdown, or when their connection has lived long enough.
    pub grace: Duration,
}

impl Default for HttpLimits {
    /// 16,384 connections, each for an hour; 10 s for a head and for a pause in a body.
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            head_timeout: Duration::from_secs(10),
            head_bytes_max: 64 << 10,
            pace: Pace { pause_max: Duration::from_secs(10), bytes_per_second_min: 1024 },
            connection_timeout: Duration::from_hours(1),
            streams_max: 100,
            grace: Duration::from_secs(25),
        }
    }
}

/// The HTTP door. Clones are the same.
#[derive(Clone)]
pub struct HttpDoor {
    state: Arc<State>,
}

/// What HTTP/2 begins with (RFC 9113, section 3.4): no HTTP/1.1 method does.
const HTTP2_BEGINS: &[u8] = b"PRI";

impl HttpDoor {
    /// A door to `desk`.
    pub fn new(
        desk: AsyncDesk,
        door: Door,
        gatekeeper: Gatekeeper,
        tenants: Tenants,
        limits: HttpLimits,
    ) -> Self {
        let bodies = Arc::new(Semaphore::new(BODIES_BYTES_MAX));
        door.may_refuse(Reason::WORDS);
        Self { state: Arc::new(State { desk, door, gatekeeper, tenants, limits, bodies }) }
    }

    /// Answers on `listener` until `shutdown` completes; then finishes the requests in progress. Fails only if the runtime
    /// does not take the listener over.
    pub async fn serve(&self, listener: Listener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let limits = self.state.limits;
        let of_listener = ConnectionLimits {
            connections_max: limits.connections_max,
            handshake_timeout: limits.head_timeout,
            grace: limits.grace,
        };
        let router = routes(&self.state);
        let answering = move |connection| answer(connection, router.clone(), limits);
        listener.of_door(self.state.door.clone()).serve(of_listener, shutdown, answering).await
    }
}

/// Answers the requests of one connection. Its errors are the client's, and concern nobody else.
async fn answer(connection: Connection, router: Router, limits: HttpLimits) {
    let Connection { stream, peer, mut closing, .. } = connection;
    let known = peer.protocol.as_deref().map(|protocol| protocol == b"h2");
    let Some((stream, is_http2)) = begin(stream, known, limits.head_timeout).await else { return };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        let answering = router.call(request);
        async move { answering.await as Result<Response<Body>, Infallible> }
    });
    // Both kinds of connections end alike, and are of different types.
    macro_rules! until_closing {
        ($connection:expr) => {{
            let mut connection = pin!($connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = closing.wished() => {}
                () = sleep(limits.connection_timeout) => {}
            }
            connection.as_mut().graceful_shutdown();
            drop(timeout(limits.grace, connection).await);
        }};
    }
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
            .keep_alive_interval(limits.head_timeout)
            .keep_alive_timeout(limits.head_timeout);
        until_closing!(builder.serve_connection(TokioIo::new(stream), service));
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_timeout)
            .max_buf_size(limits.head_bytes_max);
        until_closing!(builder.serve_connection(TokioIo::new(stream), service));
    }
}

/// Finds out which HTTP is spoken, from the first bytes if it is not known yet. `None`: nobody speaks.
async fn begin(stream: Box<dyn Stream>, known: Option<bool>, patience: Duration) -> Option<(Begun, bool)> {
    let mut begun = Begun { read: Bytes::new(), stream };
    if let Some(is_http2) = known {
        return Some((begun, is_http2));
    }
    let mut first = [0; HTTP2_BEGINS.len()];
    let mut bytes = 0;
    let reading = async {
        while bytes < first.len() && HTTP2_BEGINS.starts_with(&first[..bytes]) {
            match begun.stream.read(&mut first[bytes..]).await {
                Ok(read) if read > 0 => bytes += read,
                _ => return false,
            }
        }
        true
    };
    if !timeout(patience, reading).await.unwrap_or(false) {
        return None;
    }
    begun.read = Bytes::copy_from_slice(&first[..bytes]);
    Some((begun, first == *HTTP2_BEGINS))
}

/// A stream of which some bytes were read already.
struct Begun {
    read: Bytes,
    stream: Box<dyn Stream>,
}

impl AsyncRead for Begun {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let bytes = self.read.len().min(buffer.remaining());
        buffer.put_slice(&self.read[..bytes]);
        self.read.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Begun {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
