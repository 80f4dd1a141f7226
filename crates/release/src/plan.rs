use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hashward_core::{Algorithm, ListInfo};

use crate::desk::Terms;
use crate::fault::Fault;
use crate::file::{FileWriter, Written};
use crate::row::KEY_BYTES;
use crate::shelf::{Base, Outcome, Pairs, Rows, Shelf, Sum};
use crate::tree::Shape;
use crate::{Chain, FORMAT_VERSION, Header, Recipients, ReleaseError, TargetKind};

/// What the release does to the list, as far as it can be matched: for a look before it is given away, and for caps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Step {
    /// Entries of the release before.
    pub before: u64,
    /// New entries.
    pub added: u64,
    /// Entries that say something else.
    pub changed: u64,
    /// Entries that are no more.
    pub withdrawn: u64,
}

/// A release that is planned: dropped, nothing comes of it.
pub struct Plan<'d> {
    shelf: &'d Shelf,
    content: Content,
    step: Step,
    snapshot: bool,
    previous_info: Option<ListInfo>,
    /// All that is known of the release before its files are.
    draft: Header,
}

/// What a release is made of.
pub(crate) enum Content {
    /// The whole list, beside what the desk had before.
    Base(Base),
    /// What changed, in an open transaction.
    Changes(Outcome),
    /// What changed, in other buckets, in an open transaction.
    Reshaped(Base),
}

/// A target file of a release, as it stands on the disk, and what is to be signed of it.
#[derive(Clone, Debug)]
pub struct TargetFile {
    /// The target's name.
    pub name: String,
    /// Where the file stands.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub length_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// The target's `custom`.
    pub header: Header,
}

impl Content {
    fn sum(&self) -> (Shape, Sum) {
        match self {
            Self::Base(base) | Self::Reshaped(base) => (base.shape, base.sum),
            Self::Changes(made) => (made.shape, made.sum),
        }
    }

    fn digests(&self, previous: Option<&Header>) -> BTreeMap<Algorithm, u64> {
        let nothing = BTreeMap::new();
        match self {
            Self::Base(base) | Self::Reshaped(base) => base.tally.digests(&nothing),
            Self::Changes(made) => {
                made.tally.digests(previous.map_or(&nothing, |previous| &previous.digests))
            }
        }
    }
}

impl<'d> Plan<'d> {
    pub(crate) fn new(
        shelf: &'d Shelf,
        previous: Option<&Header>,
        content: Content,
        (list, state, terms): (ListInfo, u64, &Terms),
        step: Step,
        snapshot: bool,
    ) -> Result<Self, ReleaseError> {
        let (shape, sum) = content.sum();
        let draft = Header {
            format: FORMAT_VERSION,
            kind: TargetKind::Delta,
            list,
            release: previous.map_or(0, |previous| previous.release) + 1,
            previous: previous.map(|previous| previous.checksum),
            created: terms.created,
            expires: terms.expires,
            state,
            entries: sum.rows,
            digests: content.digests(previous),
            bucket_bits: shape.bits(),
            checksum: sum.checksum,
            content_bytes: 0,
            encrypted: false,
            chain: previous.map(|previous| previous.chain).unwrap_or_default(),
        };
        let snapshot = snapshot || !matches!(content, Content::Changes(_));
        let previous_info = previous.map(|previous| previous.list.clone());
        // From here on, what is dropped is undone.
        let plan = Self { shelf, content, step, snapshot, previous_info, draft };
        if plan.draft.entries == 0 {
            return Err(ReleaseError::Empty(plan.draft.list.id.clone()));
        }
        Ok(plan)
    }

    /// The number of the release.
    pub fn release(&self) -> u64 {
        self.draft.release
    }

    /// What is true of the whole list in this release.
    pub fn list(&self) -> &ListInfo {
        &self.draft.list
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.draft.entries
    }

