use std::io;
use std::path::Path;

use crate::filter::{FilterWriter, StartWriter, blocks_for};
use crate::format::{Layout, buckets_for};
use crate::lines::LineWriter;
use crate::seal::Seal;
use crate::spool::{SPOOL_BYTES_MAX, Spool};

/// What stands before the rows, collected while they are written.
pub(crate) struct Front {
    kind: FrontKind,
    /// Lines of the table, or blocks of the filter.
    lines: Spool,
    starts: Spool,
}

enum FrontKind {
    Lines(LineWriter),
    Filter(FilterWriter, StartWriter),
}

impl Front {
    pub(crate) fn new(layout: Layout, rows: u64, folder: Option<&Path>) -> Self {
        let buckets = buckets_for(rows);
        let kind = match layout {
            Layout::LineTable => FrontKind::Lines(LineWriter::new(buckets)),
            Layout::FilterAndSet => {
                FrontKind::Filter(FilterWriter::new(blocks_for(rows)), StartWriter::new(buckets))
            }
        };
        Self { kind, lines: Spool::new(folder, SPOOL_BYTES_MAX), starts: Spool::new(folder, SPOOL_BYTES_MAX) }
    }

    pub(crate) fn push(&mut self, seal: Seal) -> io::Result<()> {
        match &mut self.kind {
            FrontKind::Lines(lines) => lines.push(seal, &mut self.lines),
            FrontKind::Filter(filter, starts) => {
                filter.push(seal, &mut self.lines)?;
                starts.push(seal, &mut self.starts)
            }
        }
    }

    /// The front, and the starts of buckets behind a filter.
    pub(crate) fn finish(mut self) -> io::Result<(Spool, Spool)> {
        match self.kind {
            FrontKind::Lines(lines) => lines.finish(&mut self.lines)?,
            FrontKind::Filter(filter, starts) => {
                filter.finish(&mut self.lines)?;
                starts.finish(&mut self.starts)?;
            }
        }
        Ok((self.lines, self.starts))
    }
}
