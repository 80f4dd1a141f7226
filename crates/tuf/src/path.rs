//! Names of files in a repository.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::TufError;

/// The longest target path, in bytes, and the longest of its segments: what file systems take, with room for a digest
/// before the name and a suffix behind it.
const TARGET_PATH_BYTES_MAX: usize = 1024;
const SEGMENT_BYTES_MAX: usize = 120;

/// The name of a target file: segments with `/` between them, each of which is safe as a file's name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TargetPath(String);

impl TargetPath {
    /// As it stands in metadata.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Below the folder of target files.
    pub fn below(&self, folder: &std::path::Path) -> PathBuf {
        self.segments().fold(folder.to_owned(), |path, segment| path.join(segment))
    }

    /// One file name for the whole path.
    pub fn file_name(&self) -> String {
        encoded(&self.0)
    }
}

impl FromStr for TargetPath {
    type Err = TufError;

    /// Refuses what would leave the folder of target files, or is no file name everywhere.
    fn from_str(text: &str) -> Result<Self, TufError> {
        let refused = |why| Err(TufError::PathTraversal { name: tame(text), why });
        if text.is_empty() {
            return refused("it is empty");
        }
        if text.len() > TARGET_PATH_BYTES_MAX {
            return refused("it is longer than 1024 bytes");
        }
        for segment in text.split('/') {
            match segment {
                "" => return refused("it begins or ends with `/`, or has two in a row"),
                "." | ".." => return refused("it holds `.` or `..`"),
                _ if segment.len() > SEGMENT_BYTES_MAX => {
                    return refused("a part of it is longer than 120 bytes");
                }
                _ if segment.contains(|c: char| c == '\\' || c.is_control()) => {
                    return refused("it holds a backslash or a control character");
                }
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name from outside, fit for a message.
pub(crate) fn tame(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// The two folders of a repository.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Area {
    /// Metadata.
    Metadata,
    /// Target files.
    Targets,
}

/// A file of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepoPath {
    area: Area,
    segments: Vec<String>,
}

impl RepoPath {
    /// The metadata of a role, `VERSION.ROLE.json` or `ROLE.json`. The role may have any name.
    pub fn metadata(role: &str, version: Option<u64>) -> Self {
        let version = version.map(|version| format!("{version}.")).unwrap_or_default();
        Self { area: Area::Metadata, segments: vec![format!("{version}{role}.json")] }
    }

    /// A target file; under a consistent snapshot its last segment begins with a digest (section 7.3).
    pub fn target(path: &TargetPath, prefix: Option<&str>) -> Self {
        let mut segments: Vec<String> = path.segments().map(str::to_owned).collect();
        if let (Some(prefix), Some(last)) = (prefix, segments.last_mut()) {
            *last = format!("{prefix}.{last}");
        }
        Self { area: Area::Targets, segments }
    }

    /// In which folder it lies.
    pub fn area(&self) -> Area {
        self.area
    }

    /// Relative to its folder's URL, percent-encoded.
    pub fn url(&self) -> String {
        self.segments.iter().map(|segment| encoded(segment)).collect::<Vec<_>>().join("/")
    }

    /// Relative to its folder on a disk. Metadata lies under its percent-encoded name, for a role may have any.
    pub fn file(&self) -> PathBuf {
        match self.area {
            Area::Metadata => PathBuf::from(self.url()),
            Area::Targets => self.segments.iter().collect(),
        }
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::hashes::hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_paths_stay_below_their_folder() {
        let long = "x".repeat(121);
        for bad in ["", "/", "/etc/passwd", "a//b", "a/", "..", "a/../b", "./a", "a\\b", "a\0", "a\nb", &long]
        {
            assert!(matches!(bad.parse::<TargetPath>(), Err(TufError::PathTraversal { .. })), "{bad:?}");
        }
        for good in ["a", "a/b.c", "...", "lists/é 1/..x", "%2e%2e/a"] {
            let path: TargetPath = good.parse().unwrap();
            assert_eq!(path.as_str(), good);
            assert!(path.below("/base".as_ref()).starts_with("/base"));
        }
    }

    #[test]
    fn files_have_their_version_or_digest_before_their_name() {
        let path: TargetPath = "a/b c".parse().unwrap();
        assert_eq!(RepoPath::target(&path, Some("00ff")).url(), "a/00ff.b%20c");
        assert_eq!(RepoPath::target(&path, Some("00ff")).file(), PathBuf::from("a/00ff.b c"));
        assert_eq!(RepoPath::metadata("../x", Some(3)).url(), "3...%2Fx.json");
        assert_eq!(RepoPath::metadata("../x", Some(3)).file(), PathBuf::from("3...%2Fx.json"));
        assert_eq!(RepoPath::metadata("timestamp", None).url(), "timestamp.json");
    }
}
