use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use hashward_engine::{Health, Metrics};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::time::{sleep, timeout};

use crate::listener::{Address, Connection, ConnectionLimits, Listener};
use crate::routes::routes;

/// What clients may use up.
#[derive(Clone, Copy, Debug)]
pub struct AdminLimits {
    /// Connections that are served at a time; more wait in the system's queue.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request, also the first one.
    pub head_timeout: Duration,
    /// The longest head of a request, in bytes. At least 8192.
    pub head_bytes_max: usize,
    /// How long a connection may live, however busy it is. A client that does not read its answer goes with
    /// it.
    pub connection_timeout: Duration,
    /// How long requests in progress may take after a shutdown, or when their connection has lived long
    /// enough.
    pub grace: Duration,
}

impl Default for AdminLimits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            head_timeout: Duration::from_secs(5),
            head_bytes_max: 16 << 10,
            connection_timeout: Duration::from_mins(2),
            grace: Duration::from_secs(2),
        }
    }
}

/// The HTTP listener, bound and not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: Listener,
    address: SocketAddr,
    limits: AdminLimits,
}

impl Admin {
    /// Binds `address`; port 0 takes a free one. Needs no async runtime yet.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = Listener::bind(&Address::Tcp(address))?;
        let address = listener.tcp_addr().expect("a TCP address was bound");
        Ok(Self { listener, address, limits: AdminLimits::default() })
    }

    /// With other limits than the usual ones.
    #[must_use]
    pub fn with_limits(mut self, limits: AdminLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The bound address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` completes; then finishes the requests in progress, for a short time. Fails
    /// only if the runtime does not take the listener over.
    pub async fn serve(
        self,
        metrics: Metrics,
        health: Health,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let service = TowerToHyperService::new(routes(metrics, health));
        let AdminLimits { connections_max, head_timeout, grace, .. } = self.limits;
        let limits = ConnectionLimits { connections_max, handshake_timeout: head_timeout, grace };
        let of_each = self.limits;
        let answering = move |connection| answer(connection, service.clone(), of_each);
        self.listener.serve(limits, shutdown, answering).await
    }
}

/// Answers the requests of one connection. Its errors are the client's, and concern nobody else.
async fn answer(connection: Connection, service: TowerToHyperService<axum::Router>, limits: AdminLimits) {
    let Connection { stream, mut closing, .. } = connection;
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.wished() => {}
        () = sleep(limits.connection_timeout) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(limits.grace, connection).await);
}
