//! The digest kernels beside the published crates that compute the same of many contents, side by side in one run; and
//! what the processor's instructions take, from which the limits in `docs/performance.md` are derived.
//!
//! ```sh
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml              # everything
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- sha256    # tables with that word in their name
//! ```
//!
//! Processor time of this thread, not the clock on the wall: the machine may be shared. All contenders take turns, and the
//! median of each one's rounds counts. A contender's digests are compared before anything is timed.

mod contenders;
mod instructions;
mod measure;
#[path = "../../noise.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod noise;
mod workloads;

use std::env;

use contenders::contenders;
use hashward_core::{Algorithm, AlgorithmSet};
use workloads::workloads;

/// The tables of digests, and what each computes.
const TABLES: [(&str, &[Algorithm]); 5] = [
    ("md5", &[Algorithm::Md5]),
    ("sha1", &[Algorithm::Sha1]),
    ("sha256", &[Algorithm::Sha256]),
    ("md5 and sha1", &[Algorithm::Md5, Algorithm::Sha1]),
    ("md5, sha1 and sha256", &[Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256]),
];

fn main() {
    let filter = env::args().nth(1).unwrap_or_default();
    println!("tape-sha256 by itself takes {}, md5-simd {}.", tape_sha256::backend(), md5_simd::simd_name());
    if "instructions".contains(&filter) {
        instructions::table();
    }
    let workloads = workloads();
    for (name, algorithms) in TABLES.iter().filter(|(name, _)| name.contains(&filter)) {
        let wanted: AlgorithmSet = algorithms.iter().copied().collect();
        let contenders = contenders(wanted);
        println!("\n## {name}, GB/s and the ratio to the first\n");
        measure::header(&contenders);
        for workload in &workloads {
            measure::row(wanted, &contenders, workload);
        }
    }
}
