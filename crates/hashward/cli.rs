//! The command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use hashward_gate::Role;

use crate::config::{self, Flag, FlagValue, Sources};
use crate::exit::EXIT_CODES;
use crate::generations::{self, GenerationsCommand};
use crate::list::{self, ListCommand};
use crate::output::{Color, Style};

const EXAMPLES: &str = "\
Examples:
  hashward demo                                   a harmless list, some files, the real pipeline
  hashward run --list lists/national.txt          watch hashward-data/inbox, print alerts
  hashward run --config configs/kafka.toml        content from Kafka, alerts to Kafka
  hashward scan --list known.txt /srv/uploads     look through a directory tree once
  hashward explain --list known.txt photo.jpg     what matches, and why
  hashward validate --config hashward.toml        check before you start
  hashward list import national feed.json         work on a list
  hashward list build national --sealed all.index --key-file seal.key";

/// Matches content against lists of known illegal material, and tells what to do about it.
#[derive(Debug, Parser)]
#[command(
    name = "hashward",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command. One that does not concern a command is refused by it, never ignored.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The configuration file; else the one that `HASHWARD_CONFIG` names
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Sets one field, such as `--set line.open_threads=16`; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// A list to match against, in place of lists.files; may be repeated
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) list: Vec<PathBuf>,
    /// Loads lists without their bad lines, and reports them, instead of refusing the whole list
    #[arg(long, global = true)]
    pub(crate) skip_bad_lines: bool,
    /// Writes results as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What is logged: error, warn, info, debug, trace, or directives by module
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// How it is logged: auto, human or json
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// When to use colour; `NO_COLOR` is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows everything at work: a harmless sample list, a few thousand files, the real pipeline
    ///
    /// Makes the list and the files, runs `hashward run` over them in this process, shows the alerts and some
    /// metrics, and checks that exactly the listed files were found. Needs nothing, reads no configuration, and
    /// leaves nothing behind without --keep.
    Demo(Demo),
    /// Reads content from the configured source and delivers alerts, until it is stopped
    ///
    /// Without a configuration it watches the folder hashward-data/inbox, appends alerts to
    /// hashward-data/alerts.ndjson and prints them. SIGTERM or SIGINT stops it: what is in flight is finished
    /// first. A second signal ends it at once.
    #[command(after_help = RUN_HELP)]
    Run,
    /// Looks through files and directory trees once
    #[command(after_help = SCAN_HELP)]
    Scan(Scan),
    /// Measures what this machine can do, and tells what bounds it
    ///
    /// Digests on one core, on every path that the processor has, and on all cores; lookups in the lists that are
    /// named, or else in a sample list. That the digests are right is checked first.
    #[command(after_help = BENCH_HELP)]
    Bench(Bench),
    /// Tells what a file or a digest matches, and why that calls for what it calls for
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
    /// Works on a list folder: makes it, imports into it, changes, shows, compares, exports and checks it
    ///
    /// A list folder holds what is true of the whole list (list.toml), its entries, and a journal of every change.
    /// Every change is one atomic step, with who, when and why: a kill leaves the state before it or after it.
    #[command(subcommand, after_help = list::HELP)]
    List(Box<ListCommand>),
    /// Shows the kept generations of the lists, goes back to one, and follows the lists again
    #[command(subcommand, after_help = generations::HELP)]
    Generations(GenerationsCommand),
    /// Makes keys for those who ask at the gate
    #[command(subcommand)]
    Gate(GateCommand),
    /// Checks the configuration: its syntax, then whether its parts go together, then the world around it
    #[command(after_help = VALIDATE_HELP)]
    Validate(Validate),
    /// Prints the configuration's schema, its reference, or what is in effect
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints a completion script for a shell
    #[command(after_help = "Example:\n  hashward completions bash > /etc/bash_completion.d/hashward")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual, or writes a page for each command into a folder
    #[command(after_help = "Examples:\n  hashward man | man -l -\n  hashward man /usr/local/share/man/man1")]
    Man {
        /// The folder for the pages
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

const RUN_HELP: &str = "\
Examples:
  hashward run --list lists/national.txt
  HASHWARD__HTTP__LISTEN=127.0.0.1:0 hashward run --list lists/national.txt --json
  hashward run --config /etc/hashward/hashward.toml

Exit codes:
  0  stopped, and everything in flight is finished
  2  configuration or a list is wrong, or there is no list
  3  time ran out while finishing what was in flight (line.drain_timeout_ms), or a second signal came
  4  source or destination unavailable for too long (line.unavailable_max_ms)
  5  another instance with the same identity took over";

const SCAN_HELP: &str = "\
Symbolic links inside a tree are not followed; a PATH that is one, is. Matches are printed in the order of
the tree, so that two runs can be compared.

With --json: for each content that matched one line
  {\"path\", \"verdict\", \"matches\": [{\"list\", \"entry\", \"algorithm\"}]}
and at the end one line
  {\"summary\": {\"contents\", \"bytes\", \"matched\", \"unreadable\", \"seconds\", \"cpu_seconds\"}}

Examples:
  hashward scan --list known.txt /srv/uploads
  hashward scan --list a.txt --list b.txt --json /srv/uploads > matches.ndjson
  curl -s https://example.net/file | hashward scan --list known.txt -

Exit codes:
  0  everything was read, and nothing matched
  1  everything was read, and something matched
  2  something could not be read, or there is no list";

const BENCH_HELP: &str = "\
With --json one object
  {\"bench\": {\"path\", \"one_core\": {\"paths\", \"memory_bytes_per_second\", \"lookups\", \"uploads\"},
             \"all_cores\": {\"threads\", \"together\"}, \"bottleneck\"}}
Rates of one core are by its CPU time, those of all cores by the clock. HASHWARD_DIGEST_PATH chooses the path in use.

Examples:
  hashward bench
  hashward bench --list known.txt --seconds 60 --json

Exit codes: 0 measured, 2 a list cannot be loaded, or digests are wrong";

const EXPLAIN_HELP: &str = "\
Examples:
  hashward explain --list known.txt photo.jpg
  hashward explain --list known.txt 9e107d9d372bb6826bd81d3542a419d6
  hashward explain --list known.txt blake3:2f15…

A digest is HEX, its algorithm told by its length (MD5, SHA-1, SHA-256, SHA-512), or ALGORITHM:HEX. A file
of that name goes before.

Exit codes: 0 nothing matched, 1 something matched, 2 error";

const VALIDATE_HELP: &str = "\
Stages, each after the one before:
  syntax       the file is TOML, every key is known, every value is good by itself
  topology     the parts go together
  environment  lists load, folders can be written, addresses are free, brokers answer

Exit codes: 0 all is well, 2 something is wrong";

/// `demo`.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// How many files to make, 100 to 1000000
    #[arg(long, value_name = "N", default_value_t = 3000)]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) files: u32,
    /// Where to work; kept. Else a temporary folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Keeps the temporary folder
    #[arg(long)]
    pub(crate) keep: bool,
}

/// `scan`.
#[derive(Args, Debug)]
pub(crate) struct Scan {
    /// Files and directory trees; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// `bench`.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// How long to measure, in seconds; loading lists comes on top
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// How many entries the sample list has, if no list is named
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) sample_entries: u32,
}

/// `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A file, or a digest as HEX or ALGORITHM:HEX
    #[arg(value_name = "FILE|DIGEST")]
    pub(crate) subject: PathBuf,
}

/// `gate`.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// Makes an API key: shows it once, and appends what tells it to a file
    ///
    /// The file holds the key's hash alone, one JSON object a line. A worker reads it when it starts.
    #[command(
        after_help = "Example:\n  hashward gate key --tenant shop --role provider --file /etc/hashward/keys.jsonl"
    )]
    Key(GateKey),
}

