//! Connections of every door, the admin's too: where they come from, how many there are, and when they end.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::descriptors::{Descriptors, WithDescriptors};
use crate::door::Door;
use crate::tls::{ServerTls, fingerprint};

/// The pause after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Where a door listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// An IP address and a port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A Unix socket, and the permissions of its file, such as `0o660`.
    Unix(PathBuf, u32),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path, _) => path.display().fmt(f),
        }
    }
}

/// What the connections of one listener may use up.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections that are served at a time; more wait in the system's queue.
    pub connections_max: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long connections may go on after a shutdown, before they are cut off.
    pub grace: Duration,
}

/// A byte stream, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
pub struct Connection {
    /// Its bytes, in clear.
    pub stream: Box<dyn Stream>,
    /// Who is at the other end.
    pub peer: Peer,
    /// When to come to an end.
    pub closing: Closing,
    /// What came beside the bytes, at a listener [`with descriptors`](Listener::with_descriptors).
    pub descriptors: Descriptors,
}

/// What the transport knows of a client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Peer {
    /// The SHA-256 of the certificate that the client proved to have.
    pub certificate: Option<[u8; 32]>,
    /// The protocol that TLS agreed on (ALPN), such as `h2`.
    pub protocol: Option<Vec<u8>>,
}

/// The wish that connections end, shared by all of a listener.
#[derive(Clone, Debug)]
pub struct Closing(watch::Receiver<()>);

impl Closing {
    /// Completes when connections are to finish what they are at, and to take nothing new.
    pub async fn wished(&mut self) {
        // The sender is dropped, never used.
        drop(self.0.changed().await);
    }

    /// Whether connections are to take nothing new.
    pub fn is_wished(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

/// A bound address that is not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<ServerTls>,
    door: Option<Door>,
    takes_descriptors: bool,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

/// Takes the socket's file away when the door is gone.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may be gone already, or be somebody's who came after us; neither concerns us any more.
        drop(std::fs::remove_file(&self.0));
    }
}

impl Listener {
    /// Binds `address`. Needs no async runtime yet. A Unix socket that nobody listens on any more is replaced.
    pub fn bind(address: &Address) -> io::Result<Self> {
        let socket = match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                let address = listener.local_addr()?;
                Socket::Tcp(listener, address)
            }
            Address::Unix(path, mode) => {
                let listener = bind_unix(path, *mode)?;
                Socket::Unix(listener, SocketFile(path.clone()))
            }
        };
        Ok(Self { socket, tls: None, door: None, takes_descriptors: false })
    }

    /// With TLS before everything else.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<ServerTls>) -> Self {
        self.tls = tls;
        self
    }

    /// Clients of a Unix socket may send open files beside their bytes. Elsewhere what they send is closed.
    #[must_use]
    pub fn with_descriptors(mut self) -> Self {
        self.takes_descriptors = true;
        self
    }

    /// Its connections are counted as those of `door`.
    #[must_use]
    pub fn of_door(mut self, door: Door) -> Self {
        self.door = Some(door);
        self
    }

    /// The bound address as people write it.
    pub fn local(&self) -> String {
        match &self.socket {
            Socket::Tcp(_, address) => address.to_string(),
            Socket::Unix(_, file) => file.0.display().to_string(),
        }
    }

    /// The bound address and port; `None` for a Unix socket.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(_, address) => Some(*address),
            Socket::Unix(..) => None,
        }
    }

    /// Hands each connection to `answer`, until `shutdown` completes. Then those that are open are told, and get a short
    /// time. Fails only if the runtime does not take the listener over.
    pub async fn serve<F>(
        self,
        limits: ConnectionLimits,
        shutdown: impl Future<Output = ()>,
        answer: impl Fn(Connection) -> F + Clone + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send,
    {
        let accepting = Accepting::new(self.socket, self.takes_descriptors)?;
        let acceptor = self.tls.map(|tls| TlsAcceptor::from(tls.0));
        let room = Arc::new(Semaphore::new(limits.connections_max));
        let (closing, is_closing) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accept = async {
                let room = Arc::clone(&room).acquire_owned().await;
                (room, accepting.accept().await)
            };
            let (room, accepted) = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept => accepted,
            };
            let Ok((stream, descriptors)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let guard = (room, self.door.as_ref().map(Door::connection));
            let (closing, acceptor, answer) = (Closing(is_closing.clone()), acceptor.clone(), answer.clone());
            connections.spawn(async move {
                let shaken = timeout(limits.handshake_timeout, shake_hands(stream, acceptor)).await;
                if let Ok(Ok((stream, peer))) = shaken {
                    answer(Connection { stream, peer, closing, descriptors }).await;
                }
                drop(guard);
            });
        }
        drop(accepting);
        drop(closing);
        let all_closed = async { while connections.join_next().await.is_some() {} };
        // Whoever is still there is cut off when `connections` is dropped.
        drop(timeout(limits.grace, all_closed).await);
        Ok(())
    }
}

/// Gets TLS out of the way, if there is to be any.
async fn shake_hands(
    stream: Box<dyn Stream>,
    acceptor: Option<TlsAcceptor>,
) -> io::Result<(Box<dyn Stream>, Peer)> {
    let Some(acceptor) = acceptor else { return Ok((stream, Peer::default())) };
    let stream = acceptor.accept(stream).await?;
    let session = stream.get_ref().1;
    let certificate = session.peer_certificates().and_then(<[_]>::first).map(|leaf| fingerprint(leaf));
    let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
    Ok((Box::new(stream), Peer { certificate, protocol }))
}

/// A socket in the hands of the runtime.
struct Accepting {
    socket: Bound,
    takes_descriptors: bool,
}

enum Bound {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, #[expect(dead_code, reason = "its drop removes the file")] SocketFile),
}

impl Accepting {
    fn new(socket: Socket, takes_descriptors: bool) -> io::Result<Self> {
        let socket = match socket {
            Socket::Tcp(listener, _) => Bound::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Socket::Unix(listener, file) => Bound::Unix(tokio::net::UnixListener::from_std(listener)?, file),
        };
        Ok(Self { socket, takes_descriptors })
    }

    async fn accept(&self) -> io::Result<(Box<dyn Stream>, Descriptors)> {
        let descriptors = Descriptors::default();
        let stream: Box<dyn Stream> = match &self.socket {
            Bound::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Answers are small, and wait for nothing.
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Bound::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                if self.takes_descriptors {
                    Box::new(WithDescriptors { stream, descriptors: descriptors.clone() })
                } else {
                    Box::new(stream)
                }
            }
        };
        Ok((stream, descriptors))
    }
}

/// Binds a Unix socket. A file that a process left which is gone does not stand in the way; one that somebody listens on
/// does, and so does any other kind of file.
fn bind_unix(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
