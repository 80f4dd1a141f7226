//! What is digested.

use crate::noise::Noise;

/// Contents of one length that are digested together.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    bytes: Vec<u8>,
    content_bytes: usize,
    /// From the start of one content to the start of the next.
    stride_bytes: usize,
}

impl Workload {
    fn new(
        noise: &mut Noise,
        name: &'static str,
        count: usize,
        content_bytes: usize,
        stride_bytes: usize,
    ) -> Self {
        Self { name, bytes: noise.bytes(count * stride_bytes), content_bytes, stride_bytes }
    }

    pub(crate) fn contents(&self) -> Vec<&[u8]> {
        self.bytes.chunks_exact(self.stride_bytes).map(|chunk| &chunk[..self.content_bytes]).collect()
    }
}

/// Two cache lines and a bit: so that no two of some dozens of contents begin at the same place in a page.
const SPREAD_BYTES: usize = 144;

pub(crate) fn workloads() -> Vec<Workload> {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut spread = |name, count, content_bytes| {
        Workload::new(&mut noise, name, count, content_bytes, content_bytes + SPREAD_BYTES)
    };
    vec![
        // A multiple of the lanes of every contender, in the second-level cache, and long enough that nothing but the
        // kernels counts.
        spread("kernel alone: 48 × 16 KiB, again and again", 48, 16 << 10),
        spread("32 × 4 KiB", 32, 4 << 10),
        spread("32 × 64 KiB", 32, 64 << 10),
        spread("32 × 1 MiB", 32, 1 << 20),
        Workload::new(&mut noise, "48 × 16 KiB, all at the same place in a page", 48, 16 << 10, 16 << 10),
    ]
}
