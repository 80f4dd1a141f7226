//! What the commands of `list` are told.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use hashward_core::{Action, Category, Digest, ListId, Priority, Territory, UnknownWord};
use hashward_list::DEADLINE_MINUTES_MAX;
use hashward_list::format::Format;
use jiff::Timestamp;

use super::by::{Who, moment};
use crate::digest_text::parse_digest;

/// The end of the group's help.
pub(crate) const HELP: &str = "\
SELECTOR names entries: e-… is an entry's id; HEX or ALGORITHM:HEX a digest; key:TEXT, or any other text, a
source's own name for the item.

Who makes a change: --who, else HASHWARD_WHO, else USER. With --json, results are one JSON object a line.
Digests are shown on standard output only: never in errors.

Examples:
  hashward list init national --id national --action block --category csam-baseline
  hashward list import national feed.json hashes.txt --dry-run
  hashward list add national --digest sha256:2f15… --reference 2026/17
  hashward list withdraw national e-00112233445566aa --reason 'court order 12/26'
  hashward list diff national 3 5
  hashward list export national --format stix --out national.json

Exit codes: 0 done, find: not in the list; 1 find: in the list; 2 error, check: something is wrong";

const IMPORT_HELP: &str = "\
All FILEs are one step. A file that breaks off or is not what it seems changes nothing at all. Items that
cannot be taken are told with their place; the others are taken, unless --strict is given.

Within one source, the same key means the same item in every import. So name a feed the same each time.

With --json, one object: {\"list\", \"written\", \"dry_run\", \"state\", \"changes\", \"files\": [{\"file\", \"format\",
\"source\"}], \"new\", \"changed\", \"revived\", \"withdrawn\", \"unchanged\", \"absent\", \"refused\",
\"first_refusals\": [{\"file\", \"place\", \"problem\"}], \"only_hints\", \"unmatched_signals\"}

Exit codes: 0 done, also if items were refused; 2 nothing is written: a file is wrong, or --strict and items
were refused";

const BUILD_HELP: &str = "\
The file comes to stand at OUT in one step, after it was checked against the lists it is built of:
every entry is found in it, and of a million digests that nobody listed none is. Until then, what
is there stays.

Name it wherever a list is named, with the same key: the lists themselves are not needed there.

Examples:
  hashward list key /etc/hashward/seal.key
  hashward list build national partners.txt --sealed all.index --key-file /etc/hashward/seal.key
  hashward scan --list all.index --set lists.key_file=/etc/hashward/seal.key /srv/uploads";

const CHECK_HELP: &str = "\
A sealed file is held against the hash that only its key's owner can make, and with --against also
against the lists it was built of: every entry is found, and of a million digests that nobody listed
none is.

Exit codes: 0 sound, 2 something is wrong";

/// What to do with a list folder.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Makes an empty list
    Init(Init),
    /// Imports files: digests as text, and the formats of other lists
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// Adds an entry, or says more of one
    Add(Add),
    /// Withdraws entries: they match nothing from now on, and stay in the list as withdrawn
    Withdraw(Mark),
    /// Says that entries are disputed: they never act harder than review
    Dispute(Mark),
    /// Says that entries are disputed no more
    Undispute(Mark),
    /// Shows entries
    Show(Show),
    /// Looks for a digest, or for those of a file, and shows the entries that have one
    Find(Find),
    /// Compares two states
    Diff(Diff),
    /// Counts entries by category and algorithm
    Stats(Folder),
    /// Shows the journal: every state with when, who, why and how much
    States(Folder),
    /// Writes the list for others
    Export(Export),
    /// Builds the sealed index of lists: a file that stands alone, and shows no digest to whoever has no key
    #[command(after_help = BUILD_HELP)]
    Build(Build),
    /// Makes a key under which lists are sealed
    Key(NewKey),
    /// Checks a list folder, or a sealed file, to the last byte
    #[command(after_help = CHECK_HELP)]
    Check(Check),
}

