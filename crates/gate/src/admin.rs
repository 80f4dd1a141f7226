use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hashward_engine::{Health, Metrics};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

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

/// The pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The HTTP listener, bound and not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    limits: AdminLimits,
}

impl Admin {
    /// Binds `address`; port 0 takes a free one. Needs no async runtime yet.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
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
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let service = TowerToHyperService::new(routes(metrics, health));
        let room = Arc::new(Semaphore::new(self.limits.connections_max));
        let (closing, is_closing) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accept = async {
                let room = Arc::clone(&room).acquire_owned().await;
                (room, listener.accept().await)
            };
            let (room, accepted) = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept => accepted,
            };
            let Ok((stream, _)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let (service, is_closing) = (service.clone(), is_closing.clone());
            connections.spawn(async move {
                answer(stream, service, self.limits, is_closing).await;
                drop(room);
            });
        }
        drop(listener);
        drop(closing);
        let all_closed = async { while connections.join_next().await.is_some() {} };
        // Whoever is still there is cut off when `connections` is dropped.
        drop(timeout(self.limits.grace, all_closed).await);
        Ok(())
    }
}

/// Answers the requests of one connection. Its errors are the client's, and concern nobody else.
async fn answer(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    limits: AdminLimits,
    mut is_closing: watch::Receiver<()>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        // The sender is dropped, never used.
        _ = is_closing.changed() => {}
        () = sleep(limits.connection_timeout) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(limits.grace, connection).await);
}
