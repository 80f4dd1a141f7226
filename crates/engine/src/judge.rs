//! A batch in, its verdicts out: digests on every core, then lookup and policy.

use std::io::Read;
use std::time::Instant;

use hashward_core::{Decision, Digests, Unreadable, UnreadableKind, Verdict};
use hashward_digest::{Path, ReadError, digest_many, digest_reader};
use jiff::Timestamp;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::tally::{Outcome, Tally};
use crate::{
    Batch, BreakerLimits, Conditions, Content, Decider, Live, Metrics, Open, Outgoing, Payload, Policy,
    Quarantined, Record, Snapshot, alert,
};

/// How the work is cut.
#[derive(Clone, Debug)]
pub struct JudgeOptions {
    /// Threads that digest content already in memory.
    pub digest_threads: usize,
    /// Threads that open and read content: how many files or references are open at a time.
    pub open_threads: usize,
    /// How much of an opened content is read at a time, in bytes.
    pub read_buffer_bytes: usize,
    /// The largest content that is read, in bytes; what is larger is unreadable.
    pub content_bytes_max: u64,
    /// Whether a quarantined record keeps its bytes.
    pub quarantine_bytes: bool,
    /// When an entry that matches a flood stops to act.
    pub breaker: BreakerLimits,
}

/// Turns batches into what must be delivered.
pub struct Judge {
    decider: Decider,
    options: JudgeOptions,
    digesters: ThreadPool,
    openers: ThreadPool,
}

/// A judged batch: its records, and what some of them gave rise to.
pub struct Judged {
    /// The batch as the source read it.
    pub batch: Batch,
    /// Every record whose decision is not `allow`, by growing record number.
    pub notable: Vec<Notable>,
}

/// A record whose decision is not `allow`.
pub struct Notable {
    /// The record's number in the batch.
    pub record: usize,
    /// The decision.
    pub decision: Decision,
    /// What to deliver for it.
    pub outgoing: Outgoing,
}

/// At least so many contents are digested side by side, if every thread has its share of the batch then: enough to fill
/// every lane that a processor has.
const RECORDS_PER_TASK_MIN: usize = 32;
/// Into so many tasks for each thread a large batch is cut, so that no thread waits long for another.
const TASKS_PER_THREAD: usize = 4;

