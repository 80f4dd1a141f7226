use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use hashward_core::Identity;

use super::seats::Seat;
use super::thread::{Command, Ended};
use super::{Answer, DeskError, DeskOptions, Reply};

/// Some bytes of an upload, dropped as soon as they are digested: who wants to know when, puts a guard beside them.
pub type Piece = Box<dyn AsRef<[u8]> + Send>;

/// What a piece counts at least against [`DeskOptions::ahead_bytes_max`], in bytes: so that many small ones are bounded too.
pub const PIECE_BYTES_MIN: usize = 1024;

/// A content on its way in. Dropped before it is finished it leaves nothing behind.
pub struct Upload {
    number: u64,
    to: Sender<Command>,
    ahead: Arc<AtomicUsize>,
    ahead_bytes_max: usize,
    bytes: u64,
    content_bytes_max: u64,
    is_open: bool,
}

impl Upload {
    pub(super) fn open(
        number: u64,
        to: Sender<Command>,
        options: &DeskOptions,
        identity: Identity,
        seat: Seat,
    ) -> Result<Self, DeskError> {
        let ahead = Arc::new(AtomicUsize::new(0));
        let open = Command::Open { number, identity: Box::new(identity), ahead: Arc::clone(&ahead), seat };
        to.send(open).map_err(|_| DeskError::Closed)?;
        let &DeskOptions { ahead_bytes_max, content_bytes_max, .. } = options;
        Ok(Self { number, to, ahead, ahead_bytes_max, bytes: 0, content_bytes_max, is_open: true })
    }

    /// How much a piece of so many bytes counts against [`DeskOptions::ahead_bytes_max`].
    pub fn weight(bytes: usize) -> usize {
        bytes.max(PIECE_BYTES_MIN)
    }

    /// Takes the content's next bytes. Never waits: a caller that goes too far ahead is refused and may try again, or
    /// waits for earlier pieces to be dropped. One piece is always taken, however long.
    ///
    /// Content that turns out too large is not digested any further; see [`Upload::is_too_large`].
    pub fn push(&mut self, piece: Piece) -> Result<(), DeskError> {
        let bytes = (*piece).as_ref().len();
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.is_too_large() || bytes == 0 {
            return Ok(());
        }
        let weight = Self::weight(bytes);
        let before = self.ahead.fetch_add(weight, Ordering::AcqRel);
        if before > 0 && before + weight > self.ahead_bytes_max {
            self.ahead.fetch_sub(weight, Ordering::AcqRel);
            self.bytes -= bytes as u64;
            return Err(DeskError::TooFarAhead { ahead_bytes_max: self.ahead_bytes_max });
        }
        self.to.send(Command::Piece { number: self.number, piece }).map_err(|_| DeskError::Closed)
    }

    /// How many bytes were pushed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the content is larger than [`DeskOptions::content_bytes_max`]: its verdict will be that it is unreadable,
    /// whatever else comes.
    pub fn is_too_large(&self) -> bool {
        self.bytes > self.content_bytes_max
    }

    /// All bytes have come: the asker is told when there is an answer.
    pub fn finish(mut self, reply: Reply<Answer>) {
        self.is_open = false;
        let ended = Ended { number: self.number, is_too_large: self.is_too_large(), reply };
        // A command that nobody takes is dropped, and its reply with it: then the asker is told so.
        drop(self.to.send(Command::Finish(ended)));
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_open {
            // Where nobody takes it, nothing is left to be closed.
            drop(self.to.send(Command::Close { number: self.number }));
        }
    }
}
