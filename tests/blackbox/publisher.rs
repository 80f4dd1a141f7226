//! A publisher of signed releases, as the tests need one: keys of three people, a repository, and a list folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use hashward_core::Algorithm;

use crate::fixture::{hex, json, listed};
use crate::list_fixture::Lists;
use crate::worker::{hashward, runs, text};

/// Two people sign each release of `national` into the repository.
pub struct Publisher {
    pub lists: Lists,
}

impl Publisher {
    /// With the repository founded, and nothing released.
    pub fn new() -> Self {
        let publisher = Self { lists: Lists::new() };
        for name in ["anna", "ben", "cleo", "desk"] {
            publisher.ok(&["release", "keys", "new", name, "--no-passphrase"]);
        }
        let offline = ["--offline", "anna.pub", "--offline", "ben.pub", "--offline", "cleo.pub"];
        let init = ["release", "init", "repo", "--online", "desk.pub", "--draft", "first.draft"];
        publisher.ok(&[&init, &offline[..]].concat());
        publisher.ok(&["release", "sign", "first.draft", "--key", "anna.key"]);
        publisher.ok(&["release", "sign", "first.draft", "--key", "ben.key"]);
        publisher.ok(&["release", "sign", "first.draft", "--repository", "repo", "--online-key", "desk.key"]);
        publisher
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.lists.path(name)
    }

    /// Puts the SHA-256 of a listed content into the list.
    pub fn add(&self, n: usize) {
        let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(n)));
        self.lists.ok(&["add", "national", "--digest", &digest, "--why", "a test"]);
    }

    /// Publishes the list as it is now, signed by enough.
    pub fn publish(&self, more: &[&str]) -> String {
        self.ok(&[&PUBLISH, more].concat())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hashward();
        command.current_dir(self.path("")).env("HASHWARD_WHO", "tester").args(arguments);
        command
    }

    runs!();
}

/// The command that publishes with the keys of two people and of the desk.
pub const PUBLISH: [&str; 12] = [
    "release",
    "publish",
    "repo",
    "national",
    "--draft",
    "next.draft",
    "--key",
    "anna.key",
    "--key",
    "ben.key",
    "--online-key",
    "desk.key",
];

/// A provider who subscribes to a [`Publisher`]'s repository as `authority`, in the same folder.
pub struct Provider<'a> {
    pub publisher: &'a Publisher,
    /// The folder of its subscriptions.
    pub name: &'static str,
}

impl<'a> Provider<'a> {
    /// Has subscribed, and fetched nothing yet. `from` is the URL, or else the repository's folder is read.
    pub fn new(publisher: &'a Publisher, name: &'static str, from: Option<&str>) -> Self {
        let provider = Self { publisher, name };
        if !publisher.path("seal.key").exists() {
            publisher.ok(&["list", "key", "seal.key"]);
        }
        let repository = publisher.path("repo").display().to_string();
        let from = from.unwrap_or(&repository);
        provider.ok(&["add", "authority", from, "--root", "repo/metadata/1.root.json"]);
        provider
    }

    /// What a worker, or a command, is told of the subscriptions.
    pub fn settings(&self) -> Vec<String> {
        let directory = format!("subscriptions.directory={}", self.name);
        vec!["--set".to_owned(), directory, "--set".to_owned(), "lists.key_file=seal.key".to_owned()]
    }

    /// A command of `subscribe`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.publisher.command(&["subscribe"]);
        command.args(arguments).args(self.settings()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    runs!();

    /// The release that is held.
    pub fn release(&self) -> u64 {
        let output = self.run(&["status", "--json"]);
        let status = json(text(&output.stdout).lines().next().expect("there is a list").as_bytes());
        status["release"].as_u64().expect("a release has a number")
    }
}
