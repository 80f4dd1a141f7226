//! What is digested.

#[path = "../noise.rs"]
mod noise;

use noise::Noise;

/// Contents that are digested together.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) contents: Vec<Vec<u8>>,
    /// Whether it also runs for each algorithm alone.
    pub(crate) alone: bool,
}

pub(crate) fn workloads() -> Vec<Workload> {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut of_size = |count: usize, bytes: usize, size: &str, alone: bool| Workload {
        name: format!("{count} × {size}"),
        contents: (0..count).map(|_| noise.bytes(bytes)).collect(),
        alone,
    };
    let mut workloads = vec![
        of_size(1_000, 200, "200 B", false),
        of_size(32, 200, "200 B", false),
        of_size(32, 4 << 10, "4 KiB", false),
        of_size(32, 64 << 10, "64 KiB", true),
        of_size(32, 1 << 20, "1 MiB", false),
        of_size(1, 64 << 20, "64 MiB", true),
    ];
    workloads.push(uploads(&mut noise, 600, 2.0, &[]));
    workloads.push(uploads(&mut noise, 500, 1.5, &[LARGEST_BYTES]));
    workloads
}

const LARGEST_BYTES: usize = 50 << 20;

/// Uploads: log-normal sizes with a median of 100 KiB and a long tail of at most 50 MiB, and some of a size that is given.
/// `sigma` is the standard deviation of the logarithm.
fn uploads(noise: &mut Noise, count: usize, sigma: f64, given: &[usize]) -> Workload {
    const MEDIAN_BYTES: f64 = 100.0 * 1024.0;
    let mut contents: Vec<Vec<u8>> = given.iter().map(|bytes| noise.bytes(*bytes)).collect();
    while contents.len() < count {
        let bytes = (MEDIAN_BYTES * (sigma * noise.normal()).exp()) as usize;
        contents.push(noise.bytes(bytes.min(LARGEST_BYTES)));
    }
    let bytes: usize = contents.iter().map(Vec::len).sum();
    let largest = contents.iter().map(Vec::len).max().unwrap_or_default();
    let name = format!("{count} uploads, {} MiB, largest {} MiB", bytes >> 20, largest >> 20);
    Workload { name, contents, alone: false }
}
