//! Descriptors that come beside the bytes of a Unix socket (`SCM_RIGHTS`, unix(7)).

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

/// Descriptors of one connection that were not taken yet. A client that sends more at a time is cut off.
const DESCRIPTORS_MAX: usize = 8;

/// The descriptors that a client sent and nobody took, oldest first. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Descriptors(Arc<Mutex<VecDeque<OwnedFd>>>);

impl Descriptors {
    /// Takes the oldest.
    pub fn next(&self) -> Option<OwnedFd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn add(&self, more: impl Iterator<Item = OwnedFd>) -> io::Result<()> {
        let mut descriptors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        descriptors.extend(more);
        if descriptors.len() > DESCRIPTORS_MAX {
            return Err(io::Error::other("more descriptors than are taken"));
        }
        Ok(())
    }
}

/// A Unix stream that keeps the descriptors which come with its bytes.
#[derive(Debug)]
pub(crate) struct WithDescriptors {
    pub(crate) stream: UnixStream,
    pub(crate) descriptors: Descriptors,
}

impl AsyncRead for WithDescriptors {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
            let mut beside = RecvAncillaryBuffer::new(&mut space);
            let piece = buffer.initialize_unfilled();
            let read = self.stream.try_io(Interest::READABLE, || {
                let mut pieces = [IoSliceMut::new(piece)];
                recvmsg(&self.stream, &mut pieces, &mut beside, RecvFlags::CMSG_CLOEXEC)
                    .map_err(io::Error::from)
            });
            match read {
                Ok(read) => {
                    let rights = beside.drain().filter_map(|message| match message {
                        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                        _ => None,
                    });
                    self.descriptors.add(rights.flatten())?;
                    buffer.advance(read.bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for WithDescriptors {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
