//! What the commands of `subscribe` are told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hashward_core::ListId;

use crate::list::Who;

/// The end of the group's help.
pub(crate) const HELP: &str = "\
The folder is subscriptions.directory of the configuration, or --set subscriptions.directory=DIR. What is fetched
is kept sealed under the deployment's key (lists.key_file): `hashward list key` makes one. `hashward run` follows
all subscriptions by itself; `pull` is for a first look, and for machines that do not run.

Examples:
  hashward subscribe add national https://lists.example.net/ --root national-root.json
  hashward subscribe pull
  hashward subscribe status
  hashward subscribe rollback national --of csam --to 41 --reason 'release 42 lists wallpapers'
  hashward subscribe resume national --of csam

Exit codes: 0 done; 1 status: a list is stale, held or missing; 2 error, pull: a list could not be taken";

const ADD_HELP: &str = "\
The root is what everything rests on: take it from a hand that you trust, and compare its SHA-256, which is told
here, with what the publisher says by another way.

Examples:
  hashward subscribe add national https://lists.example.net/ --root national-root.json
  hashward subscribe add drill /srv/releases --root root.json --take drill-list";

/// What to do with subscriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum SubscribeCommand {
    /// Subscribes to a publisher's repository
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// Looks for new releases, verifies and applies them
    Pull(Named),
    /// Shows what is subscribed to: releases, their age, and what is wrong
    Status(Named),
    /// Goes back to a release that is kept, and stays there until `resume`
    Rollback(Rollback),
    /// Follows the releases of a list again
    Resume(Resume),
    /// Removes a subscription with all it has fetched
    Remove(Remove),
}

/// `add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// What it is to be called here: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Where the releases are: https://…, http:// on this machine, or a folder
    #[arg(value_name = "URL|FOLDER")]
    pub(super) from: String,
    /// The publisher's root, which came over a trusted way
    #[arg(long, value_name = "FILE")]
    pub(super) root: PathBuf,
    /// A list to take; may be repeated. Else all that there are, also later ones
    #[arg(long, value_name = "ID")]
    pub(super) take: Vec<ListId>,
}

/// One subscription, or all.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The subscription; else all
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
}

/// A list of a subscription.
#[derive(Args, Debug)]
pub(crate) struct OfList {
    /// The subscription
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The list's id
    #[arg(long = "of", value_name = "ID")]
    pub(super) id: ListId,
}

/// `rollback`.
#[derive(Args, Debug)]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(super) of: OfList,
    /// The number of the release
    #[arg(long, value_name = "N")]
    pub(super) to: u64,
    /// Why
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) who: Who,
}

/// `resume`.
#[derive(Args, Debug)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(super) of: OfList,
    #[command(flatten)]
    pub(super) who: Who,
}

/// `remove`.
#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// The subscription
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Why
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) who: Who,
}
