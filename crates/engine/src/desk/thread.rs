//! A thread that digests its share of the uploads and decides about them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use hashward_core::{AlgorithmSet, Identity, Unreadable, UnreadableKind};
use hashward_digest::{Path, StreamId, StreamPool};
use jiff::Timestamp;

use super::courier::Courier;
use super::seats::Seat;
use super::upload::{Piece, Upload};
use super::{Answer, DeskOptions, Reply, answer, count_verdicts};
use crate::{Content, Decider, Health, Part, Snapshot};

/// The buffer of each stream: enough that passes through the lanes are long.
const STREAM_BUFFER_BYTES: usize = 16 << 10;
/// So many commands are taken before those that have ended are looked at.
const COMMANDS_PER_ROUND: usize = 256;

/// What a digesting thread is told.
pub(super) enum Command {
    Open { number: u64, identity: Box<Identity>, ahead: Arc<AtomicUsize>, seat: Seat },
    Piece { number: u64, piece: Piece },
    Finish(Ended),
    Close { number: u64 },
}

/// An upload all of whose bytes have come.
pub(super) struct Ended {
    pub(super) number: u64,
    pub(super) is_too_large: bool,
    pub(super) reply: Reply<Answer>,
}

/// What the thread knows of an upload.
struct Open {
    identity: Box<Identity>,
    /// The lists as they were when it was opened.
    snapshot: Arc<Snapshot>,
    /// The algorithms of those lists: which pool its stream is in.
    wanted: AlgorithmSet,
    stream: StreamId,
    ahead: Arc<AtomicUsize>,
    bytes: u64,
    /// Given back last, when the stream is closed.
    _seat: Seat,
}

pub(super) struct DigestThread {
    options: DeskOptions,
    streams_max: usize,
    decider: Decider,
    courier: Courier,
    health: Health,
    /// One for each set of algorithms that the lists of some open upload hold: nearly always one.
    pools: HashMap<AlgorithmSet, StreamPool>,
    uploads: HashMap<u64, Open>,
    ended: Vec<Ended>,
    /// Until when the first of those that have ended waits for company.
    due: Option<Instant>,
}

impl DigestThread {
    pub(super) fn new(
        options: DeskOptions,
        streams_max: usize,
        decider: Decider,
        courier: Courier,
        health: Health,
    ) -> Self {
        let (pools, uploads) = (HashMap::new(), HashMap::new());
        let (ended, due) = (Vec::new(), None);
        Self { options, streams_max, decider, courier, health, pools, uploads, ended, due }
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let _watched = Watched(self.health.clone());
        loop {
            let wait = self.due.map(|due| due.saturating_duration_since(Instant::now()));
            let first = match wait {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => commands.recv_timeout(wait),
            };
            match first {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for command in commands.try_iter().take(COMMANDS_PER_ROUND) {
                self.take(command);
            }
            if self.is_due() {
                self.finish_ended();
            }
        }
        self.finish_ended();
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Open { number, identity, ahead, seat } => self.open(number, identity, ahead, seat),
            Command::Piece { number, piece } => self.push(number, &*piece),
            Command::Finish(ended) => {
                self.due.get_or_insert_with(|| Instant::now() + self.options.company_wait);
                self.ended.push(ended);
            }
            Command::Close { number } => self.close(number),
        }
    }

    fn open(&mut self, number: u64, identity: Box<Identity>, ahead: Arc<AtomicUsize>, seat: Seat) {
        let snapshot = self.decider.live().load();
        let wanted = snapshot.algorithms();
        if !self.pools.contains_key(&wanted) {
            // What no list of ours holds any more goes with its last stream.
            self.pools.retain(|_, pool| pool.open_streams() > 0);
        }
        let pool = self.pools.entry(wanted);
        let pool = pool.or_insert_with(|| StreamPool::new(wanted, self.streams_max, STREAM_BUFFER_BYTES));
        let stream = pool.open().expect("an upload with a seat has a stream");
        let open = Open { identity, snapshot, wanted, stream, ahead, bytes: 0, _seat: seat };
        self.uploads.insert(number, open);
    }

