//! A harmless list and harmless files, the same at each run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hashward_core::{Algorithm, AlgorithmSet, Digests};
use hashward_digest::digest_bytes;

/// What was made.
pub(crate) struct Sample {
    /// The list.
    pub(crate) list: PathBuf,
    /// How many entries it has.
    pub(crate) entries: u64,
    /// How many bytes the files have together.
    pub(crate) bytes: u64,
    /// Each listed file's name below the inbox, and the action that it must lead to.
    pub(crate) planted: BTreeMap<String, &'static str>,
}

/// Entries that no file has, so that the list is not made of hits alone.
const OTHER_ENTRIES: u64 = 10_000;
/// One file in so many is listed.
const ONE_IN: u32 = 100;
const FILES_PER_FOLDER: u32 = 500;

const METADATA: &str = r#"# What is true of the whole list. A real list's owner writes this.
id = "demo-sample"
owner = "Hashward demo"
category = "own:demo"
legal_basis = "none: these are random bytes"
reference = "DEMO-1"
action = "block"
priority = "normal"
contact = "nobody@example.org"
"#;

/// How a listed file is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Listed {
    Sha256,
    Md5,
    Md5AndSha1,
}

impl Listed {
    fn of(number: u32) -> Option<Self> {
        if number % ONE_IN != ONE_IN / 2 {
            return None;
        }
        Some(match number / ONE_IN % 5 {
            3 => Self::Md5,
            4 => Self::Md5AndSha1,
            _ => Self::Sha256,
        })
    }

    /// What the list's `block` becomes: on MD5 alone people decide.
    fn action(self) -> &'static str {
        if self == Self::Md5 { "review" } else { "block" }
    }
}

/// Where the list is, below the folder of the demo.
pub(crate) fn list(directory: &Path) -> PathBuf {
    directory.join("lists/demo-sample.txt")
}

/// Makes the list in `directory`, and the files in its `inbox`. `made` is told after each file.
pub(crate) fn make(directory: &Path, files: u32, made: impl Fn()) -> Result<Sample> {
    let list = list(directory);
    let lists = list.parent().expect("the list is in a folder");
    fs::create_dir_all(lists).with_context(|| lists.display().to_string())?;
    let mut text = b"# Digests of random bytes, as sha256sum, sha1sum and md5sum write them.\n".to_vec();
    let mut random = Random::new(0);
    for _ in 0..OTHER_ENTRIES {
        let [a, b, c, d] = [(); 4].map(|()| random.next());
        writeln!(text, "{a:016x}{b:016x}{c:016x}{d:016x}")?;
    }
    let mut sample =
        Sample { list: list.clone(), entries: OTHER_ENTRIES, bytes: 0, planted: BTreeMap::new() };
    let mut content = Vec::new();
    for number in 0..files {
        let folder = format!("upload-{:03}", number / FILES_PER_FOLDER);
        let name = format!("file-{number:07}.bin");
        let path = directory.join("inbox").join(&folder);
        if number % FILES_PER_FOLDER == 0 {
            fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        }
        fill(number, &mut content);
        fs::write(path.join(&name), &content).with_context(|| path.join(&name).display().to_string())?;
        sample.bytes += content.len() as u64;
        if let Some(listed) = Listed::of(number) {
            list_file(&mut text, listed, &name, &content)?;
            sample.entries += 1;
            sample.planted.insert(format!("{folder}/{name}"), listed.action());
        }
        made();
    }
    fs::write(&list, text).with_context(|| list.display().to_string())?;
    let metadata = list.with_extension("toml");
    fs::write(&metadata, METADATA).with_context(|| metadata.display().to_string())?;
    Ok(sample)
}

fn list_file(text: &mut Vec<u8>, listed: Listed, name: &str, content: &[u8]) -> Result<()> {
    let algorithms: &[Algorithm] = match listed {
        Listed::Sha256 => &[Algorithm::Sha256],
        Listed::Md5 => &[Algorithm::Md5],
        Listed::Md5AndSha1 => &[Algorithm::Md5, Algorithm::Sha1],
    };
    let wanted: AlgorithmSet = algorithms.iter().copied().collect();
    let digests: Digests = digest_bytes(wanted, content);
    for digest in digests.iter() {
        writeln!(text, "{}  {name}", digest.to_hex())?;
    }
    Ok(())
}

/// The content of one file: mostly small, some of 64 KiB, a few of 1 MiB.
fn fill(number: u32, content: &mut Vec<u8>) {
    let mut random = Random::new(u64::from(number) + 1);
    let bytes = match number {
        number if number % 200 == 7 => 1024 * 1024,
        number if number % 20 == 3 => 64 * 1024,
        _ => 200 + (random.next() % 8000) as usize,
    };
    content.clear();
    while content.len() < bytes {
        content.extend_from_slice(&random.next().to_le_bytes());
    }
    content.truncate(bytes);
}

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_at_each_run() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        let sample = make(&one, 600, || {}).unwrap();
        make(&two, 600, || {}).unwrap();
        let list = |root: &Path| fs::read(root.join("lists/demo-sample.txt")).unwrap();
        assert_eq!(list(&one), list(&two));
        assert_eq!(sample.planted.len(), 6);
        assert_eq!(sample.planted.values().filter(|action| **action == "review").count(), 1);
        for name in sample.planted.keys() {
            assert!(one.join("inbox").join(name).is_file(), "{name}");
        }
    }
}