    /// What the release does to the list.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether it says of the list and of each entry what the release before says: then all it does is to expire later.
    pub fn is_unchanged(&self) -> bool {
        let Step { added, changed, withdrawn, .. } = self.step;
        added + changed + withdrawn == 0 && self.previous_info.as_ref() == Some(&self.draft.list)
    }

    /// Whether the release gets a snapshot.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot
    }

    /// Whether the release gets a delta.
    pub fn has_delta(&self) -> bool {
        matches!(self.content, Content::Changes(_))
    }

    /// Writes the target files into a folder, encrypted to the recipients if there are any, and makes this the release from
    /// which the desk goes on. If it is not given away after all, the next plan goes back.
    pub fn write(mut self, folder: &Path, recipients: &Recipients) -> Result<Vec<TargetFile>, ReleaseError> {
        let write = |plan: &mut Self| -> Result<Vec<TargetFile>, Fault> {
            let mut files = Vec::new();
            if plan.snapshot {
                files.push(plan.write_snapshot(folder, recipients)?);
            }
            if plan.has_delta() {
                files.push(plan.write_delta(folder, recipients)?);
            }
            let header = &files.first().expect("a release without a delta has a snapshot").header;
            match &plan.content {
                Content::Base(base) => plan.shelf.within(|| plan.shelf.take_base(base, header))?,
                Content::Reshaped(base) => {
                    plan.shelf.take_base(base, header)?;
                    plan.shelf.commit()?;
                }
                Content::Changes(_) => {
                    plan.shelf.note(header)?;
                    plan.shelf.forget_old()?;
                    plan.shelf.commit()?;
                }
            }
            plan.shelf.sweep()?;
            Ok(files)
        };
        write(&mut self).map_err(|fault| self.shelf.error(fault))
    }

    fn write_snapshot(&mut self, folder: &Path, recipients: &Recipients) -> Result<TargetFile, Fault> {
        let mut header = Header { kind: TargetKind::Snapshot, ..self.draft.clone() };
        let mut file = Self::file(folder, &header, recipients)?;
        let mut rows = match &self.content {
            Content::Base(base) | Content::Reshaped(base) => Rows::of_base(self.shelf, base)?,
            Content::Changes(made) => Rows::new(self.shelf, made.sum)?,
        };
        while let Some(row) = rows.next()? {
            file.record(&row)?;
        }
        let written = file.finish()?;
        // The delta of the same release says the same.
        self.draft.chain =
            Chain { snapshot: header.release, snapshot_bytes: written.file_bytes, deltas_bytes: 0 };
        header.chain = self.draft.chain;
        Ok(target(header, written, recipients))
    }

    fn write_delta(&mut self, folder: &Path, recipients: &Recipients) -> Result<TargetFile, Fault> {
        let mut header = Header { kind: TargetKind::Delta, ..self.draft.clone() };
        let mut file = Self::file(folder, &header, recipients)?;
        let mut pairs = Pairs::new(self.shelf, header.release);
        while let Some(pair) = pairs.next()? {
            match pair {
                (_, Some(after)) => file.record(&after)?,
                (Some(before), None) => file.record(&before[..KEY_BYTES])?,
                (None, None) => return Err(Fault::Damaged("a pair of two rows has none")),
            }
        }
        let written = file.finish()?;
        if !self.snapshot {
            header.chain.deltas_bytes += written.file_bytes;
        }
        Ok(target(header, written, recipients))
    }

    fn file(folder: &Path, header: &Header, recipients: &Recipients) -> Result<FileWriter, ReleaseError> {
        let path = folder.join(header.target_name());
        FileWriter::create(&path, header.kind, (&header.list.id, header.release), recipients)
    }
}

fn target(header: Header, written: Written, recipients: &Recipients) -> TargetFile {
    let Written { path, file_bytes, sha256, content_bytes } = written;
    let header = Header { content_bytes, encrypted: !recipients.is_empty(), ..header };
    TargetFile { name: header.target_name(), path, length_bytes: file_bytes, sha256, header }
}

impl Drop for Plan<'_> {
    fn drop(&mut self) {
        self.shelf.roll_back();
    }
}
