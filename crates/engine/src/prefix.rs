//! Which offset may be committed: the end of the contiguous prefix whose alerts are acknowledged.

use std::collections::VecDeque;

/// The records of one stream that are read and not yet settled.
///
/// Records are told in order, acknowledgements come in any order. Memory grows with what is unacknowledged only.
#[derive(Debug, Default)]
pub struct Prefix {
    /// One past the last record told.
    end: i64,
    /// The records that still wait for acknowledgements, by growing offset.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    offset: i64,
    acknowledgements: u32,
}

impl Prefix {
    /// Tells the next record, which waits for so many acknowledgements; with none it is settled at once.
    ///
    /// # Panics
    ///
    /// If `offset` is not past every record told before.
    pub fn push(&mut self, offset: i64, acknowledgements: u32) {
        assert!(offset >= self.end, "records of a stream come in order: {offset} after {}", self.end);
        self.end = offset + 1;
        if acknowledgements > 0 {
            self.waiting.push_back(Waiting { offset, acknowledgements });
        }
    }

    /// Tells one acknowledgement for the record at `offset`. One that nobody waits for changes nothing.
    pub fn acknowledge(&mut self, offset: i64) {
        if let Ok(i) = self.waiting.binary_search_by_key(&offset, |waiting| waiting.offset) {
            let waiting = &mut self.waiting[i];
            waiting.acknowledgements = waiting.acknowledgements.saturating_sub(1);
        }
        while self.waiting.front().is_some_and(|waiting| waiting.acknowledgements == 0) {
            self.waiting.pop_front();
        }
    }

    /// The end of the settled prefix: every record before this offset is done. Zero before the first record.
    pub fn settled_end(&self) -> i64 {
        self.waiting.front().map_or(self.end, |waiting| waiting.offset)
    }

    /// How many records wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
#[allow(clippy::needless_for_each, reason = "one line says it")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stops_at_the_first_unacknowledged() {
        let mut prefix = Prefix::default();
        assert_eq!(prefix.settled_end(), 0);
        for (offset, acknowledgements) in [(10, 0), (11, 1), (15, 2), (16, 0)] {
            prefix.push(offset, acknowledgements);
        }
        assert_eq!(prefix.settled_end(), 11);
        prefix.acknowledge(15);
        prefix.acknowledge(15);
        assert_eq!((prefix.settled_end(), prefix.waiting()), (11, 2));
        prefix.acknowledge(11);
        assert_eq!((prefix.settled_end(), prefix.waiting()), (17, 0));
        prefix.acknowledge(11);
        assert_eq!(prefix.settled_end(), 17);
    }

    /// The same by definition: everything before the first record that still waits.
    fn naive_settled_end(records: &[(i64, u32)], acknowledged: &[i64]) -> i64 {
        let done = |offset: i64| acknowledged.iter().filter(|a| **a == offset).count();
        let open = records.iter().find(|(offset, wanted)| done(*offset) < *wanted as usize);
        open.map_or(records.last().map_or(0, |(offset, _)| offset + 1), |(offset, _)| *offset)
    }

    prop_compose! {
        /// Records with gaps in their offsets, and their acknowledgements in a random order.
        fn records_and_order()(
            steps in prop::collection::vec((1_i64..4, 0_u32..4), 0..40),
        )(
            records in Just(steps.iter().scan(-1, |offset, (gap, wanted)| {
                *offset += gap;
                Some((*offset, *wanted))
            }).collect::<Vec<_>>()),
            order in Just(steps.iter().scan(-1, |offset, (gap, wanted)| {
                *offset += gap;
                Some(vec![*offset; *wanted as usize])
            }).flatten().collect::<Vec<_>>()).prop_shuffle(),
            told_before_acks in 0_usize..=40,
        ) -> (Vec<(i64, u32)>, Vec<i64>, usize) {
            (records, order, told_before_acks)
        }
    }

    proptest! {
        #[test]
        fn equals_the_definition_in_every_order((records, order, _) in records_and_order()) {
            let mut prefix = Prefix::default();
            records.iter().for_each(|(offset, wanted)| prefix.push(*offset, *wanted));
            for count in 0..=order.len() {
                if count > 0 {
                    prefix.acknowledge(order[count - 1]);
                }
                prop_assert_eq!(prefix.settled_end(), naive_settled_end(&records, &order[..count]));
            }
            prop_assert_eq!(prefix.waiting(), 0);
        }

        #[test]
        fn equals_the_definition_while_records_still_come((records, order, told) in records_and_order()) {
            let mut prefix = Prefix::default();
            let told = told.min(records.len());
            let (early, late) = records.split_at(told);
            early.iter().for_each(|(offset, wanted)| prefix.push(*offset, *wanted));
            let (early_acks, late_acks): (Vec<i64>, Vec<i64>) =
                order.iter().partition(|ack| early.iter().any(|(offset, _)| offset == *ack));
            let half = early_acks.len() / 2;
            early_acks[..half].iter().for_each(|ack| prefix.acknowledge(*ack));
            late.iter().for_each(|(offset, wanted)| prefix.push(*offset, *wanted));
            prop_assert_eq!(prefix.settled_end(), naive_settled_end(&records, &early_acks[..half]));
            early_acks[half..].iter().chain(&late_acks).for_each(|ack| prefix.acknowledge(*ack));
            prop_assert_eq!(prefix.settled_end(), records.last().map_or(0, |(offset, _)| offset + 1));
        }
    }
}
