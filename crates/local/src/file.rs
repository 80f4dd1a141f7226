use std::fs::{File, Metadata, OpenOptions, symlink_metadata};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hashward_core::{Unreadable, UnreadableKind};
use hashward_engine::Open;
use rustix::fs::OFlags;
use rustix::io::Errno;

/// Opens a regular file for reading.
///
/// A symbolic link at the end of `path` is not followed, and opening never waits for the other end of a pipe.
/// What is no regular file is [`UnreadableKind::NotAFile`], what is not there [`UnreadableKind::NotFound`],
/// and everything else [`UnreadableKind::ReadFailed`]. The reason does not name the file.
pub fn open_file(path: &Path) -> Result<File, Unreadable> {
    see_regular(path)?;
    open_seen(path).map(|(file, _)| file)
}

/// Whether a regular file is there. Asked before anything is opened, because that alone may make a device do something.
pub(crate) fn see_regular(path: &Path) -> Result<(), Unreadable> {
    regular(&symlink_metadata(path).map_err(|error| unopened(&error))?)
}

/// [`open_file`] for a path that was seen to lead to a regular file just now. Also says how long it is, in bytes.
pub(crate) fn open_seen(path: &Path) -> Result<(File, u64), Unreadable> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|error| unopened(&error))?;
    // Asked of what was opened, because the path may lead elsewhere by then.
    let metadata = file.metadata().map_err(|error| unopened(&error))?;
    regular(&metadata)?;
    Ok((file, metadata.len()))
}

fn regular(metadata: &Metadata) -> Result<(), Unreadable> {
    if metadata.is_file() { Ok(()) } else { Err(not_a_file(metadata)) }
}

/// The reason why something that is no regular file is not read.
pub(crate) fn not_a_file(metadata: &Metadata) -> Unreadable {
    let what = match metadata {
        metadata if metadata.is_dir() => "a folder",
        metadata if metadata.is_symlink() => "a symbolic link",
        _ => "a pipe, a socket or a device",
    };
    Unreadable::new(UnreadableKind::NotAFile, format_args!("it is {what}, and only regular files are read"))
}

/// The reason why a path could not be opened.
pub(crate) fn unopened(error: &io::Error) -> Unreadable {
    let kind = match error.raw_os_error().map(Errno::from_raw_os_error) {
        // O_NOFOLLOW met a link, or there is a socket, or a pipe or device with nobody at the other end.
        Some(Errno::LOOP | Errno::NXIO) => UnreadableKind::NotAFile,
        Some(Errno::NOENT | Errno::NOTDIR) => UnreadableKind::NotFound,
        _ => UnreadableKind::ReadFailed,
    };
    Unreadable::new(kind, error)
}

/// A file as deferred content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileContent {
    /// Where the file is.
    pub path: PathBuf,
}

impl Open for FileContent {
    fn open(&self) -> Result<Box<dyn Read + Send>, Unreadable> {
        Ok(Box::new(open_file(&self.path)?))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "content").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();

        let mut text = String::new();
        let content = FileContent { path: at("file") };
        content.open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
        for (name, kind) in [
            ("folder", UnreadableKind::NotAFile),
            ("link", UnreadableKind::NotAFile),
            ("dangling", UnreadableKind::NotAFile),
            ("pipe", UnreadableKind::NotAFile),
            ("socket", UnreadableKind::NotAFile),
            ("missing", UnreadableKind::NotFound),
            ("file/below", UnreadableKind::NotFound),
        ] {
            let reason = open_file(&at(name)).unwrap_err();
            assert_eq!(reason.kind, kind, "{name}: {reason}");
            assert!(!reason.detail.contains(name) || name.len() < 7, "{name}: {reason}");
        }
        assert_eq!(open_file(Path::new("/dev/zero")).unwrap_err().kind, UnreadableKind::NotAFile);
    }
}