    fn push(&mut self, number: u64, piece: &(dyn AsRef<[u8]> + Send)) {
        let open = self.uploads.get_mut(&number).expect("pieces are of open uploads");
        let bytes = piece.as_ref();
        let pool = self.pools.get_mut(&open.wanted).expect("an open upload keeps its pool");
        pool.push(open.stream, bytes).expect("the upload is open");
        open.bytes += bytes.len() as u64;
        open.ahead.fetch_sub(Upload::weight(bytes.len()), Ordering::AcqRel);
    }

    fn close(&mut self, number: u64) {
        let open = self.uploads.remove(&number).expect("an upload is closed once");
        let pool = self.pools.get_mut(&open.wanted).expect("an open upload keeps its pool");
        pool.close(open.stream).expect("the upload is open");
    }

    /// Whether those that have ended have waited long enough: nobody else is under way, or the lanes are full.
    fn is_due(&self) -> bool {
        let Some(due) = self.due else { return false };
        let ended = self.ended.len();
        ended == self.uploads.len() || ended >= Path::chosen().lanes() || due <= Instant::now()
    }

    /// Answers all that have ended, by the lists that are current now.
    fn finish_ended(&mut self) {
        self.due = None;
        let mut asked: Vec<(Open, Reply<Answer>, Content)> = Vec::with_capacity(self.ended.len());
        let mut streams: HashMap<AlgorithmSet, (Vec<StreamId>, Vec<usize>)> = HashMap::new();
        for Ended { number, is_too_large, reply } in std::mem::take(&mut self.ended) {
            let open = self.uploads.remove(&number).expect("an upload ends once");
            let reason = format_args!("more than {} bytes", self.options.content_bytes_max);
            let unreadable = Content::Unreadable(Unreadable::new(UnreadableKind::TooLarge, reason));
            if is_too_large {
                let pool = self.pools.get_mut(&open.wanted).expect("an open upload keeps its pool");
                pool.close(open.stream).expect("the upload is open");
            } else {
                let (ids, places) = streams.entry(open.wanted).or_default();
                ids.push(open.stream);
                places.push(asked.len());
            }
            asked.push((open, reply, unreadable));
        }
        for (wanted, (ids, places)) in streams {
            let pool = self.pools.get_mut(&wanted).expect("an open upload keeps its pool");
            let digests = pool.finish_all(&ids).expect("the uploads are open, and named once");
            for (place, digests) in places.into_iter().zip(digests) {
                asked[place].2 = Content::Digests(digests);
            }
        }
        // The newest lists, unless they need digests that were not computed.
        let newest = self.decider.live().load();
        let (current, old): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|(open, ..)| newest.algorithms().difference(open.wanted).is_empty());
        self.decide(&newest, current);
        for one in old {
            self.decide(&Arc::clone(&one.0.snapshot), vec![one]);
        }
    }

    fn decide(&self, snapshot: &Snapshot, asked: Vec<(Open, Reply<Answer>, Content)>) {
        if asked.is_empty() {
            return;
        }
        let now = Timestamp::now();
        let conditions = self.decider.conditions(now);
        let (mut askers, mut contents) = (Vec::with_capacity(asked.len()), Vec::with_capacity(asked.len()));
        let mut bytes = 0;
        for (open, reply, content) in asked {
            bytes += open.bytes;
            contents.push(content);
            // The seat is free before the asker hears of it.
            askers.push((open.identity, reply));
        }
        let verdicts = self.decider.verdicts(snapshot, &conditions, &contents);
        count_verdicts(&self.decider, bytes, &verdicts);
        for ((identity, reply), verdict) in askers.into_iter().zip(verdicts) {
            let (answer, alert) = answer(verdict, *identity, now);
            self.courier.carry(alert.into_iter().collect(), reply.map(|()| answer));
        }
    }
}

/// Tells that uploads are not served any more, if a thread fails.
struct Watched(Health);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.not_ready(Part::Gate, "a thread of the desk has failed: restart this worker");
        }
    }
}
