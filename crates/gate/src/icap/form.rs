//! Forms (`multipart/form-data`): each part is a content, beside the whole body.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use multer::Multipart;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Parts;
use crate::scanner::Ruling;

/// The most parts of one form.
const PARTS_MAX: usize = 1000;
/// Pieces of a form that wait to be taken apart.
const PIECES_AHEAD: usize = 4;

/// A form on its way. Dropped before its end it leaves nothing behind.
pub(super) struct Form {
    pieces: mpsc::Sender<Bytes>,
    ruling: JoinHandle<Ruling>,
}

impl Form {
    /// Takes a form apart as it comes; alerts tell `url`.
    pub(super) fn open(door: Arc<Parts>, boundary: String, url: Option<String>) -> Self {
        let (pieces, to_come) = mpsc::channel(PIECES_AHEAD);
        let ruling = tokio::spawn(async move { rule(&door, boundary, to_come, url).await });
        Self { pieces, ruling }
    }

    /// Takes the next bytes.
    pub(super) async fn push(&self, bytes: Bytes) {
        // Nobody listens once it is known to be no form; the ruling says so.
        drop(self.pieces.send(bytes).await);
    }

    /// The strictest ruling of all parts.
    pub(super) async fn finish(self, door: &Parts) -> Ruling {
        drop(self.pieces);
        self.ruling.await.unwrap_or_else(|_| door.rules.unjudged("The form could not be judged"))
    }
}

async fn rule(door: &Parts, boundary: String, pieces: mpsc::Receiver<Bytes>, url: Option<String>) -> Ruling {
    let stream = axum::body::Body::new(Pieces(pieces)).into_data_stream();
    let mut form = Multipart::new(stream, boundary);
    let broken = |_| door.rules.unjudged("The form could not be read");
    let mut strictest = Ruling::Pass;
    for _ in 0..PARTS_MAX {
        let mut part = match form.next_field().await.map_err(broken) {
            Ok(Some(part)) => part,
            Ok(None) => return strictest,
            Err(ruling) => return strictest.or(ruling),
        };
        let content_type = part.content_type().map(ToString::to_string);
        let mut upload = door.open(url.clone(), content_type);
        loop {
            match part.chunk().await.map_err(broken) {
                Ok(Some(bytes)) => upload.push(bytes).await,
                Ok(None) => break,
                Err(ruling) => return strictest.or(ruling),
            }
        }
        strictest = strictest.or(upload.finish(&door.rules).await);
    }
    strictest.or(door.rules.unjudged("The form has too many parts"))
}

/// Bytes of a body that come through a channel.
struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
