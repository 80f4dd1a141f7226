//! Which partitions are ours, how far each was read, and how far it is settled. Shared by the thread that reads and the
//! one that delivers; a commit holds the lock, so that a partition that was taken away cannot be committed any more.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashward_engine::{Metrics, StreamId};
use rdkafka::{Offset, TopicPartitionList};

/// One partition while it is ours.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) number: i32,
    /// `topic/partition`, as alerts tell it.
    pub(crate) origin: Arc<str>,
    /// One past the last record that was handed to the line; 0 before the first.
    handed_end: i64,
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
}

#[derive(Debug, Default)]
pub(crate) struct Owned {
    streams_made: u64,
    /// Grows with each change, so that others notice one.
    version: u64,
    streams: HashMap<StreamId, Partition>,
}

impl Assignment {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Owned> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
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
            let open = |p: &Partition| p.handed_end > p.settled_end && is_among(p, partitions);
            if !owned.streams.values().any(open) {
                return true;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            owned = self.settled.wait_timeout(owned, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Owned {
    /// These partitions are ours from now on, each as a new stream.
    pub(crate) fn assign(&mut self, partitions: &[(String, i32)]) {
        for (topic, number) in partitions {
            self.streams_made += 1;
            let origin = format!("{topic}/{number}").into();
            let partition = Partition {
                topic: topic.as_str().into(),
                number: *number,
                origin,
                handed_end: 0,
                settled_end: 0,
                committed_end: 0,
            };
            self.streams.insert(StreamId(self.streams_made), partition);
        }
        self.version += 1;
    }

    /// These partitions are no longer ours.
    pub(crate) fn remove(&mut self, partitions: &[(String, i32)], metrics: &Metrics) {
        self.streams.retain(|_, partition| !is_among(partition, partitions));
        for (topic, number) in partitions {
            metrics.partition_gone(topic, *number);
        }
        self.version += 1;
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = (StreamId, &Partition)> {
        self.streams.iter().map(|(id, partition)| (*id, partition))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<&Partition> {
        self.streams.get(&stream)
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Everything of `stream` before `end` was handed to the line.
    pub(crate) fn handed(&mut self, stream: StreamId, end: i64) {
        if let Some(partition) = self.streams.get_mut(&stream) {
            partition.handed_end = end;
        }
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
