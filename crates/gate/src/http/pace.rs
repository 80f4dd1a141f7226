//! Bodies that come too slowly are given up.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How fast a body must come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest pause in it.
    pub pause_max: Duration,
    /// From then on so many bytes a second, on average since its begin, are the least.
    pub bytes_per_second_min: u64,
}

/// How much of a body is read that nobody needs, and for how long.
const DRAINED_BYTES_MAX: usize = 256 << 10;
const DRAIN_MAX: Duration = Duration::from_secs(1);

/// A body under watch.
pub(super) struct Paced {
    body: Body,
    pace: Pace,
    /// When it was first asked for.
    began: Option<Instant>,
    bytes: u64,
    /// Set while it is waited for.
    patience: Option<Pin<Box<Sleep>>>,
}

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It came too slowly.
    #[error("a pause of more than {pause_ms} ms, or less than {bytes_per_second_min} bytes a second")]
    TooSlow {
        /// The longest pause.
        pause_ms: u128,
        /// The least speed.
        bytes_per_second_min: u64,
    },
    /// The connection broke off, or what came is no body.
    #[error("the body broke off")]
    Off,
}

impl Paced {
    pub(super) fn new(body: Body, pace: Pace) -> Self {
        Self { body, pace, began: None, bytes: 0, patience: None }
    }

    /// Whether any of it was asked for.
    pub(super) fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// Reads what is left, if that is little and comes soon.
    pub(super) async fn drain(&mut self) {
        let mut bytes = 0;
        let draining = async {
            while bytes < DRAINED_BYTES_MAX && !hyper::body::Body::is_end_stream(self) {
                match self.frame().await {
                    Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
                    _ => break,
                }
            }
        };
        // Whoever is slower loses the answer.
        drop(timeout(DRAIN_MAX, draining).await);
    }

    fn is_slow(&self, now: Instant) -> bool {
        let took = self.began.map_or(Duration::ZERO, |began| now - began);
        took > self.pace.pause_max
            && u128::from(self.bytes) * 1000 < u128::from(self.pace.bytes_per_second_min) * took.as_millis()
    }

    fn too_slow(&self) -> Broken {
        let Pace { pause_max, bytes_per_second_min } = self.pace;
        Broken::TooSlow { pause_ms: pause_max.as_millis(), bytes_per_second_min }
    }
}

impl hyper::body::Body for Paced {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.began.get_or_insert_with(Instant::now);
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(Broken::Off))),
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                let waited = self.patience.take().is_some();
                if waited && self.is_slow(Instant::now()) {
                    return Poll::Ready(Some(Err(self.too_slow())));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => {
                let until = Instant::now() + self.pace.pause_max;
                let patience = self.patience.get_or_insert_with(|| Box::pin(sleep_until(until)));
                match patience.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(self.too_slow()))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