/// A list folder.
#[derive(Args, Debug)]
pub(crate) struct Folder {
    /// The list folder
    #[arg(value_name = "LISTDIR")]
    pub(super) folder: PathBuf,
}

/// `init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(super) at: Folder,
    /// The name by which the list is known: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'; it stays for ever
    #[arg(long, value_name = "ID")]
    pub(super) id: ListId,
    /// Whose list it is
    #[arg(long, value_name = "TEXT")]
    pub(super) owner: Option<String>,
    /// What its entries are about, such as csam-baseline, terrorist-content or own:NAME
    #[arg(long, value_name = "CATEGORY", default_value_t)]
    pub(super) category: Category,
    /// The law that makes the content illegal
    #[arg(long, value_name = "TEXT")]
    pub(super) legal_basis: Option<String>,
    /// The owner's reference number
    #[arg(long, value_name = "TEXT")]
    pub(super) reference: Option<String>,
    /// Where it applies: ISO 3166 codes or EU; may be repeated. Else everywhere
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(super) territory: Vec<Territory>,
    /// What is to be done about content that matches
    #[arg(long, value_name = "ACTION", default_value = "review", value_parser = word::<Action>(Action::WORDS))]
    pub(super) action: Action,
    /// How urgent that is
    #[arg(long, value_name = "PRIORITY", default_value = "normal", value_parser = word::<Priority>(Priority::WORDS))]
    pub(super) priority: Priority,
    /// Whom to ask about the list
    #[arg(long, value_name = "TEXT")]
    pub(super) contact: Option<String>,
    /// Within how many minutes it is to be done
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(DEADLINE_MINUTES_MAX)))]
    pub(super) deadline_minutes: Option<u32>,
    #[command(flatten)]
    pub(super) who: Who,
    /// Why the list is made
    #[arg(long, value_name = "TEXT", default_value = "the list begins")]
    pub(super) why: String,
}

/// `import`.
#[derive(Args, Debug)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(super) at: Folder,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The files' format; auto finds it out by how each file begins
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = readable())]
    pub(super) format: ReadAs,
    /// The name of the feed that the files come from. Else each file's name
    #[arg(long, value_name = "NAME")]
    pub(super) source: Option<String>,
    /// In text, 64 digits without an algorithm's name are PDQ fingerprints rather than SHA-256
    #[arg(long)]
    pub(super) pdq: bool,
    /// Does everything but write
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Writes nothing if a single item is refused
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) who: Who,
    /// Why. Else the names of the files
    #[arg(long, value_name = "TEXT")]
    pub(super) why: Option<String>,
}

/// `add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(super) at: Folder,
    /// A digest of the item, as HEX or ALGORITHM:HEX; several of one item may be given
    #[arg(long, required = true, value_name = "DIGEST")]
    pub(super) digest: Vec<String>,
    /// The item's length, in bytes
    #[arg(long, value_name = "BYTES")]
    pub(super) size: Option<u64>,
    /// What it is about, if that is not what the whole list is about
    #[arg(long, value_name = "CATEGORY")]
    pub(super) category: Option<Category>,
    /// A reference number
    #[arg(long, value_name = "TEXT")]
    pub(super) reference: Option<String>,
    /// From when it is valid: 2026-01-31, which begins at 00:00 UTC, or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) valid_from: Option<Timestamp>,
    /// Until when it is valid: it is no longer, at this very moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) valid_until: Option<Timestamp>,
    /// What people should know of it
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// The source's own name for the item
    #[arg(long, value_name = "TEXT")]
    pub(super) key: Option<String>,
    /// The feed or file that uses the key
    #[arg(long, value_name = "NAME", requires = "key")]
    pub(super) source: Option<String>,
    #[command(flatten)]
    pub(super) who: Who,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "added by hand")]
    pub(super) why: String,
}

/// `withdraw`, `dispute` and `undispute`.
#[derive(Args, Debug)]
pub(crate) struct Mark {
    #[command(flatten)]
    pub(super) at: Folder,
    /// Which entries: ids, digests or keys
    #[arg(required = true, value_name = "SELECTOR")]
    pub(super) selectors: Vec<String>,
    /// Why: it is kept in the journal, and with the entries
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) who: Who,
}

