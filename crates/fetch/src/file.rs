//! `file://` (RFC 8089) below configured folders.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use hashward_engine::core::{Unreadable, UnreadableKind};
use percent_encoding::percent_decode_str;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::FetchError;
use crate::url::{bad, refused};

/// The folders below which files may be opened.
#[derive(Debug)]
pub(crate) struct FileRoots(Vec<Root>);

#[derive(Debug)]
struct Root {
    /// As configured; links in it are the operator's own.
    configured: PathBuf,
    /// Without links.
    canonical: PathBuf,
}

impl FileRoots {
    pub(crate) fn new(roots: Vec<PathBuf>) -> Result<Self, FetchError> {
        roots.into_iter().map(Root::new).collect::<Result<_, _>>().map(Self)
    }

    /// Opens what follows `file://`.
    pub(crate) fn open(&self, rest: &str) -> Result<File, Unreadable> {
        if self.0.is_empty() {
            return Err(refused("file:// is not allowed: `file_roots` names no folder"));
        }
        let path = path(rest)?;
        // Before the file system is asked anything: else the reasons would tell which other files there are.
        if !self.0.iter().any(|root| path.starts_with(&root.configured) || path.starts_with(&root.canonical))
        {
            return Err(self.outside());
        }
        let canonical = fs::canonicalize(&path).map_err(|error| unopened(&error))?;
        if !self.is_below(&canonical) {
            return Err(self.outside());
        }
        regular(&fs::symlink_metadata(&canonical).map_err(|error| unopened(&error))?)?;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed());
        let file = options.open(&canonical).map_err(|error| unopened(&error))?;
        regular(&file.metadata().map_err(|error| unopened(&error))?)?;
        // A folder on the way may have been replaced by a link meanwhile. Where the open file is, the kernel
        // knows.
        let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(|error| {
            Unreadable::new(UnreadableKind::ReadFailed, format_args!("asking where the file is: {error}"))
        })?;
        if self.is_below(&opened) { Ok(file) } else { Err(self.outside()) }
    }

    fn is_below(&self, path: &Path) -> bool {
        self.0.iter().any(|root| path.starts_with(&root.canonical))
    }

    fn outside(&self) -> Unreadable {
        refused(format_args!("it leads outside of the {} folders that `file_roots` names", self.0.len()))
    }
}

impl Root {
    fn new(path: PathBuf) -> Result<Self, FetchError> {
        if !path.is_absolute() {
            return Err(FetchError::RelativeRoot { path });
        }
        let canonical = fs::canonicalize(&path).and_then(|canonical| {
            let is_folder = fs::metadata(&canonical)?.is_dir();
            if is_folder { Ok(canonical) } else { Err(io::ErrorKind::NotADirectory.into()) }
        });
        match canonical {
            Ok(canonical) => Ok(Self { configured: path, canonical }),
            Err(source) => Err(FetchError::Root { path, source }),
        }
    }
}

/// The path in what follows `file://`.
fn path(rest: &str) -> Result<PathBuf, Unreadable> {
    let (host, _) = rest.split_once('/').ok_or_else(|| bad("the path is not absolute"))?;
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return Err(bad("file:// has no host but `localhost`: write three slashes before the path"));
    }
    let path = &rest[host.len()..];
    if path.contains(['?', '#']) {
        return Err(bad("file:// has no query and no fragment: percent-encode `?` and `#` of a name"));
    }
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    if bytes.contains(&0) {
        return Err(bad("no file name holds a zero byte"));
    }
    let path = PathBuf::from(OsString::from_vec(bytes));
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(refused("its path holds `..`"));
    }
    Ok(path)
}

fn regular(metadata: &Metadata) -> Result<(), Unreadable> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Unreadable::new(UnreadableKind::NotAFile, "it is a folder, a link, a pipe, a socket or a device"))
}

