//! What goes from the walk to the digesting threads: items in groups, so that handing them over costs little.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::Duration;

use super::work::Item;

/// So many items go in one group at most.
pub(crate) const GROUP_ITEMS: usize = 64;
/// Once a group has so many bytes to read, it is full: long files are shared out one by one.
const GROUP_BYTES: u64 = 1024 * 1024;

/// An item on its way: its number, itself, and its length when it was seen.
pub(crate) type Numbered = (u64, Item, u64);

/// Items that go together.
#[derive(Default)]
pub(crate) struct Group {
    items: Vec<Numbered>,
    bytes: u64,
}

impl Group {
    /// Takes an item. Once the group is full, gives its items out and is empty again.
    pub(crate) fn add(&mut self, item: Numbered) -> Option<Vec<Numbered>> {
        // Standard input may keep its reader waiting, so nothing waits behind it.
        let is_stdin = item.1 == Item::Stdin;
        self.bytes = self.bytes.saturating_add(item.2);
        self.items.push(item);
        let is_full = is_stdin || self.items.len() == GROUP_ITEMS || self.bytes >= GROUP_BYTES;
        is_full.then(|| self.take())
    }

    /// What there is, to the last item.
    pub(crate) fn take(&mut self) -> Vec<Numbered> {
        std::mem::take(self).items
    }
}

/// Where all digesting threads take groups from.
pub(crate) struct Groups {
    receiver: Mutex<Receiver<Vec<Numbered>>>,
    /// Threads that have nothing to do.
    idle: AtomicUsize,
}

impl Groups {
    /// Those that come out of a channel.
    pub(crate) fn new(receiver: Receiver<Vec<Numbered>>) -> Self {
        Self { receiver: Mutex::new(receiver), idle: AtomicUsize::new(0) }
    }
}

/// One digesting thread's way to the groups.
pub(crate) struct Queue<'a> {
    groups: &'a Groups,
    /// The rest of the group that was taken last.
    rest: VecDeque<Numbered>,
}

impl<'a> Queue<'a> {
    /// The way to groups that threads share.
    pub(crate) fn new(groups: &'a Groups) -> Self {
        Self { groups, rest: VecDeque::new() }
    }

    /// The next item, if it comes within `patience`. Threads with nothing to do go first, and so does another one that
    /// waits just now.
    pub(crate) fn next_within(&mut self, patience: Duration) -> Option<Numbered> {
        if self.rest.is_empty() && self.groups.idle.load(Ordering::Relaxed) == 0 {
            // Whoever has the lock may wait long, and this thread has other work.
            let groups = match self.groups.receiver.try_lock() {
                Ok(groups) => groups,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return None,
            };
            self.rest = groups.recv_timeout(patience).unwrap_or_default().into();
        }
        self.rest.pop_front()
    }

    /// Gives back an item, to be the next one again.
    pub(crate) fn give_back(&mut self, item: Option<Numbered>) {
        self.rest.extend(item);
        self.rest.rotate_right(1);
    }

    /// Waits for the next item. There is none when the walk is done.
    pub(crate) fn wait(&mut self) -> Option<Numbered> {
        if self.rest.is_empty() {
            self.groups.idle.fetch_add(1, Ordering::Relaxed);
            let group = self.groups.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            self.groups.idle.fetch_sub(1, Ordering::Relaxed);
            self.rest = group.ok()?.into();
        }
        self.rest.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn what_goes_together_is_bounded() {
        let file = |bytes| (0, Item::File(PathBuf::new()), bytes);
        let together = |bytes| {
            let mut group = Group::default();
            let mut full = None;
            let mut count = 0;
            while full.is_none() {
                full = group.add(file(bytes));
                count += 1;
            }
            assert_eq!((full.unwrap().len(), group.take().len()), (count, 0));
            count
        };
        assert_eq!([1, GROUP_BYTES / 2, u64::MAX].map(together), [GROUP_ITEMS, 2, 1]);
        let mut group = Group::default();
        assert!(group.add(file(1)).is_none());
        assert_eq!(group.add((1, Item::Stdin, 0)).map(|items| items.len()), Some(2));
    }

    #[test]
    fn every_item_comes_once() {
        let (sender, receiver) = sync_channel(4);
        let groups = Groups::new(receiver);
        let mut queue = Queue::new(&groups);
        let item = |number| (number, Item::NoContent, 0);
        assert_eq!(queue.next_within(Duration::ZERO), None);
        for group in [vec![item(0), item(1)], vec![item(2)]] {
            sender.send(group).unwrap();
        }
        // There is no more yet, and nobody waits for ever.
        let numbers: Vec<u64> =
            std::iter::from_fn(|| queue.next_within(Duration::from_millis(1))).map(|item| item.0).collect();
        assert_eq!(numbers, [0, 1, 2]);
        sender.send(vec![item(3)]).unwrap();
        drop(sender);
        assert_eq!((queue.wait(), queue.wait()), (Some(item(3)), None));
    }

    #[test]
    fn whoever_has_nothing_goes_first() {
        let (sender, receiver) = sync_channel(4);
        let groups = Groups::new(receiver);
        let mut queue = Queue::new(&groups);
        sender.send(vec![(0, Item::NoContent, 0)]).unwrap();
        groups.idle.store(1, Ordering::Relaxed);
        assert_eq!(queue.next_within(Duration::ZERO), None);
        groups.idle.store(0, Ordering::Relaxed);
        let held = groups.receiver.lock().unwrap();
        assert_eq!(queue.next_within(Duration::MAX), None);
        drop(held);
        assert_eq!(queue.wait(), Some((0, Item::NoContent, 0)));
    }
}
