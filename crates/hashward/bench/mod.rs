//! `bench`: what this machine can do.
//!
//! Digests first, right before fast: every path must give the published digests. Then each measurement has its share of
//! the time. Rates of one core are by CPU time, so that other programs do not count; those of all cores are by the clock.

mod digests;
mod lookups;
mod memory;
mod report;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cli::Bench;
use crate::config::Config;
use crate::cpu_time::thread_cpu_time;
use crate::exit::Exit;
use crate::output::{Output, Style};
use crate::progress::Progress;
use report::Report;

/// Measures, and tells what was found.
pub(crate) fn bench(config: &Config, bench: &Bench, style: Style) -> Result<Exit> {
    digests::assert_right()?;
    let sizes = digests::SIZES.len();
    let paths = digests::paths().len();
    let steps = (sizes + 1) * paths + sizes + lookups::STEPS + memory::STEPS;
    let progress = Progress::of_steps(steps as u64);
    let share = Duration::from_secs(bench.seconds.into()) / u32::try_from(steps).expect("some dozens");
    let lookups = lookups::measure(config, bench.sample_entries, share, &progress)?;
    let report = Report {
        cores: config.line.digest_threads,
        memory_bytes_per_second: memory::measure(share, &progress),
        paths: digests::measure_paths(share, &progress),
        all_cores: digests::measure_all_cores(config.line.digest_threads, share, &progress)?,
        lookups,
    };
    progress.finish();
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&report.json())?;
    } else {
        output.text(&report.text())?;
    }
    Ok(Exit::Success)
}

/// How often a second of this thread's CPU time `work` is done, by doing it for about as long as `share`, at least once.
fn per_cpu_second(share: Duration, mut work: impl FnMut()) -> f64 {
    let (started, before) = (Instant::now(), thread_cpu_time());
    let mut times = 0_u32;
    loop {
        work();
        times += 1;
        let cpu = thread_cpu_time().saturating_sub(before);
        // Work that takes no time at all would divide by zero.
        if started.elapsed() >= share && !cpu.is_zero() {
            return f64::from(times) / cpu.as_secs_f64();
        }
    }
}
