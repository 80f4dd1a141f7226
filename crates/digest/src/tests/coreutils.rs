//! The same digests as the tools that people check files with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hashward_core::{Algorithm, AlgorithmSet};

use super::by_every_way;

const TOOLS: [(Algorithm, &str); 4] = [
    (Algorithm::Md5, "md5sum"),
    (Algorithm::Sha1, "sha1sum"),
    (Algorithm::Sha256, "sha256sum"),
    (Algorithm::Sha512, "sha512sum"),
];

/// Around each place where padding, blocks or pages begin anew; then one that fills several chunks.
const LENGTHS: [usize; 14] = [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 4_095, 4_096, 1_024 * 1_024 + 3];

/// A file that is removed when the test ends, also by a panic.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn with(content: &[u8]) -> Self {
        let name = format!("hashward-digest-{}-{}", std::process::id(), content.len());
        let path = env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn hex_from(tool: &str, path: &Path) -> String {
    let output = Command::new(tool).arg(path).output();
    let output = output.unwrap_or_else(|error| panic!("{tool} of GNU coreutils is needed here: {error}"));
    assert!(output.status.success(), "{tool} failed: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn agrees_with_coreutils() {
    for length in LENGTHS {
        let content: Vec<u8> = (0..=255).cycle().map(|byte: u8| byte.wrapping_mul(37)).take(length).collect();
        let file = TemporaryFile::with(&content);
        let ways = by_every_way(AlgorithmSet::ALL, &content);
        for (algorithm, tool) in TOOLS {
            let expected = hex_from(tool, &file.0);
            for (way, digests) in &ways {
                let digest = digests.get(algorithm).unwrap();
                assert_eq!(digest.to_hex(), expected, "{tool} of {length} bytes, {way}");
            }
        }
    }
}
