use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::Bytes;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, Shutdown, recvmsg, send, shutdown,
};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// The most that is read at a time, in bytes.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// Descriptors that a client may have sent and not asked about.
const DESCRIPTORS_MAX: usize = 8;
/// How long a client may take to read some of a reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client is listened to after the last reply, so that the reply is not lost in a reset.
const LINGER: Duration = Duration::from_secs(2);

/// A client's end.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What came of waiting for a client.
#[derive(Debug)]
pub(crate) enum Received {
    /// Bytes.
    Bytes(Bytes),
    /// The client sends no more.
    End,
    /// Nothing, in time.
    TimedOut,
    /// The door closes, and the client was idle.
    Closing,
}

/// One connection of a door.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    closing: watch::Receiver<()>,
    descriptors: VecDeque<OwnedFd>,
}

impl Stream {
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.ready(interest).await.map(drop),
            Self::Unix(stream) => stream.ready(interest).await.map(drop),
        }
    }

    /// Does something with the socket that would block where it is not ready after all.
    fn attempt<T>(
        &self,
        interest: Interest,
        act: impl FnOnce(&Self) -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        let act = || act(self).map_err(io::Error::from);
        match self {
            Self::Tcp(stream) => stream.try_io(interest, act),
            Self::Unix(stream) => stream.try_io(interest, act),
        }
    }
}

impl std::os::fd::AsFd for Stream {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Connection {
    pub(super) fn new(stream: Stream, closing: watch::Receiver<()>) -> Self {
        Self { stream, closing, descriptors: VecDeque::new() }
    }

    /// Waits for what the client sends, until `deadline`. An idle client hears that the door closes.
    pub(crate) async fn receive(&mut self, deadline: Instant, is_idle: bool) -> io::Result<Received> {
        loop {
            tokio::select! {
                biased;
                // The sender is dropped, never used.
                _ = self.closing.changed(), if is_idle => return Ok(Received::Closing),
                ready = timeout_at(deadline, self.stream.ready(Interest::READABLE)) => match ready {
                    Ok(ready) => ready?,
                    Err(_) => return Ok(Received::TimedOut),
                },
            }
            match self.read() {
                Ok(bytes) if bytes.is_empty() => return Ok(Received::End),
                Ok(bytes) => return Ok(Received::Bytes(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is there. Memory is taken only once something is, and no more than twice as much.
    fn read(&mut self) -> io::Result<Bytes> {
        let mut piece = vec![0; PIECE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let read = self.stream.attempt(Interest::READABLE, |stream| {
            let mut pieces = [IoSliceMut::new(&mut piece)];
            recvmsg(stream, &mut pieces, &mut beside, RecvFlags::CMSG_CLOEXEC)
        })?;
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        if self.descriptors.len() > DESCRIPTORS_MAX {
            return Err(io::Error::other("more descriptors than are asked about"));
        }
        if read.bytes < PIECE_BYTES_MAX / 2 {
            return Ok(Bytes::copy_from_slice(&piece[..read.bytes]));
        }
        piece.truncate(read.bytes);
        Ok(piece.into())
    }

    /// The next descriptor that came.
    pub(crate) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Whether a descriptor came that was not asked about.
    pub(crate) fn has_descriptor(&self) -> bool {
        !self.descriptors.is_empty()
    }

    /// Sends all of `bytes`, to a client that goes on reading.
    pub(crate) async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            timeout(WRITE_TIMEOUT, self.stream.ready(Interest::WRITABLE)).await??;
            let sent =
                self.stream.attempt(Interest::WRITABLE, |stream| send(stream, bytes, SendFlags::NOSIGNAL));
            match sent {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says that nothing more comes, and lets the client read what came: a socket that is closed over unread bytes takes
    /// its last reply with it.
    pub(crate) async fn close(mut self) {
        if shutdown(&self.stream, Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + LINGER;
        while let Ok(Received::Bytes(_)) = self.receive(deadline, false).await {}
    }
}
