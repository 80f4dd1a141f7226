use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many uploads each thread has.
pub(super) struct Seats {
    seats_max: usize,
    taken: Mutex<Vec<usize>>,
}

/// An upload's place on a thread, free again when this is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    thread: usize,
}

impl Seats {
    pub(super) fn new(threads: usize, seats_max: usize) -> Self {
        Self { seats_max, taken: Mutex::new(vec![0; threads]) }
    }

    fn all(&self) -> MutexGuard<'_, Vec<usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.all().iter().sum()
    }

    /// A place on the thread that has the fewest uploads, if there is one: so no thread ever has more than its even share
    /// of all.
    pub(super) fn take(seats: &Arc<Self>) -> Option<Seat> {
        let mut taken = seats.all();
        if taken.iter().sum::<usize>() >= seats.seats_max {
            return None;
        }
        let (thread, emptiest) = taken.iter_mut().enumerate().min_by_key(|(_, taken)| **taken)?;
        *emptiest += 1;
        drop(taken);
        Some(Seat { seats: Arc::clone(seats), thread })
    }
}

impl Seat {
    pub(super) fn thread(&self) -> usize {
        self.thread
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.all()[self.thread] -= 1;
    }
}
