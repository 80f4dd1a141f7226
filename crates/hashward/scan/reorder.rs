//! Puts results that come in any order back into the order of their numbers, with bounded memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

/// Results that wait for an earlier one.
pub(crate) struct Reorder<T> {
    /// The number that is due next; `waiting[0]` is its place.
    next: u64,
    waiting: VecDeque<Option<T>>,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: 0, waiting: VecDeque::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes the result with this number; each number comes once.
    pub(crate) fn put(&mut self, number: u64, result: T) {
        let place = number.checked_sub(self.next).and_then(|place| usize::try_from(place).ok());
        let place = place.expect("a number comes once, and not far ahead");
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, || None);
        }
        let before = self.waiting[place].replace(result);
        assert!(before.is_none(), "number {number} came twice");
    }

    /// The result that is due, if it is there.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let result = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next += 1;
        Some(result)
    }

    /// The number that is due.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

/// Keeps whoever hands out numbers from running further ahead of the number that is due than `length`.
pub(crate) struct Window {
    length: u64,
    due: Mutex<u64>,
    moved: Condvar,
}

impl Window {
    /// A window over so many numbers.
    pub(crate) fn new(length: u64) -> Self {
        Self { length, due: Mutex::new(0), moved: Condvar::new() }
    }

    /// Waits until `number` is in the window.
    pub(crate) fn wait_for(&self, number: u64) {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let outside = |due: &mut u64| number >= due.saturating_add(self.length);
        drop(self.moved.wait_while(due, outside).unwrap_or_else(PoisonError::into_inner));
    }

    /// Moves the window on to begin at `due`.
    pub(crate) fn move_to(&self, due: u64) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = due;
        self.moved.notify_all();
    }

    /// Lets everybody through: nothing is waited for any more.
    pub(crate) fn open(&self) {
        self.move_to(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn any_order_comes_out_in_order() {
        // Every order of six numbers.
        let mut orders = vec![Vec::new()];
        for _ in 0..6 {
            let longer = orders.iter().flat_map(|order: &Vec<u64>| {
                let absent = (0..6).filter(|n| !order.contains(n)).collect::<Vec<_>>();
                absent.into_iter().map(|n| [order.as_slice(), &[n]].concat())
            });
            orders = longer.collect();
        }
        assert_eq!(orders.len(), 720);
        for order in orders {
            let mut reorder = Reorder::default();
            let mut out = Vec::new();
            for number in order {
                reorder.put(number, number);
                while let Some(result) = reorder.pop() {
                    out.push(result);
                }
            }
            assert_eq!(out, [0, 1, 2, 3, 4, 5]);
            assert!(reorder.waiting.is_empty() && reorder.next() == 6);
        }
    }

    #[test]
    fn the_window_holds_back() {
        let window = Window::new(2);
        window.wait_for(1);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| window.wait_for(2));
            std::thread::sleep(Duration::from_millis(30));
            assert!(!waiting.is_finished());
            window.move_to(1);
        });
        window.open();
        window.wait_for(1 << 40);
    }
}
