//! One sink for two who deliver: a file has one writer, and the line and the gate both have alerts for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{AlertSink, Outgoing, PortError, Position, StreamId, Ticket};

/// Set in the streams of one side's tickets while they are with the sink, so that each side gets its own back. Sources
/// count their streams, and never get that far.
const SECOND_SIDE: u64 = 1 << 63;
/// How often a side that waits looks again.
const LOOK: Duration = Duration::from_millis(1);

/// One side of a shared sink.
pub struct SharedSink {
    shared: Arc<Mutex<Shared>>,
    side: usize,
}

struct Shared {
    sink: Box<dyn AlertSink>,
    /// What was acknowledged to one side while the other asked.
    acknowledged: [Vec<Ticket>; 2],
}

impl SharedSink {
    /// Both sides of `sink`.
    pub fn sides(sink: Box<dyn AlertSink>) -> [Self; 2] {
        let shared = Arc::new(Mutex::new(Shared { sink, acknowledged: Default::default() }));
        [0, 1].map(|side| Self { shared: Arc::clone(&shared), side })
    }

    /// What has been acknowledged by now.
    fn collect(&self) -> (Vec<Ticket>, Result<(), PortError>) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut acknowledged = Vec::new();
        // Not with the lock in the hand: the other side must not wait for what this one waits for.
        let collected = shared.sink.acknowledged(Duration::ZERO, &mut acknowledged);
        for Ticket(Position { stream, offset }) in acknowledged {
            let side = usize::from(stream.0 & SECOND_SIDE != 0);
            let stream = StreamId(stream.0 & !SECOND_SIDE);
            shared.acknowledged[side].push(Ticket(Position { stream, offset }));
        }
        (std::mem::take(&mut shared.acknowledged[self.side]), collected)
    }
}

impl AlertSink for SharedSink {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        let Ticket(Position { stream, offset }) = ticket;
        assert!(stream.0 & SECOND_SIDE == 0, "a source has counted more streams than there can be");
        let stream = if self.side == 1 { StreamId(stream.0 | SECOND_SIDE) } else { stream };
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.sink.send(Ticket(Position { stream, offset }), outgoing)
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        let deadline = Instant::now() + wait;
        loop {
            let (mut mine, collected) = self.collect();
            let is_over = !mine.is_empty() || collected.is_err() || Instant::now() >= deadline;
            acknowledged.append(&mut mine);
            if is_over {
                return collected;
            }
            thread::sleep(LOOK.min(wait));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quarantined;
    use hashward_core::{Unreadable, UnreadableKind};

    /// Acknowledges everything with the next question, the newest first.
    #[derive(Default)]
    struct Newest(Vec<Ticket>);

    impl AlertSink for Newest {
        fn send(&mut self, ticket: Ticket, _: &Outgoing) -> Result<(), PortError> {
            self.0.push(ticket);
            Ok(())
        }

        fn acknowledged(&mut self, _: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
            acknowledged.extend(self.0.drain(..).rev());
            Ok(())
        }
    }

    #[test]
    fn each_side_gets_its_own_tickets_back() {
        let [mut line, mut gate] = SharedSink::sides(Box::new(Newest::default()));
        let ticket = |offset| Ticket(Position { stream: StreamId(0), offset });
        let outgoing = Outgoing::Quarantined(Box::new(Quarantined {
            origin: "here".to_owned(),
            position: ticket(0).0,
            content_id: String::new(),
            key: None,
            headers: Vec::new(),
            value: None,
            reason: Unreadable::new(UnreadableKind::NotFound, ""),
        }));
        for offset in 0..3 {
            line.send(ticket(offset), &outgoing).unwrap();
            gate.send(ticket(offset + 10), &outgoing).unwrap();
        }
        let mut told = Vec::new();
        gate.acknowledged(Duration::ZERO, &mut told).unwrap();
        assert_eq!(told, [12, 11, 10].map(ticket));
        told.clear();
        line.acknowledged(Duration::from_secs(9), &mut told).unwrap();
        assert_eq!(told, [2, 1, 0].map(ticket));
        told.clear();
        line.acknowledged(Duration::from_millis(3), &mut told).unwrap();
        assert_eq!(told, []);
    }
}
