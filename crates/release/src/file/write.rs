use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use age::stream::StreamWriter;
use hashward_core::ListId;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{WINDOW_LOG_MAX, magic};
use crate::{Recipients, ReleaseError, TargetKind};

/// Digests do not compress: a snapshot is written fast, and a delta, which is small, well.
const fn level(kind: TargetKind) -> i32 {
    match kind {
        TargetKind::Snapshot => 3,
        TargetKind::Delta => 15,
    }
}

/// How a target file came out.
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) file_bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) content_bytes: u64,
}

/// Writes a target file. It stands at its path when it is finished, and not before.
pub(crate) struct FileWriter {
    path: PathBuf,
    content: BufWriter<zstd::stream::write::Encoder<'static, Envelope>>,
    content_bytes: u64,
}

impl FileWriter {
    pub(crate) fn create(
        path: &Path,
        kind: TargetKind,
        (list, release): (&ListId, u64),
        recipients: &Recipients,
    ) -> Result<Self, ReleaseError> {
        let create = || -> io::Result<Self> {
            let file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
            let file = BufWriter::new(Counted { file, sha256: Sha256::new(), bytes: 0 });
            let envelope = if recipients.is_empty() {
                Envelope::Open(file)
            } else {
                let recipients = recipients.0.iter().map(|recipient| recipient as &dyn age::Recipient);
                let encryptor = age::Encryptor::with_recipients(recipients).expect("there is a recipient");
                Envelope::Sealed(encryptor.wrap_output(file)?)
            };
            let mut encoder = zstd::stream::write::Encoder::new(envelope, level(kind))?;
            encoder.window_log(WINDOW_LOG_MAX - 1)?;
            Ok(Self { path: path.to_owned(), content: BufWriter::new(encoder), content_bytes: 0 })
        };
        let mut writer = create().map_err(|source| ReleaseError::io(path, source))?;
        let id = list.as_str().as_bytes();
        writer.put(magic(kind))?;
        writer.put(&release.to_be_bytes())?;
        writer.put(&[u8::try_from(id.len()).expect("the id of a list is short")])?;
        writer.put(id)?;
        Ok(writer)
    }

    /// Writes a row, or the key of one that is withdrawn.
    pub(crate) fn record(&mut self, bytes: &[u8]) -> Result<(), ReleaseError> {
        let length = u16::try_from(bytes.len()).expect("rows are bounded");
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ReleaseError> {
        self.content_bytes += bytes.len() as u64;
        self.content.write_all(bytes).map_err(|source| ReleaseError::io(&self.path, source))
    }

    pub(crate) fn finish(mut self) -> Result<Written, ReleaseError> {
        self.put(&0_u16.to_be_bytes())?;
        let Self { path, content, content_bytes } = self;
        let finish = || -> io::Result<Counted> {
            let envelope = content.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
            let file = match envelope {
                Envelope::Open(file) => file,
                Envelope::Sealed(sealed) => sealed.finish()?,
            };
            file.into_inner().map_err(io::IntoInnerError::into_error)
        };
        let place = || -> io::Result<(u64, [u8; 32])> {
            let Counted { file, sha256, bytes } = finish()?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|failed| failed.error)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
            Ok((bytes, sha256.finalize().into()))
        };
        let (file_bytes, sha256) = place().map_err(|source| ReleaseError::io(&path, source))?;
        Ok(Written { path, file_bytes, sha256, content_bytes })
    }
}

/// A file that is hashed while it is written.
struct Counted {
    file: NamedTempFile,
    sha256: Sha256,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What lies around the compressed content.
enum Envelope {
    Open(BufWriter<Counted>),
    Sealed(StreamWriter<BufWriter<Counted>>),
}

impl Write for Envelope {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => file.write(bytes),
            Self::Sealed(sealed) => sealed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(file) => file.flush(),
            Self::Sealed(sealed) => sealed.flush(),
        }
    }
}
