mod stream;

use std::cmp::Reverse;

use hashward_core::{AlgorithmSet, Digests};
use thiserror::Error;

use crate::Path;
use crate::midstate::{BLOCK_BYTES, LaneSet};
use crate::others::Others;
use crate::schedule::{Until, run};
use stream::{Need, Phase, Stream};

/// Digests of many contents that arrive piece by piece, side by side: files that are read by turns, uploads.
///
/// Each open stream has a buffer of its own. What is put there waits until that buffer is full, the stream is finished or
/// [`StreamPool::flush`] is called. Then the others go forward beside it as far as they fill lanes. So the pool decides
/// nothing about time: a caller that wants work done sooner flushes. Memory is bounded by `streams_max * buffer_bytes`,
/// taken as streams open.
///
/// A caller with many contents to come keeps the lanes full instead: it tells which streams have [ended](StreamPool::end),
/// takes all forward with [`StreamPool::advance_full`], and opens others in the place of those that came to their end.
///
/// ```
/// # use hashward_core::{Algorithm, AlgorithmSet};
/// # use hashward_digest::{StreamPool, digest_bytes};
/// let wanted = AlgorithmSet::EMPTY.with(Algorithm::Md5).with(Algorithm::Sha256);
/// let mut pool = StreamPool::new(wanted, 2, 64 * 1024);
/// let (a, b) = (pool.open()?, pool.open()?);
/// pool.push(a, b"one ")?;
/// pool.push(b, b"another")?;
/// pool.push(a, b"content")?;
/// assert!(pool.finish_all(&[a, b])? == [digest_bytes(wanted, b"one content"), digest_bytes(wanted, b"another")]);
/// # Ok::<(), hashward_digest::PoolError>(())
/// ```
pub struct StreamPool {
    path: Path,
    wanted: AlgorithmSet,
    lane_set: LaneSet,
    streams_max: usize,
    buffer_bytes: usize,
    streams: Vec<Stream>,
    /// Places in `streams` that are not open.
    free: Vec<usize>,
}

/// A stream of one pool, open until it is finished or closed. It means nothing to another pool.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StreamId {
    place: usize,
    /// Which of the streams at this place, one after the other.
    turn: u64,
}

/// What a caller asked of a [`StreamPool`] that it cannot do.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PoolError {
    /// As many streams are open as the pool allows.
    #[error("{streams_max} streams are open, as many as the pool allows: finish or close one first")]
    Full {
        /// The pool's limit.
        streams_max: usize,
    },
    /// The stream was ended, finished or closed before, or is named twice.
    #[error("the stream is not open: it was finished or closed before")]
    NotOpen,
}

impl StreamPool {
    /// A pool for at most `streams_max` open streams, each with a buffer of `buffer_bytes`, at least 64.
    ///
    /// A few dozen streams fill the lanes. Buffers of some 16 KiB are enough for that; readers of files will want larger
    /// ones for the sake of their reads.
    pub fn new(wanted: AlgorithmSet, streams_max: usize, buffer_bytes: usize) -> Self {
        Self::on(Path::chosen(), wanted, streams_max, buffer_bytes)
    }

    /// [`StreamPool::new`] on a path of the caller's choice.
    pub fn on(path: Path, wanted: AlgorithmSet, streams_max: usize, buffer_bytes: usize) -> Self {
        let buffer_bytes = buffer_bytes.max(BLOCK_BYTES);
        let lane_set = LaneSet::of(wanted);
        Self { path, wanted, lane_set, streams_max, buffer_bytes, streams: Vec::new(), free: Vec::new() }
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.streams.len() - self.free.len()
    }

    /// Opens a stream that has no byte yet.
    pub fn open(&mut self) -> Result<StreamId, PoolError> {
        let place = match self.free.pop() {
            Some(place) => place,
            None if self.streams.len() == self.streams_max => {
                return Err(PoolError::Full { streams_max: self.streams_max });
            }
            None => {
                self.streams.push(Stream::new(self.buffer_bytes));
                self.streams.len() - 1
            }
        };
        self.streams[place].restart(self.wanted);
        Ok(StreamId { place, turn: self.streams[place].turn })
    }

    /// Takes the stream's next bytes. How they are cut into pieces does not change the digests.
    pub fn push(&mut self, id: StreamId, mut bytes: &[u8]) -> Result<(), PoolError> {
        while !bytes.is_empty() {
            let space = self.space(id)?;
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            space[..now.len()].copy_from_slice(now);
            self.filled(id, now.len())?;
            bytes = later;
        }
        self.going(id).map(|_| ())
    }

    /// Where the stream's next bytes can be written without copying them again: at least one byte. Whatever is there
    /// before is of no meaning. [`StreamPool::filled`] then says how many there are.
    pub fn space(&mut self, id: StreamId) -> Result<&mut [u8], PoolError> {
        let is_full = self.going(id)?.filled == self.buffer_bytes;
        // Less than half is moved rather than hashed at once: it may still find company.
        if is_full && self.stream(id)?.waiting().len() > self.buffer_bytes / 2 {
            self.advance(
                Until::NoneUrgent,
                |place| if place == id.place { Need::Blocks } else { Need::Nothing },
            );
        }
        if is_full || self.wants_bytes(id)? {
            self.stream(id)?.make_space();
        }
        let stream = self.stream(id)?;
        Ok(&mut stream.buffer[stream.filled..])
    }

