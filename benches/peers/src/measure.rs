//! Rounds, medians and tables.

use std::hint::black_box;
use std::time::Duration;

use hashward_core::AlgorithmSet;
use rustix::time::{ClockId, clock_gettime};

use crate::contenders::{Contender, Outputs};
use crate::workloads::Workload;

const ROUNDS: usize = 9;
/// Each round does a workload so often that it takes about as long as this many bytes take.
const ROUND_BYTES: usize = 32 << 20;

pub(crate) fn header(contenders: &[Contender]) {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name.as_str()).collect();
    println!("| contents | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
}

/// Prints each contender's rate in GB/s, and beside it the ratio to the first.
pub(crate) fn row(wanted: AlgorithmSet, contenders: &[Contender], workload: &Workload) {
    let contents = workload.contents();
    let bytes: usize = contents.iter().map(|content| content.len()).sum();
    let mut outputs = Outputs::new(contents.len());
    let right = contenders[0].digests(wanted, &contents, &mut outputs);
    for contender in contenders {
        let made = contender.digests(wanted, &contents, &mut outputs);
        assert!(made == right, "{} is wrong: {}", contender.name, workload.name);
    }
    let times = (ROUND_BYTES / bytes).max(1);
    let seconds = medians(contenders.len(), |turn| {
        for _ in 0..times {
            contenders[turn].run(wanted, black_box(&contents), &mut outputs);
            black_box(&mut outputs);
        }
    });
    let rates: Vec<f64> = seconds.iter().map(|seconds| (times * bytes) as f64 / seconds / 1e9).collect();
    let cells: Vec<String> =
        rates.iter().map(|rate| format!("{rate:.2} ({:.2}×)", rate / rates[0])).collect();
    println!("| {} | {} |", workload.name, cells.join(" | "));
}

/// What each of so many contenders takes, in seconds of this thread's processor time: the median of its rounds, all
/// contenders in turn.
pub(crate) fn medians(contenders: usize, mut run: impl FnMut(usize)) -> Vec<f64> {
    let mut seconds = vec![Vec::new(); contenders];
    for _ in 0..ROUNDS {
        for (turn, seconds) in seconds.iter_mut().enumerate() {
            let started = processor_time();
            run(turn);
            seconds.push((processor_time() - started).as_secs_f64());
        }
    }
    let median = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[ROUNDS / 2]
    };
    seconds.into_iter().map(median).collect()
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("processor time is positive")
}
