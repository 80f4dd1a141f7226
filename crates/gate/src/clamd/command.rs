use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What a client asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Whether somebody is there.
    Ping,
    /// Who is there.
    Version,
    /// Who is there, and which commands there are.
    VersionCommands,
    /// How busy the door is.
    Stats,
    /// To look at the lists again.
    Reload,
    /// To check a path on this machine.
    Scan {
        /// The file or folder, as the client names it.
        path: PathBuf,
        /// How far to go.
        reach: Reach,
    },
    /// To check the chunks that follow.
    InStream,
    /// To check the file whose descriptor follows.
    Descriptor,
    /// To answer more than one command on this connection, each under its number.
    Session,
    /// To end such a session.
    End,
}

/// How far a scan of a path goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// To the first file that matches (`SCAN`).
    First,
    /// To the last file, one after the other (`CONTSCAN`).
    All,
    /// To the last file, many at a time (`MULTISCAN`).
    Together,
}

/// The commands of clamd(8) that are answered, in the order in which `VERSIONCOMMANDS` tells them.
pub(crate) const COMMANDS: [&str; 12] = [
    "SCAN",
    "RELOAD",
    "PING",
    "CONTSCAN",
    "VERSIONCOMMANDS",
    "VERSION",
    "END",
    "MULTISCAN",
    "FILDES",
    "STATS",
    "IDSESSION",
    "INSTREAM",
];

impl Command {
    /// The command in a line without its prefix and its end. `is_bare` tells that the line came without a prefix, as clients
    /// wrote before there were any: they know fewer commands.
    pub(crate) fn parse(line: &[u8], is_bare: bool) -> Option<Self> {
        let scan = |path: &[u8], reach| {
            Some(Self::Scan { path: PathBuf::from(OsString::from_vec(path.to_vec())), reach })
        };
        for (word, reach) in
            [("SCAN ", Reach::First), ("CONTSCAN ", Reach::All), ("MULTISCAN ", Reach::Together)]
        {
            if let Some(path) = line.strip_prefix(word.as_bytes()) {
                return scan(path, reach);
            }
        }
        let command = match line {
            b"PING" => Self::Ping,
            b"VERSION" => Self::Version,
            b"RELOAD" => Self::Reload,
            b"FILDES" => Self::Descriptor,
            _ if is_bare => return None,
            b"VERSIONCOMMANDS" => Self::VersionCommands,
            b"STATS" => Self::Stats,
            b"INSTREAM" => Self::InStream,
            b"IDSESSION" => Self::Session,
            b"END" => Self::End,
            _ => return None,
        };
        Some(command)
    }
}
