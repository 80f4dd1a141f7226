//! `evidence`: makes, shows, proves and verifies the evidence log; and what other commands and the line record in it.

mod args;
mod event;
mod init;
mod log;
mod prove;
mod recording;
mod show;
mod verify;

use anyhow::Result;

use crate::exit::Exit;
use crate::output::Style;

pub(crate) use args::{EvidenceCommand, HELP};
pub(crate) use log::{problem, record};
pub(crate) use recording::{Ledger, Recorder, Recording, RecordingSink};

/// Does what was asked.
pub(crate) fn evidence(command: &EvidenceCommand, style: Style) -> Result<Exit> {
    match command {
        EvidenceCommand::Init(arguments) => init::init(arguments, style),
        EvidenceCommand::Key(arguments) => init::key(arguments, style),
        EvidenceCommand::Show(arguments) => show::show(arguments, style),
        EvidenceCommand::Prove(arguments) => prove::prove(arguments, style),
        EvidenceCommand::Verify(arguments) => verify::verify(arguments, style),
    }
}