    /// Takes the first `bytes` of [`StreamPool::space`] as the stream's next.
    ///
    /// Panics if there are not as many.
    pub fn filled(&mut self, id: StreamId, bytes: usize) -> Result<(), PoolError> {
        let stream = self.going(id)?;
        let filled = stream.filled + bytes;
        stream.others.update(&stream.buffer[stream.filled..filled]);
        stream.content_bytes = stream.content_bytes.wrapping_add(bytes as u64);
        stream.filled = filled;
        Ok(())
    }

    /// Takes all streams over all whole blocks that wait.
    pub fn flush(&mut self) {
        self.advance(Until::NoneUrgent, |_| Need::Blocks);
    }

    /// The digests of a stream's bytes, one of each wanted algorithm. The stream is open no more.
    pub fn finish(&mut self, id: StreamId) -> Result<Digests, PoolError> {
        self.finish_all(&[id]).map(|digests| digests[0])
    }

    /// The digests of several streams, in the order of `ids`; their ends go side by side too. If one of them is not open,
    /// nothing happens.
    pub fn finish_all(&mut self, ids: &[StreamId]) -> Result<Vec<Digests>, PoolError> {
        let mut needs = vec![Need::Nothing; self.streams.len()];
        for id in ids {
            self.stream(*id)?;
            if std::mem::replace(&mut needs[id.place], Need::End) == Need::End {
                return Err(PoolError::NotOpen);
            }
        }
        self.advance(Until::NoneUrgent, |place| needs[place]);
        Ok(ids.iter().map(|id| self.take(*id)).collect())
    }

    /// Gives up a stream whose digests nobody needs: an upload that broke off.
    pub fn close(&mut self, id: StreamId) -> Result<(), PoolError> {
        self.stream(id)?.close();
        self.free.push(id.place);
        Ok(())
    }

    /// Whether at most a quarter of what a stream's buffer holds waits, so that filling it moves little.
    pub fn wants_bytes(&mut self, id: StreamId) -> Result<bool, PoolError> {
        let quarter = self.buffer_bytes / 4;
        self.going(id).map(|stream| stream.waiting().len() <= quarter)
    }

    /// Says that a stream has all its bytes. Its digests come from [`StreamPool::advance_full`],
    /// [`StreamPool::advance_all`] or [`StreamPool::finish`].
    pub fn end(&mut self, id: StreamId) -> Result<(), PoolError> {
        self.going(id).map(|stream| stream.phase = Phase::Ended)
    }

    /// Takes streams forward as long as three quarters of the lanes have one: the cheapest way there is. Those that came
    /// to their end are open no more, and their digests are told.
    pub fn advance_full(&mut self) -> Vec<(StreamId, Digests)> {
        self.advance(Until::LanesEmpty, |_| Need::Nothing);
        self.take_ended()
    }

    /// Takes all streams over everything that waits, however many lanes are empty. Those that have ended are open no more,
    /// and their digests are told.
    pub fn advance_all(&mut self) -> Vec<(StreamId, Digests)> {
        self.flush();
        self.take_ended()
    }

    /// An open stream.
    fn stream(&mut self, id: StreamId) -> Result<&mut Stream, PoolError> {
        let stream = self
            .streams
            .get_mut(id.place)
            .filter(|stream| stream.phase != Phase::Closed && stream.turn == id.turn);
        stream.ok_or(PoolError::NotOpen)
    }

    /// An open stream that has not ended.
    fn going(&mut self, id: StreamId) -> Result<&mut Stream, PoolError> {
        let stream = self.stream(id)?;
        if stream.phase == Phase::Going { Ok(stream) } else { Err(PoolError::NotOpen) }
    }

    /// Does what each stream needs, place by place, and takes the others along.
    fn advance(&mut self, until: Until, need: impl Fn(usize) -> Need) {
        let under_way = |place: &usize| self.streams[*place].is_under_way();
        let mut places: Vec<usize> = (0..self.streams.len()).filter(under_way).collect();
        places.sort_unstable_by_key(|&place| {
            (need(place) == Need::Nothing, Reverse(self.streams[place].waiting().len()))
        });
        let mut states = Vec::with_capacity(places.len());
        let jobs = places.iter().map(|&place| self.streams[place].job(place, need(place)));
        run(self.path, self.lane_set, until, jobs, |place, state, left| {
            states.push((place, state.clone(), left));
        });
        for (place, state, left) in states {
            self.streams[place].go_on(state, left, need(place));
        }
    }

    /// The digests of all streams whose end was taken.
    fn take_ended(&mut self) -> Vec<(StreamId, Digests)> {
        let done = (0..self.streams.len()).filter(|place| self.streams[*place].phase == Phase::Done);
        let ids: Vec<_> = done.map(|place| StreamId { place, turn: self.streams[place].turn }).collect();
        ids.into_iter().map(|id| (id, self.take(id))).collect()
    }

    /// The digests of a stream whose end was taken.
    fn take(&mut self, id: StreamId) -> Digests {
        let stream = &mut self.streams[id.place];
        let mut digests = Digests::default();
        stream.state.digests_into(self.lane_set, &mut digests);
        let others = std::mem::replace(&mut stream.others, Others::new(AlgorithmSet::EMPTY));
        others.finish_into(&mut digests);
        stream.close();
        self.free.push(id.place);
        digests
    }
}
