mod files;
mod grouping;
mod lines;
mod metadata;

use std::fs;
use std::path::PathBuf;

use hashward_core::ListId;

use crate::{ParsedText, parse_text_bytes};

/// Digests that nobody's list holds.
const MD5_A: &str = "00112233445566778899aabbccddeeff";
const MD5_B: &str = "0123456789abcdef0123456789abcdef";
const SHA1_A: &str = "00112233445566778899aabbccddeeff00112233";
const SHA256_A: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const SHA256_B: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const XXH3_A: &str = "0011223344556677";

fn list_id() -> ListId {
    "test-list".parse().unwrap()
}

fn parse(text: impl AsRef<[u8]>) -> ParsedText {
    parse_text_bytes(text.as_ref(), &list_id()).unwrap()
}

/// The entries as `line: algorithm=digest …`, one text each.
fn entries(text: impl AsRef<[u8]>) -> Vec<String> {
    let shown = |entry: &crate::ListEntry| {
        let digests: Vec<String> =
            entry.digests().map(|digest| format!("{}={}", digest.algorithm(), digest.to_hex())).collect();
        format!("{}: {}", entry.line, digests.join(" "))
    };
    let parsed = parse(text);
    assert_eq!(parsed.bad, crate::BadLines::default());
    parsed.entries.iter().map(shown).collect()
}

/// A folder of its own for one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hashward-list-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// An error's text with the folder's own path cut out.
    fn error(&self, error: &crate::ListError) -> String {
        error.to_string().replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
