//! What the commands of `evidence` are told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hashward_core::AlertId;
use hashward_evidence::{KeyName, VerifierKey};

/// The end of the group's help.
pub(crate) const HELP: &str = "\
A worker with evidence.directory and evidence.key_file records what it does. Whoever shall verify gets the
verifier key once, and keeps checkpoints that they have seen: a copy of LOG/checkpoint.

Examples:
  hashward evidence init /var/lib/hashward/evidence --name example.org/evidence --key-file evidence.key
  hashward evidence prove LOG --alert 9c6b… --out alert.tlog-proof
  hashward evidence verify alert.tlog-proof --key 'example.org/evidence+d00dfeed+AbC…' --event alert.json
  hashward evidence verify LOG --key verifier.txt --since checkpoint-of-january

Exit codes: 0 done, verify: everything holds; 1 verify: something was tampered with; 2 error";

const VERIFY_HELP: &str = "\
A log folder is read to the last byte. A proof needs nothing but itself and the verifier key.

With --since, a log or a proof of consistency is held against a checkpoint that was kept: so it is detected
when the log was cut, or when its own key's owner wrote another history. A log alone cannot tell that.

With --event, a proof is held against an alert as it was delivered: the JSON of the alert, or of the event
that carries it. - is standard input.

With --json, one object with \"sound\" and what was verified, and \"problems\" where there are any.

Exit codes: 0 everything holds, 1 something was tampered with, 2 error: nothing could be said";

const PROVE_HELP: &str = "\
The proof of an entry is a file as C2SP tlog-proof says, with the entry inside. The proof with --since that
the log grew from a kept checkpoint is as the body of an add-checkpoint request in C2SP tlog-witness.

Exit codes: 0 proven; 1 tampered with: there is no proof; 2 error, or not in the log";

/// What to do with an evidence log.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Makes an empty log, and the key that signs it if there is none, and prints the verifier key
    Init(Init),
    /// Prints the verifier key that belongs to a key
    Key(Key),
    /// Shows entries, as they stand there
    Show(Show),
    /// Proves that an entry is in the log, or that the log grew from a kept checkpoint
    #[command(after_help = PROVE_HELP)]
    Prove(Prove),
    /// Verifies a log, or a proof, with nothing but the verifier key
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
}

/// `init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The log's folder, empty or not there yet
    #[arg(value_name = "LOG")]
    pub(super) folder: PathBuf,
    #[command(flatten)]
    pub(super) key: Key,
}

/// `key`.
#[derive(Args, Debug)]
pub(crate) struct Key {
    /// The file with the key that signs the log, apart from the log
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: PathBuf,
    /// The log's name, for ever: a URL without its scheme, by custom, such as example.org/evidence
    #[arg(long, value_name = "NAME")]
    pub(super) name: KeyName,
}

/// `show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The log's folder
    #[arg(value_name = "LOG")]
    pub(super) folder: PathBuf,
    /// The number of the first entry; else the newest ones are shown
    #[arg(long, value_name = "N")]
    pub(super) from: Option<u64>,
    /// How many entries
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) count: u64,
}

/// `prove`.
#[derive(Args, Debug)]
pub(crate) struct Prove {
    /// The log's folder
    #[arg(value_name = "LOG")]
    pub(super) folder: PathBuf,
    #[command(flatten)]
    pub(super) what: What,
    /// Writes the proof to a new file; else to standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// What to prove.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct What {
    /// That the alert of this id is in the log
    #[arg(long, value_name = "ID", value_parser = alert_id)]
    pub(super) alert: Option<AlertId>,
    /// That just this alert is in the log: a file with its JSON, or that of its event; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) event: Option<PathBuf>,
    /// That the entry of this number is in the log, from 0
    #[arg(long, value_name = "N")]
    pub(super) index: Option<u64>,
    /// That the log grew from this kept checkpoint
    #[arg(long, value_name = "CHECKPOINT")]
    pub(super) since: Option<PathBuf>,
}

/// `verify`.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// A log's folder, or a file with a proof
    #[arg(value_name = "LOG|PROOF")]
    pub(super) subject: PathBuf,
    /// The verifier key, or a file that holds it: from whom you trust, and not from beside the log
    #[arg(long, value_name = "KEY|FILE", value_parser = verifier_key)]
    pub(super) key: VerifierKey,
    /// A kept checkpoint that the log must have grown from
    #[arg(long, value_name = "CHECKPOINT")]
    pub(super) since: Option<PathBuf>,
    /// The alert, as it was delivered, that the proof must be of
    #[arg(long, value_name = "FILE")]
    pub(super) event: Option<PathBuf>,
}

/// The longest file with a verifier key.
const KEY_FILE_BYTES_MAX: u64 = 4096;

fn verifier_key(text: &str) -> Result<VerifierKey, String> {
    if text.contains('+') && !std::path::Path::new(text).exists() {
        return text.parse().map_err(|problem: hashward_evidence::Malformed| problem.to_string());
    }
    let length = std::fs::metadata(text).map_err(|error| error.to_string())?.len();
    if length > KEY_FILE_BYTES_MAX {
        return Err(format!("{length} bytes: expected a file with a verifier key"));
    }
    let read = std::fs::read_to_string(text).map_err(|error| error.to_string())?;
    read.parse().map_err(|problem: hashward_evidence::Malformed| problem.to_string())
}

fn alert_id(text: &str) -> Result<AlertId, &'static str> {
    AlertId::parse(text).ok_or("expected an alert's id: 32 lower-case hexadecimal digits")
}
