//! The doors that speak as virus scanners do, as they are written and as the rest of the program uses them.

use std::path::PathBuf;

use hashward_gate::Review;
use hashward_gate::clamd::ClamdLimits;
use hashward_gate::icap::IcapLimits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checked::{Check, MS_MAX};
use super::gate::{CommonDoor, RawFail, RawTls, Written};

/// What a door that knows only yes and no answers about content that people are to review.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawReview {
    /// The same as about content to block.
    #[default]
    Block,
    /// It passes, and the alert alone asks for the review.
    Pass,
}

/// The door that speaks the protocol of clamd, `ClamAV`'s daemon.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawClamdDoor {
    /// Where it listens: addresses as `IP:port`, or paths of Unix sockets, which begin with '/'. Port 0 takes a free one;
    /// the log tells which. Empty: the door is closed. Whoever reaches it may ask; descriptors come over Unix sockets only.
    #[schemars(example = ["127.0.0.1:3310", "/run/hashward/clamd.sock"])]
    pub(crate) listen: Vec<String>,
    /// What it does with content about which there is no verdict, because it cannot be read or because Hashward is not
    /// well: `open` answers OK, `closed` answers ERROR. It must be chosen for an open door.
    #[schemars(example = &"closed")]
    pub(crate) fail: RawFail,
    /// Allows an address that other machines can reach without TLS.
    #[schemars(example = true)]
    pub(crate) insecure: bool,
    /// Its TLS.
    pub(crate) tls: RawTls,
    /// The permissions of Unix sockets, in octal digits.
    #[schemars(example = &"666")]
    pub(crate) socket_mode: String,
    /// What it answers about content that people are to review: `block` answers FOUND, `pass` answers OK.
    #[schemars(example = &"pass")]
    pub(crate) review: RawReview,
    /// Folders below which clients may name files (SCAN, CONTSCAN, MULTISCAN). Links that lead out of them are refused.
    /// Empty: no file may be named.
    #[schemars(example = ["/srv/uploads"])]
    pub(crate) roots: Vec<String>,
    /// Connections that are served at a time, at each address, 1 to 1048576; more wait.
    #[schemars(example = 4096)]
    pub(crate) connections_max: u64,
    /// The longest stream, in bytes, as clamd's `StreamMaxLength`, 1024 to 1099511627776.
    #[schemars(example = 26_214_400)]
    pub(crate) stream_bytes_max: u64,
    /// Files that are read at a time, 1 to 256.
    #[schemars(example = 32)]
    pub(crate) files_max: u64,
    /// How long a client may take for a command, and how long it may be silent within a stream, in milliseconds.
    #[schemars(example = 120_000)]
    pub(crate) command_timeout_ms: u64,
    /// How long a stream may take in all, in milliseconds.
    #[schemars(example = 3_600_000)]
    pub(crate) stream_timeout_ms: u64,
    /// How long the check of a path may take in all, in milliseconds.
    #[schemars(example = 3_600_000)]
    pub(crate) scan_timeout_ms: u64,
}

impl Default for RawClamdDoor {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            fail: RawFail::Unset,
            insecure: false,
            tls: RawTls::default(),
            socket_mode: "660".to_owned(),
            review: RawReview::Block,
            roots: Vec::new(),
            connections_max: 16_384,
            stream_bytes_max: 100 << 20,
            files_max: 16,
            command_timeout_ms: 30_000,
            stream_timeout_ms: 300_000,
            scan_timeout_ms: 600_000,
        }
    }
}

/// The door that speaks ICAP (RFC 3507), with the services `reqmod`, `respmod` and `avscan` for both.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawIcapDoor {
    /// Where it listens: addresses as `IP:port`, or paths of Unix sockets, which begin with '/'. Port 0 takes a free one;
    /// the log tells which. Empty: the door is closed. Whoever reaches it may ask.
    #[schemars(example = ["127.0.0.1:1344"])]
    pub(crate) listen: Vec<String>,
    /// What it does with content about which there is no verdict, because it cannot be read or because Hashward is not
    /// well: `open` lets it pass, `closed` does not. It must be chosen for an open door.
    #[schemars(example = &"closed")]
    pub(crate) fail: RawFail,
    /// Allows an address that other machines can reach without TLS.
    #[schemars(example = true)]
    pub(crate) insecure: bool,
    /// Its TLS.
    pub(crate) tls: RawTls,
    /// The permissions of Unix sockets, in octal digits.
    #[schemars(example = &"666")]
    pub(crate) socket_mode: String,
    /// What becomes of content that people are to review: `block` shows the page, `pass` lets it through.
    #[schemars(example = &"pass")]
    pub(crate) review: RawReview,
    /// The folder for bodies that have to be sent back and do not fit into memory. Files in it never have a name. Empty: the
    /// system's folder for temporary files.
    #[schemars(example = "/var/lib/hashward/spool")]
    pub(crate) spool_folder: String,
    /// How much of a body that has to be sent back stays in memory, in bytes, 1024 to 1073741824.
    #[schemars(example = 1_048_576)]
    pub(crate) spool_memory_bytes_max: u64,
    /// How much of all such bodies together goes to disk, in bytes, at most 1125899906842624.
    #[schemars(example = 17_179_869_184_u64)]
    pub(crate) spool_disk_bytes_max: u64,
    /// How much of a body a client is asked to send before it waits, in bytes, at most 1048576.
    #[schemars(example = 0)]
    pub(crate) preview_bytes: u64,
    /// Connections that are served at a time, at each address, 1 to 1048576; more wait. Clients are told.
    #[schemars(example = 4096)]
    pub(crate) connections_max: u64,
    /// How long a connection may be idle between two requests, in milliseconds.
    #[schemars(example = 300_000)]
    pub(crate) idle_timeout_ms: u64,
    /// How long a head may take, and how long a client may be silent within a body, in milliseconds.
    #[schemars(example = 120_000)]
    pub(crate) silence_timeout_ms: u64,
    /// How long a body may take in all, in milliseconds.
    #[schemars(example = 3_600_000)]
    pub(crate) body_timeout_ms: u64,
}

