//! The engine's desk for those who can wait: uploads whose pieces are bounded, and answers as futures.

use std::sync::Arc;

use bytes::Bytes;
use hashward_engine::Desk;
use hashward_engine::core::Identity;
use hashward_engine::desk::{Answer, BatchAnswer, DeskError, Reply, Upload};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The longest piece that is handed to the desk, in bytes: longer ones are cut.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// Limits of an [`AsyncDesk`], beside those of its desk.
#[derive(Clone, Copy, Debug)]
pub struct AsyncDeskLimits {
    /// Bytes of all uploads that wait to be digested.
    pub ahead_bytes_max: usize,
    /// Batches of digests that are looked up at a time.
    pub batches_max: usize,
}

impl Default for AsyncDeskLimits {
    /// 64 MiB, and two batches.
    fn default() -> Self {
        Self { ahead_bytes_max: 64 << 20, batches_max: 2 }
    }
}

/// A [`Desk`] that is asked from tasks. Clones are the same.
#[derive(Clone)]
pub struct AsyncDesk {
    desk: Desk,
    /// A permit for each byte that may wait.
    ahead: Arc<Semaphore>,
    batches: Arc<Semaphore>,
}

/// An upload that waits for room. Dropped before it is finished it leaves nothing behind.
pub struct AsyncUpload {
    upload: Upload,
    /// A permit for each byte of this upload that may wait.
    mine: Arc<Semaphore>,
    all: Arc<Semaphore>,
    piece_bytes_max: usize,
}

/// A piece, and the room that it takes until it is digested.
struct Held {
    bytes: Bytes,
    _mine: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsyncDesk {
    /// Asks `desk`.
    pub fn new(desk: Desk, limits: AsyncDeskLimits) -> Self {
        let ahead_bytes_max = limits.ahead_bytes_max.clamp(PIECE_BYTES_MAX, Semaphore::MAX_PERMITS);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { desk, ahead: semaphore(ahead_bytes_max), batches: semaphore(limits.batches_max) }
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Opens an upload of the content that `identity` names.
    pub fn open(&self, identity: Identity) -> Result<AsyncUpload, DeskError> {
        let upload = self.desk.open(identity)?;
        let ahead_bytes_max = self.desk.options().ahead_bytes_max.min(Semaphore::MAX_PERMITS);
        let piece_bytes_max = PIECE_BYTES_MAX.min(ahead_bytes_max);
        let mine = Arc::new(Semaphore::new(ahead_bytes_max.max(Upload::weight(piece_bytes_max))));
        Ok(AsyncUpload { upload, mine, all: Arc::clone(&self.ahead), piece_bytes_max })
    }

    /// Runs `ask` beside the tasks, when its turn comes: it asks the desk about digests, see [`Desk::digests`], or fails by
    /// itself. The answer, when its alerts are durable.
    pub async fn batch<E: From<DeskError> + Send + 'static>(
        &self,
        ask: impl FnOnce(&Desk, Reply<BatchAnswer>) -> Result<(), E> + Send + 'static,
    ) -> Result<BatchAnswer, E> {
        let turn = Arc::clone(&self.batches).acquire_owned().await.map_err(|_| DeskError::Closed)?;
        let (reply, answer) = reply();
        let desk = self.desk.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let asked = ask(&desk, reply);
            drop(turn);
            asked
        });
        asking.await.map_err(|_| DeskError::Closed)??;
        Ok(answer.await.unwrap_or(Err(DeskError::Closed))?)
    }
}

impl AsyncUpload {
    /// Takes the content's next bytes, as soon as there is room for them.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), DeskError> {
        let mut bytes = bytes;
        while !bytes.is_empty() && !self.is_too_large() {
            let piece = bytes.split_to(bytes.len().min(self.piece_bytes_max));
            let permits = u32::try_from(Upload::weight(piece.len())).expect("pieces are short");
            let room = |of: &Arc<Semaphore>| Arc::clone(of).acquire_many_owned(permits);
            let mine = room(&self.mine).await.map_err(|_| DeskError::Closed)?;
            let all = room(&self.all).await.map_err(|_| DeskError::Closed)?;
            self.upload.push(Box::new(Held { bytes: piece, _mine: mine, _all: all }))?;
        }
        Ok(())
    }

    /// How many bytes were taken.
    pub fn bytes(&self) -> u64 {
        self.upload.bytes()
    }

    /// Whether the content is too large to be judged, whatever else comes; see [`Upload::is_too_large`].
    pub fn is_too_large(&self) -> bool {
        self.upload.is_too_large()
    }

    /// All bytes have come: the answer, when its alert is durable.
    pub async fn finish(self) -> Result<Answer, DeskError> {
        let (reply, answer) = reply();
        self.upload.finish(reply);
        answer.await.unwrap_or(Err(DeskError::Closed))
    }
}

/// A reply, and the future of what it is given.
fn reply<T: Send + 'static>() -> (Reply<T>, oneshot::Receiver<Result<T, DeskError>>) {
    let (told, answer) = oneshot::channel();
    // Whoever gave up waiting has no use for the answer.
    (Reply::new(move |answer| drop(told.send(answer))), answer)
}
