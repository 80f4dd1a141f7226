use hashward_core::{Algorithm, AlgorithmSet, Category, EntryId};

/// The length of one record in the file.
pub(crate) const RECORD_BYTES: usize = 64;

/// What an index knows of one entry, beside its seals. Times are Unix seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntryRecord<'a> {
    /// Which list the entry is of: a number that the caller's catalogue explains.
    pub list: u32,
    /// The entry's name.
    pub id: EntryId,
    /// The algorithms of its digests.
    pub algorithms: AlgorithmSet,
    /// Whether somebody disputes that the entry belongs into its list.
    pub disputed: bool,
    /// What kind of content it is, if the entry says so itself.
    pub category: Option<&'a Category>,
    /// The content's size.
    pub size_bytes: Option<u64>,
    /// From when on the entry counts.
    pub valid_from: Option<i64>,
    /// Until when the entry counts.
    pub valid_until: Option<i64>,
    /// Since when the entry is in its list.
    pub listed_since: Option<i64>,
    /// Where it stands in a text file, from 1.
    pub line: Option<u64>,
    /// The list owner's own name for it.
    pub reference: Option<&'a str>,
}

impl EntryRecord<'_> {
    /// A record of which nothing is known but its list and name.
    pub fn new(list: u32, id: EntryId) -> Self {
        Self {
            list,
            id,
            algorithms: AlgorithmSet::EMPTY,
            disputed: false,
            category: None,
            size_bytes: None,
            valid_from: None,
            valid_until: None,
            listed_since: None,
            line: None,
            reference: None,
        }
    }
}

/// A record as the file holds it: texts by number and place. 64 bytes, all numbers little-endian:
///
/// | at | what | at | what |
/// |---|---|---|---|
/// | 0 | entry id, u64 | 32 | valid until, i64 |
/// | 8 | size in bytes, u64 | 40 | listed since, i64 |
/// | 16 | line, u64 | 48 | place of the reference in the texts, u64 |
/// | 24 | valid from, i64 | 56 | list, u32; category, u16; algorithms, u8; flags, u8 |
///
/// A flag tells whether each optional value is there: bit 0 size, 1 line, 2 valid from, 3 valid until, 4 listed
/// since, 5 reference, 6 category. Bit 7 is `disputed`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RawRecord {
    pub(crate) list: u32,
    pub(crate) id: u64,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) disputed: bool,
    pub(crate) category: Option<u16>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) valid_from: Option<i64>,
    pub(crate) valid_until: Option<i64>,
    pub(crate) listed_since: Option<i64>,
    pub(crate) line: Option<u64>,
    pub(crate) reference_at: Option<u64>,
}

impl RawRecord {
    pub(crate) fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut flags = u8::from(self.disputed) << 7 | u8::from(self.category.is_some()) << 6;
        let numbers = [
            self.size_bytes,
            self.line,
            self.valid_from.map(i64::cast_unsigned),
            self.valid_until.map(i64::cast_unsigned),
            self.listed_since.map(i64::cast_unsigned),
            self.reference_at,
        ];
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&self.id.to_le_bytes());
        for (place, number) in numbers.into_iter().enumerate() {
            flags |= u8::from(number.is_some()) << place;
            bytes[8 + 8 * place..][..8].copy_from_slice(&number.unwrap_or(0).to_le_bytes());
        }
        bytes[56..60].copy_from_slice(&self.list.to_le_bytes());
        bytes[60..62].copy_from_slice(&self.category.unwrap_or(0).to_le_bytes());
        bytes[62] = algorithm_bits(self.algorithms);
        bytes[63] = flags;
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let u64_at = |at: usize| {
            let bytes: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
            u64::from_le_bytes(bytes)
        };
        let flags = bytes[63];
        let number = |place: usize| (flags >> place & 1 == 1).then(|| u64_at(8 + 8 * place));
        Self {
            list: u32::from_le_bytes(bytes[56..60].try_into().expect("four bytes")),
            id: u64_at(0),
            algorithms: algorithms_of(bytes[62]),
            disputed: flags >> 7 == 1,
            category: (flags >> 6 & 1 == 1).then(|| u16::from_le_bytes([bytes[60], bytes[61]])),
            size_bytes: number(0),
            line: number(1),
            valid_from: number(2).map(u64::cast_signed),
            valid_until: number(3).map(u64::cast_signed),
            listed_since: number(4).map(u64::cast_signed),
            reference_at: number(5),
        }
    }
}

/// A bit for each algorithm, at its place in [`Algorithm::ALL`]. A new algorithm goes to the end.
pub(crate) fn algorithm_bits(algorithms: AlgorithmSet) -> u8 {
    algorithms.iter().fold(0, |bits, algorithm| bits | 1 << algorithm as u8)
}

/// The algorithms whose bits are set.
pub(crate) fn algorithms_of(bits: u8) -> AlgorithmSet {
    Algorithm::ALL.iter().copied().filter(|algorithm| bits >> *algorithm as u8 & 1 == 1).collect()
}