/// `gate key`.
#[derive(Args, Debug)]
pub(crate) struct GateKey {
    /// In whose name the key's owner asks: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'
    #[arg(long)]
    pub(crate) tenant: String,
    /// What the owner may do: provider, operator, maintainer or auditor
    #[arg(long, value_parser = role)]
    pub(crate) role: Role,
    /// What people call the key
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// The file of keys (`gate.keys_file`), made readable by its owner only if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

fn role(word: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| role.word() == word);
    found.ok_or_else(|| format!("expected one of {}", Role::ALL.map(Role::word).join(", ")))
}

/// `validate`.
#[derive(Args, Debug)]
pub(crate) struct Validate {
    /// The last stage to check
    #[arg(long, value_name = "STAGE", default_value = "environment")]
    pub(crate) stage: ValidateStage,
}

/// How far `validate` goes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum ValidateStage {
    /// The file is TOML, every key is known, every value is good by itself
    Syntax,
    /// The parts go together
    Topology,
    /// Lists load, folders can be written, addresses are free, brokers answer
    Environment,
}

/// `config`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints the JSON Schema, for editors and other programs
    Schema,
    /// Prints every field with its meaning, an example and its default
    Reference,
    /// Prints the configuration in effect, all layers merged, without secrets
    Show,
}