impl Judge {
    /// Starts the threads.
    pub fn new(
        live: Live,
        policy: Policy,
        options: JudgeOptions,
        metrics: Metrics,
    ) -> Result<Self, ThreadPoolBuildError> {
        let pool = |name: &'static str, threads| {
            ThreadPoolBuilder::new().num_threads(threads).thread_name(move |i| format!("{name}-{i}")).build()
        };
        let digesters = pool("digest", options.digest_threads)?;
        let openers = pool("open", options.open_threads)?;
        let decider = Decider::new(live, policy, options.breaker, metrics);
        Ok(Self { decider, options, digesters, openers })
    }

    /// What decides here, for others in this process who decide too.
    pub fn decider(&self) -> &Decider {
        &self.decider
    }

    /// Judges every record of the batch as of `now`, by the snapshot that is current at the start, and under the
    /// conditions of that moment.
    pub fn judge(&self, batch: Batch, now: Timestamp) -> Judged {
        let started = Instant::now();
        let conditions = &self.decider.conditions(now);
        let snapshot = &*self.decider.live().load();
        let metrics = self.decider.metrics();
        let (deferred, ready): (Vec<usize>, Vec<usize>) =
            (0..batch.records.len()).partition(|i| matches!(batch.records[*i].payload, Payload::Deferred(_)));
        let records_per_task =
            records_per_task(ready.len(), self.options.digest_threads, Path::chosen().lanes());
        let mut tally = Tally::default();
        let mut opened = Tally::default();
        // Content in memory is digested while other content is still being opened and read.
        self.openers.in_place_scope(|scope| {
            if !deferred.is_empty() {
                scope.spawn(|_| {
                    opened = self.read_all(snapshot, &batch, &deferred, conditions);
                });
            }
            tally = self.digesters.install(|| {
                ready
                    .par_chunks(records_per_task)
                    .map(|numbers| self.judge_ready(snapshot, &batch, numbers, conditions))
                    .reduce(Tally::default, Tally::merge)
            });
        });
        let Tally { mut notable, decisions, bytes } = tally.merge(opened);
        notable.sort_unstable_by_key(|notable| notable.record);
        for notable in &notable {
            match &notable.outgoing {
                Outgoing::Alert(alert) => metrics.alert_made(alert.action),
                Outgoing::Quarantined(quarantined) => {
                    metrics.record_quarantined(quarantined.reason.kind);
                }
            }
        }
        metrics.batch_judged(started.elapsed(), bytes, decisions);
        Judged { batch, notable }
    }

    /// Judges records that need no reading; the contents among them are digested side by side.
    fn judge_ready(
        &self,
        snapshot: &Snapshot,
        batch: &Batch,
        numbers: &[usize],
        conditions: &Conditions,
    ) -> Tally {
        let contents: Vec<&[u8]> =
            numbers.iter().filter_map(|i| batch.content(&batch.records[*i].payload)).collect();
        let mut digests = digest_many(snapshot.algorithms(), &contents).into_iter();
        let contents = numbers.iter().map(|i| match &batch.records[*i].payload {
            Payload::Digests(digests) => Content::Digests(**digests),
            Payload::Unreadable(reason) => Content::Unreadable((**reason).clone()),
            Payload::Deferred(_) => unreachable!("deferred content is read apart"),
            Payload::Bytes(_) | Payload::Lent(_) => {
                Content::Digests(digests.next().expect("each content was digested"))
            }
        });
        let contents: Vec<Content> = contents.collect();
        let judged = numbers.iter().zip(self.decider.verdicts(snapshot, conditions, &contents));
        judged.fold(Tally::default(), |tally, (i, verdict)| {
            let bytes = batch.content(&batch.records[*i].payload).map_or(0, <[u8]>::len);
            tally.and(*i, self.outcome(batch, *i, verdict, bytes as u64, conditions.now))
        })
    }

    /// Opens, reads and judges records, each by itself.
    fn read_all(
        &self,
        snapshot: &Snapshot,
        batch: &Batch,
        deferred: &[usize],
        conditions: &Conditions,
    ) -> Tally {
        let judged = deferred.par_iter().with_max_len(1).map_init(
            || vec![0; self.options.read_buffer_bytes],
            |buffer, i| {
                let Payload::Deferred(content) = &batch.records[*i].payload else {
                    unreachable!("only deferred content is read")
                };
                let (content, bytes) = match self.read(snapshot, content.as_ref(), buffer) {
                    Ok((digests, bytes)) => (Content::Digests(digests), bytes),
                    Err(reason) => (Content::Unreadable(reason), 0),
                };
                let verdict = self.decider.verdict(snapshot, conditions, &content);
                Tally::default().and(*i, self.outcome(batch, *i, verdict, bytes, conditions.now))
            },
        );
        judged.reduce(Tally::default, Tally::merge)
    }

    /// What follows from the verdict about one record.
    fn outcome(&self, batch: &Batch, number: usize, verdict: Verdict, bytes: u64, now: Timestamp) -> Outcome {
        let record = &batch.records[number];
        let outgoing = match &verdict.decision {
            Decision::Allow => None,
            Decision::Unreadable(reason) => {
                Some(Outgoing::Quarantined(Box::new(self.quarantined(batch, record, reason))))
            }
            Decision::Act(_) => {
                alert(&verdict, batch.identity(record), now).map(|alert| Outgoing::Alert(Box::new(alert)))
            }
        };
        Outcome { decision: verdict.decision, outgoing, bytes }
    }

    fn read(
        &self,
        snapshot: &Snapshot,
        content: &dyn Open,
        buffer: &mut [u8],
    ) -> Result<(Digests, u64), Unreadable> {
        read_content(&mut content.open()?, snapshot, buffer, self.options.content_bytes_max)
    }

    fn quarantined(&self, batch: &Batch, record: &Record, reason: &Unreadable) -> Quarantined {
        let bytes = |range: &std::ops::Range<usize>| &batch.arena[range.clone()];
        let value = batch.content(&record.payload).or_else(|| record.value.as_ref().map(bytes));
        Quarantined {
            origin: record.origin.to_string(),
            position: record.position,
            content_id: batch.identity(record).id,
            key: record.key.as_ref().map(|key| bytes(key).to_vec()),
            headers: record.headers.clone(),
            value: value.filter(|_| self.options.quarantine_bytes).map(<[u8]>::to_vec),
            reason: reason.clone(),
        }
    }
}

/// Reads a content to its end and digests it for `snapshot`, with the memory of `buffer`.
pub fn read_content(
    reader: &mut dyn Read,
    snapshot: &Snapshot,
    buffer: &mut [u8],
    content_bytes_max: u64,
) -> Result<(Digests, u64), Unreadable> {
    let mut reader = reader;
    digest_reader(snapshot.algorithms(), &mut reader, buffer, content_bytes_max).map_err(
        |error| match error {
            ReadError::TooLarge { .. } => Unreadable::new(UnreadableKind::TooLarge, error),
            ReadError::Io(cause) => Unreadable::new(UnreadableKind::ReadFailed, cause),
        },
    )
}

/// Into tasks of how many records a batch is cut. A pass through the lanes takes as long with a few of them as with all,
/// so that a task which leaves lanes empty wins no time, and costs as much as a full one.
fn records_per_task(records: usize, threads: usize, lanes: usize) -> usize {
    let each = records.div_ceil(threads * TASKS_PER_THREAD).max(RECORDS_PER_TASK_MIN);
    each.min(records.div_ceil(threads)).next_multiple_of(lanes).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_fill_lanes_and_threads() {
        for (records, threads, lanes, expected) in [
            (0, 2, 16, 1),
            (1, 2, 16, 16),
            // Large contents: a batch has few of them.
            (19, 2, 16, 16),
            (19, 2, 8, 16),
            (19, 2, 1, 10),
            (37, 2, 16, 32),
            // Small ones: each thread has some tasks, and none is small.
            (256, 2, 16, 32),
            (8192, 2, 16, 1024),
            (8192, 64, 16, 32),
        ] {
            let case = (records, threads, lanes);
            assert_eq!(records_per_task(records, threads, lanes), expected, "{case:?}");
        }
    }
}
