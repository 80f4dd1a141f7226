use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::EntryNumber;
use crate::rows::{ROW_BYTES, row_bytes, row_of};
use crate::seal::Seal;

/// How many pairs are sorted in memory before they go to the disk: 8 million of 24 bytes.
pub(crate) const PAIRS_IN_MEMORY_MAX: usize = 8 << 20;
/// The pairs are brought together a share at a time, by the first byte of their seals.
const SHARES: usize = 256;

type Pair = (Seal, EntryNumber);

/// Collects pairs of a seal and an entry in any order, and gives them back sorted, in bounded memory: sorted runs
/// wait in a file without a name, and are merged a share of all seals at a time. Seals are uniform, so that a
/// share has about a 256th of the pairs, unless very many entries hold one digest.
pub(crate) struct Pairs {
    /// Where the file may stand; without a folder all stays in memory.
    folder: Option<PathBuf>,
    in_memory_max: usize,
    buffer: Vec<Pair>,
    file: Option<File>,
    runs: Vec<Run>,
    spilled: u64,
}

/// Where each share of a sorted run starts, in pairs from the file's start, and where the run ends.
struct Run([u64; SHARES + 1]);

impl Pairs {
    /// Beyond `in_memory_max` pairs they go to a file in `folder`.
    pub(crate) fn new(folder: Option<&Path>, in_memory_max: usize) -> Self {
        let folder = folder.map(Path::to_owned);
        Self { folder, in_memory_max, buffer: Vec::new(), file: None, runs: Vec::new(), spilled: 0 }
    }

    pub(crate) fn count(&self) -> u64 {
        self.spilled + self.buffer.len() as u64
    }

    pub(crate) fn push(&mut self, seal: Seal, entry: EntryNumber) -> io::Result<()> {
        self.buffer.push((seal, entry));
        if self.buffer.len() < self.in_memory_max { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder)?),
        };
        self.buffer.sort_unstable();
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        for (seal, entry) in &self.buffer {
            writer.write_all(&row_bytes(*seal, *entry))?;
        }
        writer.flush()?;
        let start = |share: usize| self.spilled + share_start(&self.buffer, share) as u64;
        self.runs.push(Run(std::array::from_fn(start)));
        self.spilled += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Gives all pairs to `take`, sorted.
    pub(crate) fn drain_sorted(
        mut self,
        mut take: impl FnMut(Seal, EntryNumber) -> io::Result<()>,
    ) -> io::Result<()> {
        self.buffer.sort_unstable();
        let Some(file) = &self.file else {
            return self.buffer.iter().try_for_each(|(seal, entry)| take(*seal, *entry));
        };
        let (mut share_pairs, mut bytes) = (Vec::new(), Vec::new());
        for share in 0..SHARES {
            share_pairs.clear();
            for Run(starts) in &self.runs {
                let pairs = usize::try_from(starts[share + 1] - starts[share]).map_err(io::Error::other)?;
                bytes.resize(pairs * ROW_BYTES, 0);
                file.read_exact_at(&mut bytes, starts[share] * ROW_BYTES as u64)?;
                share_pairs.extend(bytes.as_chunks().0.iter().map(row_of));
            }
            let rest = share_start(&self.buffer, share)..share_start(&self.buffer, share + 1);
            share_pairs.extend_from_slice(&self.buffer[rest]);
            // The stable sort sees the sorted runs and merges them.
            share_pairs.sort();
            share_pairs.iter().try_for_each(|(seal, entry)| take(*seal, *entry))?;
        }
        Ok(())
    }
}

/// The first of sorted pairs whose seal starts with `share` or more.
fn share_start(pairs: &[Pair], share: usize) -> usize {
    pairs.partition_point(|(seal, _)| usize::from(seal.high.to_be_bytes()[0]) < share)
}
