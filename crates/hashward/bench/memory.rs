//! How fast memory can be read, which no digest can beat.

use std::time::Duration;

use super::per_cpu_second;
use crate::progress::Progress;

/// Measurements here.
pub(crate) const STEPS: usize = 1;
/// More than caches hold for one core: 64 MiB.
const WORDS: usize = 8 << 20;

/// Bytes that one core reads in a second, one after the other.
pub(crate) fn measure(share: Duration, progress: &Progress) -> f64 {
    progress.step("reading memory");
    // Not zeros: the system would give the same page of zeros again and again.
    let words: Vec<u64> = (0..WORDS as u64).collect();
    let read = || {
        let sum = std::hint::black_box(&words).iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
        std::hint::black_box(sum);
    };
    (WORDS * size_of::<u64>()) as f64 * per_cpu_second(share, read)
}
