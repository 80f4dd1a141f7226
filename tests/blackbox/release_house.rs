//! What the tests of `hashward release` share: three people, a desk, and a repository.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hashward_tuf::desk::{Changes, NewTarget, Published, Repository};
use hashward_tuf::{KeyError, PrivateKey};
use tempfile::TempDir;

use crate::worker::{hashward, runs};

/// A folder with the keys of Anna, Ben, Cleo and the desk.
pub struct ReleaseHouse {
    dir: TempDir,
}

impl ReleaseHouse {
    /// Keys without passphrases.
    pub fn new() -> Self {
        let house = Self { dir: TempDir::new().expect("a temporary folder") };
        for name in ["anna", "ben", "cleo", "desk"] {
            house.ok(&["keys", "new", name, "--no-passphrase"]);
        }
        house
    }

    /// A repository `repo` of which two of three have signed the first root.
    pub fn founded() -> Self {
        let house = Self::new();
        house.init();
        let sign = "sign first.draft --key anna.key --key ben.key --repository repo --online-key desk.key";
        house.ok(&sign.split(' ').collect::<Vec<_>>());
        house
    }

    /// Writes `first.draft`.
    pub fn init(&self) {
        let init = "init repo --offline anna.pub --offline ben.pub --offline cleo.pub --online desk.pub --draft first.draft";
        self.ok(&init.split(' ').collect::<Vec<_>>());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hashward();
        command.current_dir(self.dir.path()).arg("release").args(arguments);
        command
    }

    runs!();

    /// Publishes one target, signed by Ben and Cleo.
    pub fn publish(&self, path: &str, content: &[u8]) -> Published {
        let key =
            |name: &str| PrivateKey::load(&self.path(name), || Ok::<_, KeyError>(None)).expect("it is there");
        let file = self.path("made");
        fs::write(&file, content).expect("a file can be written");
        let digest = hashward_digest::digest_bytes(
            hashward_core::AlgorithmSet::EMPTY.with(hashward_core::Algorithm::Sha256),
            content,
        );
        let digest = digest.get(hashward_core::Algorithm::Sha256).expect("it was asked for");
        let new = NewTarget {
            path: path.parse().expect("a path"),
            file,
            length: content.len() as u64,
            sha256: digest.as_bytes().try_into().expect("a SHA-256 has 32 bytes"),
            custom: Some(serde_json::json!({ "release": 1 })),
        };
        let changes = Changes { put: vec![new], remove: Vec::new() };
        let repository = Repository::at(self.path("repo"));
        let now = jiff::Timestamp::now();
        repository.place(&changes).expect("it can be placed");
        let mut draft = repository.plan(&changes, now).expect("it can be planned");
        for name in ["ben.key", "cleo.key"] {
            draft.sign(&key(name)).expect("it counts");
        }
        repository.finish(&draft, &[key("desk.key")], now).expect("it is signed")
    }
}
