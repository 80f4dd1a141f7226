//! Lists as other people write them, read into [`Statement`](crate::Statement)s and written from them.
//!
//! [`open`] finds out what a file is; [`Source::read`] tells each item, in memory that does not grow with the file.
//! A bad item is told with its place and passed over, where the format allows it; what no reader can go on from
//! ends the reading with an error. [`write()`] writes a list.
//!
//! | Format | From | Item | Its key |
//! |---|---|---|---|
//! | [`Text`](Format::Text) | `sha256sum` and many others | lines of one name that follow each other | the name |
//! | [`Hashdeep`](Format::Hashdeep) | hashdeep, `%%%% HASHDEEP-1.0` | a line | the file name |
//! | [`SignalLines`](Format::SignalLines) | python-threatexchange's `local_file` | a line | none |
//! | [`ClamAv`](Format::ClamAv) | `.hdb` and `.hsb` signatures | a line | none; the signature's name is the reference |
//! | [`NsrlText`](Format::NsrlText) | NSRL RDS 1.5 and 2.0 | a line | none |
//! | [`NsrlSqlite`](Format::NsrlSqlite) | NSRL `RDSv3` | a row of `FILE` | none |
//! | [`Vics`](Format::Vics) | Project VIC / VICS 1.3 and 2.0 | a medium | `MediaID` |
//! | [`Icse`](Format::Icse) | INTERPOL's ICSE baseline CSV | a line | `Image ID` |
//! | [`Ncmec`](Format::Ncmec) | NCMEC hash sharing v2 | an image or a video | member id `/` id |
//! | [`StopNcii`](Format::StopNcii) | `StopNCII` v1 | a hash record | none |
//! | [`TechAgainstTerrorism`](Format::TechAgainstTerrorism) | its hash list v2 | a result | `id` |
//! | [`ThreatExchange`](Format::ThreatExchange) | Meta's `ThreatExchange` | an indicator | `id` |
//! | [`Stix`](Format::Stix) | OASIS STIX 2.1 | an alternative of an indicator's pattern | `id`, with `#2` and so on |
//! | [`Misp`](Format::Misp) | MISP events | a `file` object, or an attribute | `uuid` |
//!
//! Signals that Hashward does not match are kept in
//! [`unmatched_signals`](crate::Statement::unmatched_signals); a second one of a kind is kept as `kind#2`.

mod csv;
mod draft;
mod error;
mod foreign;
mod json;
mod kind;
mod out;
mod place;
mod read;
mod recognise;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::str::FromStr;

use hashward_core::UnknownWord;

pub use error::FormatError;
pub use foreign::Foreign;
pub use place::{At, Item, Place};
pub use source::{ReadOptions, Source, in_memory, open, read};
pub use write::{Written, write};

/// The longest item that is read, in bytes: 1 MiB. A longer one is a bad item.
pub const ITEM_BYTES_MAX: usize = 1024 * 1024;

/// The longest key, reference or note of an item, in bytes: 64 KiB, which every name on a line has room in.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// How deep things may stand inside each other in an item.
pub const DEPTH_MAX: usize = 64;

/// How many signals one item may have, of kinds that Hashward does not match.
pub const SIGNALS_MAX: usize = 64;

/// A format that is read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Format {
    /// Text: one digest per line, with or without a name.
    Text,
    /// hashdeep's output, and its list of known files.
    Hashdeep,
    /// `signal_type value`, one per line.
    SignalLines,
    /// `ClamAV`'s signatures of whole files.
    ClamAv,
    /// NSRL's Reference Data Set as text, 1.5 or 2.0.
    NsrlText,
    /// NSRL's Reference Data Set as `SQLite` database, 3.
    NsrlSqlite,
    /// Project VIC's JSON: media, or cases of media.
    Vics,
    /// INTERPOL's ICSE baseline as CSV.
    Icse,
    /// Pages of NCMEC's hash sharing, as XML.
    Ncmec,
    /// Pages of `StopNCII`, as JSON.
    StopNcii,
    /// Pages of Tech Against Terrorism's hash list, as JSON.
    TechAgainstTerrorism,
    /// Pages of `ThreatExchange`, as JSON.
    ThreatExchange,
    /// STIX 2.1 bundles, and TAXII envelopes of them.
    Stix,
    /// MISP events, as JSON.
    Misp,
}

/// What a format's lists are good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Lists of content to be found.
    Any,
    /// Lists of files that are known, nearly all of them harmless: guard rails for other lists, and never a list of
    /// what to block.
    KnownGood,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 14] = [
        Self::Text,
        Self::Hashdeep,
        Self::SignalLines,
        Self::ClamAv,
        Self::NsrlText,
        Self::NsrlSqlite,
        Self::Vics,
        Self::Icse,
        Self::Ncmec,
        Self::StopNcii,
        Self::TechAgainstTerrorism,
        Self::ThreatExchange,
        Self::Stix,
        Self::Misp,
    ];

    /// Every format's word, in the same order.
    pub const WORDS: [&str; 14] = [
        "text",
        "hashdeep",
        "signal-lines",
        "clamav",
        "nsrl-text",
        "nsrl-sqlite",
        "vics",
        "icse",
        "ncmec",
        "stopncii",
        "tech-against-terrorism",
        "threatexchange",
        "stix",
        "misp",
    ];

    /// The formats that are also written.
    pub const WRITABLE: [Self; 5] = [Self::Text, Self::Hashdeep, Self::SignalLines, Self::Vics, Self::Stix];

    /// The word that stands for this format.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// What lists of this format are good for.
    pub const fn role(self) -> Role {
        match self {
            Self::NsrlText | Self::NsrlSqlite => Role::KnownGood,
            _ => Role::Any,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|format| format.word() == word).ok_or_else(|| UnknownWord {
            what: "list format",
            word: word.to_owned(),
            known: &Self::WORDS,
        })
    }
}
