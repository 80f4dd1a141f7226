//! `release`: keys, signatures, and the repository that others follow.

mod args;
mod draft;
mod evidence;
mod init;
mod keys;
mod passphrase;
mod publish;
mod renew;
mod rotate;
mod sign;
mod status;
mod verify;
mod web;

use anyhow::Result;

use crate::config::Config;
use crate::exit::Exit;
use crate::output::Style;

pub(crate) use args::{HELP, ReleaseCommand};
pub(crate) use evidence::of_list;
pub(crate) use web::WebTransport;

/// Does what was asked.
pub(crate) fn release(
    command: &ReleaseCommand,
    config: impl FnOnce() -> Result<Config>,
    style: Style,
) -> Result<Exit> {
    match command {
        ReleaseCommand::Keys(command) => keys::keys(command, style),
        ReleaseCommand::Init(arguments) => init::init(arguments, style),
        ReleaseCommand::Publish(arguments) => publish::publish(&config()?, arguments, style),
        ReleaseCommand::Sign(arguments) => sign::sign(&config()?, arguments, style),
        ReleaseCommand::Status(arguments) => status::status(arguments, style),
        ReleaseCommand::RotateRoot(arguments) => rotate::rotate(arguments, style),
        ReleaseCommand::Renew(arguments) => renew::renew(arguments, style),
        ReleaseCommand::Verify(arguments) => verify::verify(arguments, style),
    }
}
