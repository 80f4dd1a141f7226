//! What the tests of `hashward list` share: a folder to work in, and files as others write them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hashward_core::Algorithm;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{hex, listed};
use crate::worker::{hashward, runs};

/// A folder with a list named `national` in it.
pub struct Lists {
    dir: TempDir,
}

impl Lists {
    pub fn new() -> Self {
        let lists = Self { dir: TempDir::new().expect("a temporary folder") };
        lists.init("national");
        lists
    }

    pub fn init(&self, list: &str) {
        self.ok(&["init", list, "--id", list, "--action", "block", "--category", "csam-baseline"]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file can be written");
    }

    /// `hashward list` with these arguments, by a tester.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hashward();
        command.current_dir(self.dir.path()).env("HASHWARD_WHO", "tester").arg("list").args(arguments);
        command
    }

    runs!();

    /// The number and the hash of the newest state of a sound list.
    pub fn state(&self, list: &str) -> (u64, String) {
        let report = self.json(&["check", list]).remove(0);
        assert_eq!(report["sound"], true);
        let number = report["state"].as_u64().expect("a state has a number");
        (number, report["hash"].as_str().expect("a state has a hash").to_owned())
    }

    /// All digests that are in force, as `algorithm:hex`.
    pub fn digests(&self, list: &str) -> BTreeSet<String> {
        let changes = self.json(&["diff", list, "0"]);
        let entries = changes.iter().map(|change| &change["after"]);
        let in_force = entries.filter(|entry| entry.is_object() && entry["withdrawn"].is_null());
        let digests = in_force.filter_map(|entry| entry["digests"].as_object()).flatten();
        digests.map(|(algorithm, hex)| format!("{algorithm}:{}", hex.as_str().unwrap_or_default())).collect()
    }
}

/// The last line of a program's JSON.
pub fn last(lines: &[Value]) -> &Value {
    lines.last().expect("there is a line")
}

/// Text with the SHA-256 and the MD5 of some listed contents.
pub fn text_list(numbers: impl Iterator<Item = usize>) -> String {
    let item = |n| {
        let content = listed(n);
        let (sha256, md5) = (hex(Algorithm::Sha256, &content), hex(Algorithm::Md5, &content));
        format!("{sha256}  item-{n}\n{md5}  item-{n}\n")
    };
    numbers.map(item).collect()
}

/// Media as Project VIC writes them: MD5, SHA-1, `PhotoDNA`.
pub fn vics_list(numbers: impl Iterator<Item = usize>) -> String {
    let media: Vec<String> = numbers
        .map(|n| {
            let content = listed(n);
            let (md5, sha1) = (hex(Algorithm::Md5, &content), hex(Algorithm::Sha1, &content));
            format!(
                r#"{{"MediaID":{n},"Category":1,"MD5":"{md5}","SHA1":"{sha1}","MediaSize":{},"IsDistributed":"True",
                "AlternativeHashes":[{{"HashName":"PhotoDNA","HashValue":"QUJDRA=="}}]}}"#,
                content.len()
            )
        })
        .collect();
    format!(
        r#"{{"@odata.context":"http://x/VICSDATAMODEL/2.0.xml/$metadata#Media","value":[{}]}}"#,
        media.join(",")
    )
}

/// Copies a list folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("it can be read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied");
    }
}
