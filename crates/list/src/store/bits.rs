/// A growing set of small numbers: one bit for each number up to the largest. For a hundred million entries, 12 MB.
#[derive(Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn insert(&mut self, number: u64) {
        let (word, bit) = place(number);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(number: u64) -> (usize, u64) {
    let word = usize::try_from(number / 64).expect("entry numbers fit in memory, a bit each");
    (word, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_in() {
        let mut bits = Bits::default();
        let put = [0, 1, 63, 64, 65, 1000];
        for number in put {
            bits.insert(number);
        }
        assert!((0..2000).all(|number| bits.contains(number) == put.contains(&number)));
    }
}
