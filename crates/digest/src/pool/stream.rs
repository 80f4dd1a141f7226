//! What a pool keeps of one stream.

use hashward_core::AlgorithmSet;

use crate::midstate::{BLOCK_BYTES, Midstate, Tail};
use crate::others::Others;
use crate::schedule::Job;

/// One place of a pool.
pub(super) struct Stream {
    pub(super) turn: u64,
    pub(super) phase: Phase,
    pub(super) state: Midstate,
    pub(super) others: Others,
    pub(super) content_bytes: u64,
    /// As long as the pool's buffers are. The bytes from `start` to `filled` wait.
    pub(super) buffer: Box<[u8]>,
    start: usize,
    pub(super) filled: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Nobody has it.
    Closed,
    /// More bytes may come.
    Going,
    /// All bytes have come.
    Ended,
    /// Its end was taken: the state holds the digests.
    Done,
}

/// What is to be done for a stream.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Need {
    /// Nothing, but it may go forward.
    Nothing,
    /// All whole blocks.
    Blocks,
    /// Everything: its content has ended.
    End,
}

impl Stream {
    /// One that is not open.
    pub(super) fn new(buffer_bytes: usize) -> Self {
        Self {
            turn: 0,
            phase: Phase::Closed,
            state: Midstate::INITIAL,
            others: Others::new(AlgorithmSet::EMPTY),
            content_bytes: 0,
            buffer: vec![0; buffer_bytes].into(),
            start: 0,
            filled: 0,
        }
    }

    pub(super) fn restart(&mut self, wanted: AlgorithmSet) {
        self.state = Midstate::INITIAL;
        self.others = Others::new(wanted);
        self.content_bytes = 0;
        (self.start, self.filled) = (0, 0);
        self.phase = Phase::Going;
    }

    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.turn += 1;
    }

    /// Whether it can be taken forward.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Going | Phase::Ended)
    }

    /// Whether its end is to be taken with its last bytes.
    fn has_end(&self, need: Need) -> bool {
        need == Need::End || self.phase == Phase::Ended
    }

    pub(super) fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    pub(super) fn job(&self, key: usize, need: Need) -> Job<'_> {
        let (body, rest) = self.waiting().as_chunks();
        let tail = self.has_end(need).then(|| Tail::new(rest, self.content_bytes));
        Job { key, state: self.state.clone(), body, tail, urgent: need != Need::Nothing }
    }

    /// Goes on from `state`, with so many of the waiting whole blocks left, after the job for `need`.
    pub(super) fn go_on(&mut self, state: Midstate, blocks_left: usize, need: Need) {
        self.state = state;
        if blocks_left == 0 && self.has_end(need) {
            self.phase = Phase::Done;
        }
        let blocks = self.waiting().len() / BLOCK_BYTES;
        self.start += (blocks - blocks_left) * BLOCK_BYTES;
    }

    /// Moves what waits to the front.
    pub(super) fn make_space(&mut self) {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
    }
}
