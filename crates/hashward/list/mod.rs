//! `list`: works on a list folder.

mod args;
mod build;
mod by;
mod check;
mod diff;
mod edit;
mod export;
mod find;
mod import;
mod init;
mod key;
mod numbers;
mod sealed;
mod taken;
mod tell;

use anyhow::Result;

use crate::exit::Exit;
use crate::output::Style;

pub(crate) use args::{HELP, ListCommand};
pub(crate) use by::Who;

/// Does what was asked.
pub(crate) fn list(command: &ListCommand, style: Style) -> Result<Exit> {
    match command {
        ListCommand::Init(arguments) => init::init(arguments, style),
        ListCommand::Import(arguments) => import::import(arguments, style),
        ListCommand::Add(arguments) => edit::add(arguments, style),
        ListCommand::Withdraw(arguments) => edit::mark(arguments, edit::Mark::Withdrawn, style),
        ListCommand::Dispute(arguments) => edit::mark(arguments, edit::Mark::Disputed, style),
        ListCommand::Undispute(arguments) => edit::mark(arguments, edit::Mark::Undisputed, style),
        ListCommand::Show(arguments) => find::show(arguments, style),
        ListCommand::Find(arguments) => find::find(arguments, style),
        ListCommand::Diff(arguments) => diff::diff(arguments, style),
        ListCommand::Stats(arguments) => numbers::stats(arguments, style),
        ListCommand::States(arguments) => numbers::states(arguments, style),
        ListCommand::Export(arguments) => export::export(arguments, style),
        ListCommand::Build(arguments) => build::build(arguments, style),
        ListCommand::Key(arguments) => key::key(arguments, style),
        ListCommand::Check(arguments) => check::check(arguments, style),
    }
}
