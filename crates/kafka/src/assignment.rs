//! Which partitions are ours, how far each was read, and how far it is settled. Shared by the thread that reads and the
//! one that delivers.
//!
//! A commit holds the lock on what is owned until the broker has answered, so that a partition that is taken away cannot be
//! committed any more. A broker may take its time, so the reading thread asks for that lock only when something changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashward_engine::StreamId;
use rdkafka::{Offset, TopicPartitionList};

/// One partition while it is ours.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) number: i32,
    /// `topic/partition`, as alerts tell it.
    pub(crate) origin: Arc<str>,
    /// One past the last record that is delivered; 0 before the first.
    settled_end: i64,
    /// What the group knows of it; 0 if nothing was committed since the assignment.
    committed_end: i64,
}

/// The partitions that are ours.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    owned: Mutex<Owned>,
    settled: Condvar,
    /// One past the last record of each stream that was handed to the line.
    handed_ends: Mutex<HashMap<StreamId, i64>>,
    /// Grows with each change of what is owned.
    version: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Owned {
    streams_made: u64,
    streams: HashMap<StreamId, Partition>,
}

impl Assignment {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Owned> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, if nobody else holds it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Owned>> {
        self.owned.try_lock().ok()
    }

    /// A number that is another one after each change of what is owned.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// These partitions are ours from now on. How many are ours then.
    pub(crate) fn assign(&self, partitions: &[(String, i32)]) -> usize {
        let mut owned = self.lock();
        owned.assign(partitions);
        self.version.fetch_add(1, Ordering::Release);
        owned.streams.len()
    }

    /// These partitions, which `owned` still names, are no longer ours. How many are ours then.
    pub(crate) fn remove(&self, owned: &mut Owned, partitions: &[(String, i32)]) -> usize {
        owned.streams.retain(|_, partition| !is_among(partition, partitions));
        self.handed_ends().retain(|stream, _| owned.streams.contains_key(stream));
        self.version.fetch_add(1, Ordering::Release);
        owned.streams.len()
    }

    /// The offsets of `stream` begin anew: its partition is another stream from now on.
    pub(crate) fn restart(&self, stream: StreamId) {
        let mut owned = self.lock();
        if let Some(partition) = owned.streams.remove(&stream) {
            let named = [(partition.topic.to_string(), partition.number)];
            self.handed_ends().remove(&stream);
            owned.assign(&named);
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Everything of `stream` before `end` was handed to the line.
    pub(crate) fn handed(&self, stream: StreamId, end: i64) {
        self.handed_ends().insert(stream, end);
    }

    fn handed_ends(&self) -> MutexGuard<'_, HashMap<StreamId, i64>> {
        self.handed_ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything of `stream` before `end` is delivered.
    pub(crate) fn settle(&self, stream: StreamId, end: i64) {
        if let Some(partition) = self.lock().streams.get_mut(&stream) {
            partition.settled_end = partition.settled_end.max(end);
        }
        self.settled.notify_all();
    }

    /// Waits until all that was handed to the line of `partitions` is settled, for at most `patience`.
    pub(crate) fn wait_settled(&self, partitions: &[(String, i32)], patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut owned = self.lock();
        loop {
            let handed_ends = self.handed_ends();
            let open = |(id, p): (&StreamId, &Partition)| {
                is_among(p, partitions) && handed_ends.get(id).is_some_and(|end| *end > p.settled_end)
            };
            if !owned.streams.iter().any(open) {
                return true;
            }
            drop(handed_ends);
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            owned = self.settled.wait_timeout(owned, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Owned {
    /// These partitions are ours from now on, each as a new stream.
    fn assign(&mut self, partitions: &[(String, i32)]) {
        for (topic, number) in partitions {
            self.streams_made += 1;
            let origin = format!("{topic}/{number}").into();
            let partition = Partition {
                topic: topic.as_str().into(),
                number: *number,
                origin,
                settled_end: 0,
                committed_end: 0,
            };
            self.streams.insert(StreamId(self.streams_made), partition);
        }
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = (StreamId, &Partition)> {
        self.streams.iter().map(|(id, partition)| (*id, partition))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<&Partition> {
        self.streams.get(&stream)
    }

    /// What is settled and not committed, and how to note that it is.
    pub(crate) fn uncommitted(&self) -> TopicPartitionList {
        let mut offsets = TopicPartitionList::new();
        for partition in self.streams.values().filter(|p| p.settled_end > p.committed_end) {
            offsets
                .add_partition_offset(
                    &partition.topic,
                    partition.number,
                    Offset::Offset(partition.settled_end),
                )
                .expect("settled offsets are not negative");
        }
        offsets
    }

    /// What [`Owned::uncommitted`] gave is committed.
    pub(crate) fn committed(&mut self, offsets: &TopicPartitionList) {
        for element in offsets.elements() {
            let Offset::Offset(end) = element.offset() else { continue };
            let ours = |p: &&mut Partition| *p.topic == *element.topic() && p.number == element.partition();
            if let Some(partition) = self.streams.values_mut().find(ours) {
                partition.committed_end = end;
            }
        }
    }
}

impl Partition {
    /// One past the last record that is delivered; `None` before the first.
    pub(crate) fn settled_end(&self) -> Option<i64> {
        (self.settled_end > 0).then_some(self.settled_end)
    }
}

fn is_among(partition: &Partition, partitions: &[(String, i32)]) -> bool {
    partitions.iter().any(|(topic, number)| *topic == *partition.topic && *number == partition.number)
}

/// The partitions that a list of librdkafka names.
pub(crate) fn partitions_of(list: &TopicPartitionList) -> Vec<(String, i32)> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}
