//! Replies, in the words that clients of clamd look for.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::command::COMMANDS;
use super::framing::{Malformed, Terminator};
use crate::scanner::Ruling;

pub(super) const PONG: &str = "PONG";
pub(super) const RELOADING: &str = "RELOADING";
pub(super) const TIMED_OUT: &str = "COMMAND READ TIMED OUT";
pub(super) const NO_DESCRIPTOR: &str = "No file descriptor received. ERROR";
pub(super) const STRAY_DESCRIPTOR: &str = "PROTOCOL ERROR: ancillary data sent without FILDES. ERROR";
pub(super) const UNKNOWN: &str = "UNKNOWN COMMAND";
pub(super) const INVALID_IN_SESSION: &str = "Command invalid inside IDSESSION. ERROR";

/// The reply to what cannot be understood.
pub(super) fn malformed(malformed: Malformed, is_in_session: bool) -> &'static str {
    match malformed {
        Malformed::UnknownCommand if is_in_session => INVALID_IN_SESSION,
        Malformed::UnknownCommand => UNKNOWN,
        Malformed::StreamTooLarge => "INSTREAM size limit exceeded. ERROR",
    }
}

/// A whole reply: the command's number in a session, what it says, its end.
pub(super) fn framed(number: Option<u64>, text: &[u8], terminator: Terminator) -> Vec<u8> {
    let mut reply = number.map(|number| format!("{number}: ").into_bytes()).unwrap_or_default();
    reply.extend_from_slice(text);
    reply.push(terminator.byte());
    reply
}

/// What is said of one content.
pub(super) fn ruled(name: &[u8], ruling: &Ruling) -> Vec<u8> {
    match (ruling, ruling.threat()) {
        (_, Some(threat)) => about(name, &format!("{threat} FOUND")),
        (Ruling::Unjudged(why), _) => failed(name, why),
        (Ruling::Pass | Ruling::Block(_), None) => about(name, "OK"),
    }
}

/// What is said of something that cannot be judged.
pub(super) fn failed(name: &[u8], why: &str) -> Vec<u8> {
    about(name, &format!("{why} ERROR"))
}

fn about(name: &[u8], text: &str) -> Vec<u8> {
    [name, b": ", text.as_bytes()].concat()
}

/// A path as replies show it. A name with a newline in it would look like a reply of its own.
pub(super) fn shown(path: &Path) -> Vec<u8> {
    let shown = |&byte: &u8| if byte.is_ascii_control() { b'?' } else { byte };
    path.as_os_str().as_bytes().iter().map(shown).collect()
}

/// The version of clamd comes first in its own answer: many clients look for the word, and some for what follows the
/// first slash, which is the number of the signatures there and the generation of the lists here.
pub(super) fn version(generation: impl std::fmt::Display) -> String {
    format!("ClamAV Hashward-{}/{generation}", env!("CARGO_PKG_VERSION"))
}

pub(super) fn version_commands(generation: impl std::fmt::Display) -> String {
    format!("{}| COMMANDS: {}", version(generation), COMMANDS.join(" "))
}

/// How busy the desk is, in the form of clamd: names of what is being looked at are not told.
pub(super) fn stats(uploads: usize, uploads_max: usize) -> String {
    let memory =
        "heap N/A mmap N/A used N/A free N/A releasable N/A pools 1 pools_used 0.000M pools_total 0.000M";
    format!(
        "POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live {uploads}  idle 0 max {uploads_max} idle-timeout 30\n\
         QUEUE: 0 items\n\tSTATS 0.000000 \n\nMEMSTATS: {memory}\nEND"
    )
}