impl Default for RawIcapDoor {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            fail: RawFail::Unset,
            insecure: false,
            tls: RawTls::default(),
            socket_mode: "660".to_owned(),
            review: RawReview::Block,
            spool_folder: String::new(),
            spool_memory_bytes_max: 256 << 10,
            spool_disk_bytes_max: 4 << 30,
            preview_bytes: 4096,
            connections_max: 16_384,
            idle_timeout_ms: 60_000,
            silence_timeout_ms: 30_000,
            body_timeout_ms: 300_000,
        }
    }
}

/// An open clamd door.
#[derive(Clone, Debug)]
pub(crate) struct ClamdDoor {
    /// What it shares with other doors.
    pub(crate) common: CommonDoor,
    /// What it answers about content to review.
    pub(crate) review: Review,
    /// Folders below which files may be named.
    pub(crate) roots: Vec<PathBuf>,
    /// What clients may use up.
    pub(crate) limits: ClamdLimits,
}

/// An open ICAP door.
#[derive(Clone, Debug)]
pub(crate) struct IcapDoor {
    /// What it shares with other doors.
    pub(crate) common: CommonDoor,
    /// What becomes of content to review.
    pub(crate) review: Review,
    /// Where bodies go that do not fit into memory.
    pub(crate) spool_folder: PathBuf,
    /// What clients may use up.
    pub(crate) limits: IcapLimits,
}

const CONNECTIONS_MAX: u64 = 1 << 20;

/// Checks the clamd door. `None`: it is closed.
pub(super) fn clamd(raw: &RawClamdDoor, check: &mut Check) -> Option<ClamdDoor> {
    let written = Written {
        name: "clamd",
        listen: &raw.listen,
        fail: raw.fail,
        insecure: raw.insecure,
        tls: &raw.tls,
        socket_mode: &raw.socket_mode,
    };
    let common = written.door(check);
    let roots: Vec<PathBuf> = raw.roots.iter().map(PathBuf::from).collect();
    for root in roots.iter().filter(|root| !root.is_absolute()) {
        check.wrong("gate.clamd.roots", format_args!("{}: expected an absolute path", root.display()));
    }
    let key = |name: &str| format!("gate.clamd.{name}");
    let limits = ClamdLimits {
        connections_max: check.count(&key("connections_max"), raw.connections_max, 1, CONNECTIONS_MAX),
        stream_bytes_max: check.within(&key("stream_bytes_max"), raw.stream_bytes_max, 1024, 1 << 40),
        files_max: check.count(&key("files_max"), raw.files_max, 1, 256),
        command_timeout: check.ms(&key("command_timeout_ms"), raw.command_timeout_ms, 1, MS_MAX),
        stream_timeout: check.ms(&key("stream_timeout_ms"), raw.stream_timeout_ms, 1, MS_MAX),
        scan_timeout: check.ms(&key("scan_timeout_ms"), raw.scan_timeout_ms, 1, MS_MAX),
        ..ClamdLimits::default()
    };
    common.map(|common| ClamdDoor { common, review: review(raw.review), roots, limits })
}

/// Checks the ICAP door. `None`: it is closed.
pub(super) fn icap(raw: &RawIcapDoor, check: &mut Check) -> Option<IcapDoor> {
    let written = Written {
        name: "icap",
        listen: &raw.listen,
        fail: raw.fail,
        insecure: raw.insecure,
        tls: &raw.tls,
        socket_mode: &raw.socket_mode,
    };
    let common = written.door(check);
    let spool_folder =
        if raw.spool_folder.is_empty() { std::env::temp_dir() } else { PathBuf::from(&raw.spool_folder) };
    let key = |name: &str| format!("gate.icap.{name}");
    let limits = IcapLimits {
        connections_max: check.count(&key("connections_max"), raw.connections_max, 1, CONNECTIONS_MAX),
        preview_bytes: check.within(&key("preview_bytes"), raw.preview_bytes, 0, 1 << 20),
        spool_memory_bytes_max: check.count(
            &key("spool_memory_bytes_max"),
            raw.spool_memory_bytes_max,
            1024,
            1 << 30,
        ),
        spool_disk_bytes_max: check.within(
            &key("spool_disk_bytes_max"),
            raw.spool_disk_bytes_max,
            0,
            1 << 50,
        ),
        idle_timeout: check.ms(&key("idle_timeout_ms"), raw.idle_timeout_ms, 1, MS_MAX),
        silence_timeout: check.ms(&key("silence_timeout_ms"), raw.silence_timeout_ms, 1, MS_MAX),
        body_timeout: check.ms(&key("body_timeout_ms"), raw.body_timeout_ms, 1, MS_MAX),
        ..IcapLimits::default()
    };
    common.map(|common| IcapDoor { common, review: review(raw.review), spool_folder, limits })
}

fn review(raw: RawReview) -> Review {
    match raw {
        RawReview::Block => Review::Block,
        RawReview::Pass => Review::Pass,
    }
}
