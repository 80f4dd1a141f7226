use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::connection::Stream;

/// How many connections the system keeps that were not accepted yet.
const BACKLOG: i32 = 1024;

/// Where a door listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// At a TCP port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// At a socket in the file system.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Who may connect, as permissions of a file: 0o660 lets owner and group.
        mode: u32,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { path, .. } => path.display().fmt(f),
        }
    }
}

/// Why a door cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The system refuses the address.
    #[error("cannot listen at {address}: {source}")]
    Refused {
        /// The address.
        address: Address,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody answers at the socket, or the path is something else than a socket.
    #[error("cannot listen at {path}: it is in use; stop whoever listens there, or name another path")]
    InUse {
        /// The path.
        path: PathBuf,
    },
}

/// A bound listener that nobody serves yet. A socket in the file system goes with it.
#[derive(Debug)]
pub struct Bound {
    socket: Socket,
    address: Address,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(std::os::unix::net::UnixListener, Removed),
}

/// Removes a socket's file.
#[derive(Debug)]
pub(super) struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        drop(fs::remove_file(&self.0));
    }
}

impl Bound {
    /// Binds `address`. Needs no async runtime yet.
    pub fn bind(address: &Address) -> Result<Self, ListenError> {
        let refused = |source| ListenError::Refused { address: address.clone(), source };
        match address {
            Address::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted).map_err(refused)?;
                listener.set_nonblocking(true).map_err(refused)?;
                let address = Address::Tcp(listener.local_addr().map_err(refused)?);
                Ok(Self { socket: Socket::Tcp(listener), address })
            }
            Address::Unix { path, mode } => {
                make_room(path)?;
                let listener = bind_unix(path, *mode).map_err(refused)?;
                let socket = Socket::Unix(listener, Removed(path.clone()));
                Ok(Self { socket, address: address.clone() })
            }
        }
    }

    /// Where it is bound.
    pub fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn listen(self) -> io::Result<Listener> {
        match self.socket {
            Socket::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Listener::Tcp),
            Socket::Unix(listener, removed) => {
                tokio::net::UnixListener::from_std(listener).map(|listener| Listener::Unix(listener, removed))
            }
        }
    }
}

/// Removes a socket that a process left behind which is gone.
fn make_room(path: &Path) -> Result<(), ListenError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let is_left = metadata.file_type().is_socket()
        && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if is_left && fs::remove_file(path).is_ok() {
        return Ok(());
    }
    Err(ListenError::InUse { path: path.to_path_buf() })
}

/// The file never has more permissions than `mode`, not even for a moment.
fn bind_unix(path: &Path, mode: u32) -> io::Result<std::os::unix::net::UnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux gives the file the mode that the socket has, less the process' mask.
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(mode))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// A listener on the runtime.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(
        tokio::net::UnixListener,
        #[expect(dead_code, reason = "removes the socket when it is dropped")] Removed,
    ),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Answers are short and waited for.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_its_mode_and_goes_with_its_listener() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let address = Address::Unix { path: path.clone(), mode: 0o666 };
        let bound = Bound::bind(&address).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        let in_use = Bound::bind(&address).unwrap_err();
        assert!(matches!(in_use, ListenError::InUse { .. }), "{in_use}");
        drop(bound);
        assert!(!path.exists());
        // One that was left behind makes room, any other file does not.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let narrow = Address::Unix { path: path.clone(), mode: 0o600 };
        drop(Bound::bind(&narrow).unwrap());
        fs::write(&path, "precious").unwrap();
        assert!(matches!(Bound::bind(&narrow), Err(ListenError::InUse { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }
}
