//! What the commands of `release` are told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::publish::{self, Publish};
use crate::list::Who;

/// The end of the group's help.
pub(crate) const HELP: &str = "\
Three people found a repository of which two sign together; the draft travels between their machines:
  hashward release keys new anna            on each person's machine: anna.key stays, anna.pub travels
  hashward release keys new desk            on the machine that publishes: the online key
  hashward release init /srv/lists --offline anna.pub --offline ben.pub --offline cleo.pub \\
    --online desk.pub --draft first.draft
  hashward release sign first.draft --key anna.key
  hashward release sign first.draft --key ben.key
  hashward release sign first.draft --repository /srv/lists --online-key desk.key

Passphrases come from --passphrase-file, else HASHWARD_PASSPHRASE, else the terminal. Private keys are never
shown. Whoever follows begins with /srv/lists/metadata/1.root.json, over a way that they trust.

Exit codes: 0 done; 2 error, status and verify: something is expired or wrong";

/// What to do with releases.
#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Makes keys, and shows public ones
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Writes the draft of a new repository, which keys must sign before it is published
    Init(Init),
    /// Makes the next release of lists: what changed in their folders since the last one
    #[command(after_help = publish::HELP)]
    Publish(Publish),
    /// Adds signatures to a draft, and publishes it once enough have signed
    Sign(Sign),
    /// Shows roles, versions, expiry, and who signed
    Status(Status),
    /// Writes the draft of the next root: other keys, another threshold, or only a later expiry
    #[command(name = "rotate-root")]
    RotateRoot(RotateRoot),
    /// Signs a new timestamp, so that the repository does not expire: to be run by a timer
    Renew(Renew),
    /// Verifies a repository's folder without a network, and explains every step
    Verify(Verify),
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a key: NAME.key, which only its owner may read, and NAME.pub
    New(NewKey),
    /// Shows whose a key is, and its id; of a private key the public half
    Show(ShowKey),
}

/// Where passphrases come from.
#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// A file with the passphrase, which only its owner may read
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

/// `keys new`.
#[derive(Args, Debug)]
pub(crate) struct NewKey {
    /// Whose key it is: letters, digits, `-`, `_` and `.`
    pub(super) name: String,
    /// The folder for the two files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
    /// Leaves the key without a passphrase: for a machine that starts alone
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(super) no_passphrase: bool,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

/// `keys show`.
#[derive(Args, Debug)]
pub(crate) struct ShowKey {
    /// NAME.pub or NAME.key
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

/// For how long files count.
#[derive(Args, Debug)]
pub(crate) struct Lifetimes {
    /// How many days a root counts; else 365, or as before
    #[arg(long, value_name = "DAYS")]
    pub(super) root_days: Option<u32>,
    /// How many days targets count; else 90, or as before
    #[arg(long, value_name = "DAYS")]
    pub(super) targets_days: Option<u32>,
    /// How many hours a snapshot counts; else 168, or as before
    #[arg(long, value_name = "HOURS")]
    pub(super) snapshot_hours: Option<u32>,
    /// How many hours a timestamp counts; else 24, or as before
    #[arg(long, value_name = "HOURS")]
    pub(super) timestamp_hours: Option<u32>,
}

/// `init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The folder for the repository
    #[arg(value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// A public key that signs root and targets; several
    #[arg(long, required = true, value_name = "PUB")]
    pub(super) offline: Vec<PathBuf>,
    /// How many of them must sign together
    #[arg(long, value_name = "NUMBER", default_value = "2")]
    pub(super) threshold: u32,
    /// The public key that signs snapshot and timestamp
    #[arg(long, value_name = "PUB")]
    pub(super) online: PathBuf,
    /// The draft to write: it travels, and holds nothing secret
    #[arg(long, value_name = "FILE")]
    pub(super) draft: PathBuf,
    #[command(flatten)]
    pub(super) lifetimes: Lifetimes,
}

/// `sign`.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The draft
    #[arg(value_name = "DRAFT")]
    pub(super) draft: PathBuf,
    /// A private key to sign with; several
    #[arg(long, value_name = "KEY")]
    pub(super) key: Vec<PathBuf>,
    /// Takes over the signatures of another copy of the draft
    #[arg(long, value_name = "DRAFT")]
    pub(super) merge: Vec<PathBuf>,
    /// Publishes the draft in this repository
    #[arg(long, value_name = "REPO", requires = "online_key")]
    pub(super) repository: Option<PathBuf>,
    /// The private key that signs snapshot and timestamp; while one is rotated, the old one and the new one
    #[arg(long, value_name = "KEY", requires = "repository")]
    pub(super) online_key: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(super) who: Who,
}

/// `status`.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// The repository, or a draft
    #[arg(value_name = "REPO|DRAFT")]
    pub(super) subject: PathBuf,
}

/// `rotate-root`.
#[derive(Args, Debug)]
pub(crate) struct RotateRoot {
    /// The repository
    #[arg(value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// A public key that is to sign root and targets too
    #[arg(long, value_name = "PUB")]
    pub(super) add: Vec<PathBuf>,
    /// The name of a key that is to sign no more
    #[arg(long, value_name = "NAME")]
    pub(super) remove: Vec<String>,
    /// How many must sign together; else as before
    #[arg(long, value_name = "NUMBER")]
    pub(super) threshold: Option<u32>,
    /// The public key that is to sign snapshot and timestamp in place of the present one
    #[arg(long, value_name = "PUB")]
    pub(super) online: Option<PathBuf>,
    /// The draft to write
    #[arg(long, value_name = "FILE")]
    pub(super) draft: PathBuf,
    #[command(flatten)]
    pub(super) lifetimes: Lifetimes,
}

/// `renew`.
#[derive(Args, Debug)]
pub(crate) struct Renew {
    /// The repository
    #[arg(value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// The private key that signs snapshot and timestamp
    #[arg(long, required = true, value_name = "KEY")]
    pub(super) online_key: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

/// `verify`.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The repository
    #[arg(value_name = "REPO")]
    pub(super) repository: PathBuf,
    /// The root that is trusted; else the folder's first one, which vouches for itself only
    #[arg(long, value_name = "FILE")]
    pub(super) root: Option<PathBuf>,
}