impl Global {
    /// The layers of the configuration that these flags and the environment make.
    pub(crate) fn sources(&self) -> Result<Sources, config::Finding> {
        Ok(config::sources(self.config.clone(), self.flags()?))
    }

    /// The fields that these flags set.
    pub(crate) fn flags(&self) -> Result<Vec<Flag>, config::Finding> {
        let mut flags = Vec::new();
        for assignment in &self.set {
            let Some((key, value)) = assignment.split_once('=') else {
                // The text may hold a secret that was meant as a value: it is not repeated.
                let what = "expected KEY=VALUE, such as --set line.open_threads=16";
                return Err(config::Finding::at("--set", what));
            };
            let value = FlagValue::Text(value.trim().to_owned());
            flags.push(Flag { name: "--set".to_owned(), key: key.trim().to_owned(), value });
        }
        let mut dedicated = |name: &str, key: &str, value: toml::Value| {
            flags.push(Flag { name: name.to_owned(), key: key.to_owned(), value: FlagValue::Typed(value) });
        };
        if !self.list.is_empty() {
            let mut files = Vec::new();
            for path in &self.list {
                let Some(text) = path.to_str() else {
                    let what = format!("{}: a list's path must be UTF-8", path.display());
                    return Err(config::Finding::at("--list", what));
                };
                files.push(text.into());
            }
            dedicated("--list", "lists.files", toml::Value::Array(files));
        }
        if self.skip_bad_lines {
            dedicated("--skip-bad-lines", "lists.skip_bad_lines", true.into());
        }
        if let Some(level) = &self.log_level {
            dedicated("--log-level", "log.level", level.as_str().into());
        }
        if let Some(format) = &self.log_format {
            dedicated("--log-format", "log.format", format.as_str().into());
        }
        Ok(flags)
    }

    /// Refuses flags that would do nothing: those that set what `command`, which reads no configuration, never asks
    /// for. Only the flags of `kept` are let through.
    pub(crate) fn refuse_configuration(&self, command: &str, kept: &[&str]) -> Result<(), config::Finding> {
        let given = [
            ("--config", self.config.is_some()),
            ("--set", !self.set.is_empty()),
            ("--list", !self.list.is_empty()),
            ("--skip-bad-lines", self.skip_bad_lines),
            ("--log-level", self.log_level.is_some()),
            ("--log-format", self.log_format.is_some()),
        ];
        match given.into_iter().find(|(flag, is_given)| *is_given && !kept.contains(flag)) {
            Some((flag, _)) => {
                let what = format!("`hashward {command}` reads no configuration: leave {flag} out");
                Err(config::Finding::at(flag, what))
            }
            None => Ok(()),
        }
    }

    /// Refuses `--json` for `command`, which prints a text of one form.
    pub(crate) fn refuse_json(&self, command: &str) -> Result<(), config::Finding> {
        let what = format_args!("`hashward {command}` has one form only: leave --json out");
        if self.json { Err(config::Finding::at("--json", what)) } else { Ok(()) }
    }

    /// How results are written.
    pub(crate) fn style(&self) -> Style {
        Style { json: self.json, color: self.color }
    }
}

/// The command line as data, for completions and the manual.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn flags_become_layers() {
        let cli = Cli::try_parse_from([
            "hashward",
            "run",
            "--list",
            "a.txt",
            "--list",
            "b.txt",
            "--set",
            "line.open_threads=3",
            "--json",
        ]);
        let cli = cli.unwrap();
        assert!(cli.global.style().json);
        let flags = cli.global.flags().unwrap();
        let names: Vec<&str> = flags.iter().map(|flag| flag.name.as_str()).collect();
        assert_eq!(names, ["--set", "--list"]);
        let cli = Cli::try_parse_from(["hashward", "run", "--set", "hunter2"]).unwrap();
        assert!(!cli.global.flags().unwrap_err().to_string().contains("hunter2"));
    }
}