fn unopened(error: &io::Error) -> Unreadable {
    let kind = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::NXIO) => UnreadableKind::NotAFile,
        Some(Errno::NOENT | Errno::NOTDIR) => UnreadableKind::NotFound,
        _ => UnreadableKind::ReadFailed,
    };
    Unreadable::new(kind, error)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;
    use crate::{FetchOptions, References};

    #[test]
    fn opens_below_the_roots_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let at = |name: &str| dir.join(name);
        for folder in ["root/sub", "root-2", "outside", "elsewhere"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let files =
            ["root/a b?.txt", "root/sub/100%", "root/grün", "root-2/x", "outside/secret", "elsewhere/y"];
        for name in files {
            fs::write(at(name), name).unwrap();
        }
        symlink(at("outside"), at("root/way-out")).unwrap();
        symlink(at("outside/secret"), at("root/link-out")).unwrap();
        symlink("sub/100%", at("root/link-in")).unwrap();
        symlink("loop", at("root/loop")).unwrap();
        symlink(at("elsewhere"), at("linked-root")).unwrap();
        mknodat(CWD, at("root/pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let file_roots = vec![at("root"), at("linked-root")];
        let references = References::new(FetchOptions { file_roots, ..FetchOptions::default() }).unwrap();

        let base = format!("file://{}", dir.display());
        for (url, content) in [
            (format!("{base}/root/a%20b%3F.txt"), "root/a b?.txt"),
            (format!("{base}/root/sub/100%25"), "root/sub/100%"),
            (format!("{base}/root/gr%C3%BCn"), "root/grün"),
            (format!("{base}//root/./sub//100%25"), "root/sub/100%"),
            (format!("{base}/root/link-in"), "root/sub/100%"),
            (format!("{base}/linked-root/y"), "elsewhere/y"),
            (format!("{base}/elsewhere/y"), "elsewhere/y"),
            (format!("FILE://LocalHost{}/root/sub%2f100%25", dir.display()), "root/sub/100%"),
        ] {
            let mut text = String::new();
            references.open(&url).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, content, "{url}");
        }
        let refused = UnreadableKind::ReferenceRefused;
        let malformed = UnreadableKind::BadReference;
        for (url, kind) in [
            (format!("{base}/root/../outside/secret"), refused),
            (format!("{base}/root/%2e%2e/outside/secret"), refused),
            (format!("{base}/root/%2E%2e%2foutside/secret"), refused),
            (format!("{base}/root/sub/../sub/100%25"), refused),
            (format!("{base}/root/way-out/secret"), refused),
            (format!("{base}/root/link-out"), refused),
            (format!("{base}/root-2/x"), refused),
            (format!("{base}/outside/secret"), refused),
            (format!("{base}/outside/missing"), refused),
            ("file:///etc/passwd".to_owned(), refused),
            ("file:///proc/self/environ".to_owned(), refused),
            (format!("{base}/root/missing"), UnreadableKind::NotFound),
            (format!("{base}/root/sub/100%25/"), UnreadableKind::NotFound),
            (format!("{base}/root/sub"), UnreadableKind::NotAFile),
            (format!("{base}/root/pipe"), UnreadableKind::NotAFile),
            (format!("{base}/root/loop"), UnreadableKind::NotAFile),
            (format!("{base}/root/sub/100%"), malformed),
            (format!("{base}/root/sub/100%2"), malformed),
            (format!("{base}/root/sub/100%zz"), malformed),
            (format!("{base}/root/sub%00"), malformed),
            (format!("{base}/root/grün"), malformed),
            (format!("{base}/root/a b"), malformed),
            (format!("{base}/root/sub?x"), malformed),
            (format!("file://example.org{}/root/sub", dir.display()), malformed),
            (format!("file:{}/root/sub", dir.display()), malformed),
            ("file://".to_owned(), malformed),
        ] {
            let reason = references.open(&url).err().unwrap();
            assert_eq!(reason.kind, kind, "{url}: {reason}");
            let names = ["secret", "passwd", "environ", "missing", "outside/"];
            assert!(
                !names.iter().any(|name| reason.detail.contains(name)),
                "the reason repeats {url}: {reason}"
            );
        }
    }

    #[test]
    fn roots_are_folders() {
        let roots = |path: &str| FileRoots::new(vec![path.into()]).unwrap_err().to_string();
        assert_eq!(roots("relative"), "file_roots: relative is not absolute");
        assert!(roots("/nowhere/at/all").contains("/nowhere/at/all: No such file"));
        assert!(roots("/etc/passwd").contains("not a directory"));
    }
}
