//! Files that are no hash list, or none that can be used.

use std::fmt;

/// What a file is that Hashward cannot import.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Foreign {
    /// MISP's `hashes.csv`.
    MispHashes,
    /// A Bloom filter as DCSO's bloom writes it.
    BloomFilter,
    /// `ClamAV` signatures of sections of programs.
    ClamAvSections,
    /// Text in UTF-16.
    Utf16,
    /// Packed or archived files: the packer's name.
    Packed(&'static str),
    /// Content itself, and no list of it: what kind.
    Content(&'static str),
}

impl Foreign {
    /// What can be done instead.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::MispHashes => {
                "it holds the MD5 of attributes' text, such as of an address, and not of files: expected the events \
                 as JSON"
            }
            Self::BloomFilter => {
                "it says `perhaps` without telling which entry, and cannot be withdrawn from: expected the list that \
                 it was made of"
            }
            Self::ClamAvSections => {
                "it holds digests of sections of programs: expected .hdb or .hsb, of whole files"
            }
            Self::Utf16 => "expected UTF-8: convert it, such as with `iconv -f UTF-16 -t UTF-8`",
            Self::Packed(_) => "expected the list itself: unpack it first",
            Self::Content(_) => "expected a list of digests",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MispHashes => f.write_str("MISP's hashes.csv"),
            Self::BloomFilter => f.write_str("a Bloom filter"),
            Self::ClamAvSections => f.write_str("a list of section signatures"),
            Self::Utf16 => f.write_str("text in UTF-16"),
            Self::Packed(packer) => write!(f, "packed with {packer}"),
            Self::Content(kind) => write!(f, "{kind}"),
        }
    }
}

/// First bytes that tell what a file is.
const MAGICS: [(&[u8], Foreign); 23] = [
    (b"\xff\xfe", Foreign::Utf16),
    (b"\xfe\xff", Foreign::Utf16),
    (b"\x1f\x8b", Foreign::Packed("gzip")),
    (b"PK\x03\x04", Foreign::Packed("zip")),
    (b"PK\x05\x06", Foreign::Packed("zip")),
    (b"7z\xbc\xaf\x27\x1c", Foreign::Packed("7-Zip")),
    (b"Rar!\x1a\x07", Foreign::Packed("RAR")),
    (b"\xfd7zXZ\0", Foreign::Packed("xz")),
    (b"BZh", Foreign::Packed("bzip2")),
    (b"\x28\xb5\x2f\xfd", Foreign::Packed("zstd")),
    (b"\x04\x22\x4d\x18", Foreign::Packed("lz4")),
    (b"\x89PNG\r\n\x1a\n", Foreign::Content("an image")),
    (b"\xff\xd8\xff", Foreign::Content("an image")),
    (b"GIF87a", Foreign::Content("an image")),
    (b"GIF89a", Foreign::Content("an image")),
    (b"RIFF", Foreign::Content("an image, a sound or a video")),
    (b"\x1a\x45\xdf\xa3", Foreign::Content("a video")),
    (b"OggS", Foreign::Content("a sound or a video")),
    (b"ID3", Foreign::Content("a sound")),
    (b"%PDF-", Foreign::Content("a PDF document")),
    (b"\x7fELF", Foreign::Content("a program")),
    (b"MZ\x90\0", Foreign::Content("a program")),
    (b"ClamAV-VDB:", Foreign::Packed("sigtool")),
];

/// What the file is, if it is known for something that no reader can use.
pub(super) fn foreign(beginning: &[u8]) -> Option<Foreign> {
    if let Some((_, foreign)) = MAGICS.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        return Some(*foreign);
    }
    if beginning.get(257..262) == Some(b"ustar") {
        return Some(Foreign::Packed("tar"));
    }
    if beginning.get(4..8) == Some(b"ftyp") {
        return Some(Foreign::Content("an image or a video"));
    }
    if is_bloom_filter(beginning) {
        return Some(Foreign::BloomFilter);
    }
    if matches!(beginning, [first, 0, second, 0, ..] if *first != 0 && *second != 0)
        || matches!(beginning, [0, first, 0, second, ..] if *first != 0 && *second != 0)
    {
        return Some(Foreign::Utf16);
    }
    let lines =
        || beginning.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines().next()?;
    if is_misp_hash(first) {
        return Some(Foreign::MispHashes);
    }
    is_section_signature(first).then_some(Foreign::ClamAvSections)
}

/// DCSO bloom v1: little-endian `u64` flags whose low byte is 1, `u64` capacity, `f64` rate of false positives.
fn is_bloom_filter(beginning: &[u8]) -> bool {
    let word = |at: usize| beginning.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    let (Some(flags), Some(capacity), Some(rate)) = (word(0), word(8), word(16)) else { return false };
    let (flags, capacity, rate) =
        (u64::from_le_bytes(flags), u64::from_le_bytes(capacity), f64::from_le_bytes(rate));
    flags & 0xff == 1 && flags >> 16 == 0 && capacity > 0 && rate > 0.0 && rate < 1.0
}

/// `MD5,UUID`, an attribute's text and its event.
fn is_misp_hash(line: &[u8]) -> bool {
    let Some((hex, uuid)) = line.split_at_checked(32) else { return false };
    let groups = [9, 14, 19, 24];
    hex.iter().all(u8::is_ascii_hexdigit)
        && uuid.len() == 37
        && uuid[0] == b','
        && uuid[1..].iter().enumerate().all(|(i, byte)| match *byte {
            b'-' => groups.contains(&(i + 1)),
            byte => byte.is_ascii_hexdigit(),
        })
}

/// `Size:Hash:Name`.
fn is_section_signature(line: &[u8]) -> bool {
    let mut fields = line.split(|byte| *byte == b':');
    let size = fields.next().unwrap_or_default();
    let hash = fields.next().unwrap_or_default();
    let digits = !size.is_empty() && size.len() < 16 && size.iter().all(u8::is_ascii_digit);
    (digits || size == b"*")
        && matches!(hash.len(), 32 | 40 | 64)
        && hash.iter().all(u8::is_ascii_hexdigit)
        && fields.next().is_some()
}
