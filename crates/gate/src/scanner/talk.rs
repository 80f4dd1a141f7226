use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::ready;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

use crate::listener::{Connection, Stream};

/// The most that is read at a time, in bytes.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// How long a client may take to read some of a reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client is listened to after the last reply, so that the reply is not lost in a reset.
const LINGER: Duration = Duration::from_secs(2);

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

/// Both directions of a connection. One that is idle holds no buffer.
pub(crate) struct Talk(Connection);

impl Talk {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Waits for what the client sends, until `deadline`. An idle client hears that the door closes.
    pub(crate) async fn receive(&mut self, deadline: Instant, is_idle: bool) -> io::Result<Received> {
        let Connection { stream, closing, .. } = &mut self.0;
        tokio::select! {
            biased;
            () = closing.wished(), if is_idle => Ok(Received::Closing),
            read = timeout_at(deadline, read(stream)) => match read {
                Ok(Ok(bytes)) if bytes.is_empty() => Ok(Received::End),
                Ok(Ok(bytes)) => Ok(Received::Bytes(bytes)),
                Ok(Err(error)) => Err(error),
                Err(_) => Ok(Received::TimedOut),
            },
        }
    }

    /// Whether the door closes: whoever is answered now has to come again for more.
    pub(crate) fn is_closing(&self) -> bool {
        self.0.closing.is_wished()
    }

    /// The next descriptor that the client sent.
    pub(crate) fn descriptor(&self) -> Option<OwnedFd> {
        self.0.descriptors.next()
    }

    /// Whether the client sent a descriptor that was not taken.
    pub(crate) fn has_descriptor(&self) -> bool {
        !self.0.descriptors.is_empty()
    }

    /// Sends all of `bytes`, to a client that goes on reading.
    pub(crate) async fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = timeout(WRITE_TIMEOUT, self.0.stream.write(bytes)).await??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[sent..];
        }
        timeout(WRITE_TIMEOUT, self.0.stream.flush()).await?
    }

    /// Says that nothing more comes, and lets the client read what came: a socket that is closed over unread bytes takes
    /// its last reply with it.
    pub(crate) async fn close(mut self) {
        let deadline = Instant::now() + LINGER;
        if !matches!(timeout_at(deadline, self.0.stream.shutdown()).await, Ok(Ok(()))) {
            return;
        }
        while let Ok(Received::Bytes(_)) = self.receive(deadline, false).await {}
    }
}

/// Reads what is there into as much memory as it needs, once something is.
async fn read(stream: &mut Box<dyn Stream>) -> io::Result<Bytes> {
    poll_fn(|context| {
        #[expect(
            clippy::large_stack_arrays,
            reason = "a buffer on the heap would be one for each idle client"
        )]
        let mut space = [MaybeUninit::uninit(); PIECE_BYTES_MAX];
        let mut piece = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut piece))?;
        Ok(Bytes::copy_from_slice(piece.filled())).into()
    })
    .await
}