/// `show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(super) at: Folder,
    /// Which entries: an id, a digest or a key
    #[arg(value_name = "SELECTOR")]
    pub(super) selector: String,
}

/// `find`.
#[derive(Args, Debug)]
pub(crate) struct Find {
    #[command(flatten)]
    pub(super) at: Folder,
    /// A file, or a digest as HEX or ALGORITHM:HEX; a file of that name goes before
    #[arg(value_name = "FILE|DIGEST")]
    pub(super) subject: PathBuf,
}

/// `diff`.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(super) at: Folder,
    /// The state to begin with. Else the one before the newest
    #[arg(value_name = "FROM")]
    pub(super) from: Option<u64>,
    /// The state to end with. Else the newest
    #[arg(value_name = "TO")]
    pub(super) to: Option<u64>,
}

/// `export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(super) at: Folder,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = writable())]
    pub(super) format: Format,
    /// The file, which comes to be whole or not at all. Else standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Says also what is withdrawn; only stix can
    #[arg(long)]
    pub(super) withdrawn: bool,
}

/// Where the key is.
#[derive(Args, Debug)]
pub(crate) struct KeyFile {
    /// The file with the key. Else the key itself in `HASHWARD_SEAL_KEY`
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
}

/// What is known to be harmless.
#[derive(Args, Debug)]
pub(crate) struct Harmless {
    /// A file with digests of harmless content; entries that have one are held back. May be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) known_good: Vec<PathBuf>,
    /// A digest that no list may match, as ALGORITHM:HEX. May be repeated
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub(super) never_match: Vec<Digest>,
}

impl Harmless {
    /// Whether nothing is named.
    pub(super) fn is_empty(&self) -> bool {
        self.known_good.is_empty() && self.never_match.is_empty()
    }
}

/// `build`.
#[derive(Args, Debug)]
pub(crate) struct Build {
    /// List folders and text lists
    #[arg(required = true, value_name = "LISTDIR|FILE")]
    pub(super) lists: Vec<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "OUT")]
    pub(super) sealed: PathBuf,
    #[command(flatten)]
    pub(super) key: KeyFile,
    #[command(flatten)]
    pub(super) harmless: Harmless,
    /// How lookups are laid out: filter takes 2 bytes of memory a digest, lines takes 4 and answers faster
    #[arg(long, value_name = "LAYOUT", default_value = "auto")]
    pub(super) layout: LayoutChoice,
}

/// How lookups are laid out.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LayoutChoice {
    /// By the number of digests
    Auto,
    /// A Bloom filter before a sorted set
    Filter,
    /// A table of cache lines
    Lines,
}

/// `key`.
#[derive(Args, Debug)]
pub(crate) struct NewKey {
    /// The file to write; it must not be there yet
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// `check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The list folder, or the sealed file
    #[arg(value_name = "LISTDIR|SEALED")]
    pub(super) subject: PathBuf,
    /// A list that a sealed file was built of; may be repeated
    #[arg(long, value_name = "LIST")]
    pub(super) against: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) key: KeyFile,
    #[command(flatten)]
    pub(super) harmless: Harmless,
}

/// A format that is given, or is to be found out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadAs {
    /// By how the file begins.
    Auto,
    /// As told.
    Told(Format),
}

/// One of some words; clap shows them all, and the nearest to a wrong one.
fn word<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = UnknownWord> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

fn readable() -> impl TypedValueParser<Value = ReadAs> {
    let words = std::iter::once("auto").chain(Format::WORDS);
    PossibleValuesParser::new(words).try_map(|word| match word.as_str() {
        "auto" => Ok(ReadAs::Auto),
        told => told.parse().map(ReadAs::Told),
    })
}

fn writable() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::WRITABLE.map(Format::word)).try_map(|word| word.parse::<Format>())
}
