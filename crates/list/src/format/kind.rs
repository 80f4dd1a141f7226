//! What kind of signal a name stands for.

use hashward_core::Algorithm;

/// The longest name of a kind, in bytes.
const NAME_BYTES_MAX: usize = 40;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A digest that Hashward matches.
    Digest(Algorithm),
    /// Anything else, by its word: lower case, `_` between parts.
    Unmatched(String),
}

/// Names by which several sources call one kind.
const SAME: [(&str, &str); 8] = [
    ("imagepdq", "pdq"),
    ("pdna", "photodna"),
    ("photodnahash", "photodna"),
    ("photo_dna", "photodna"),
    ("tmkpdqf", "tmk_pdqf"),
    ("imagemd5", "md5"),
    ("videomd5", "md5"),
    ("video_md5", "md5"),
];

/// Names that say nothing.
const EMPTY: [&str; 6] = ["hash", "digest", "value", "signal", "other", "unknown"];

/// Kinds by which a line can be known for a signal line, besides the digests.
pub(super) const WELL_KNOWN: [&str; 16] = [
    "photodna",
    "pdq",
    "pdq_ocr",
    "vpdq",
    "tmk",
    "tmk_pdqf",
    "tlsh",
    "text_tlsh",
    "pdf_tlsh",
    "html_tlsh",
    "ssdeep",
    "url",
    "url_md5",
    "raw_text",
    "trend_query",
    "clip",
];

/// The kind that a source's name stands for, or `None` if it is no word, or says nothing.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return None;
    }
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '#');
    if !name.chars().all(good) {
        return None;
    }
    // What comes out must name the same kind when it is read again.
    let word = name.to_ascii_lowercase().replace('-', "_");
    let mut word = word.as_str();
    while let Some(rest) = word.strip_prefix("hash_") {
        word = rest;
    }
    let word = SAME.iter().find(|(other, _)| *other == word).map_or(word, |(_, word)| word);
    if let Some(algorithm) = Algorithm::from_tool_name(word) {
        return Some(Kind::Digest(algorithm));
    }
    (!word.is_empty() && !EMPTY.contains(&word)).then(|| Kind::Unmatched(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kinds() {
        let unmatched = |word: &str| Some(Kind::Unmatched(word.to_owned()));
        for (name, expected) in [
            ("MD5", Some(Kind::Digest(Algorithm::Md5))),
            ("HASH_MD5", Some(Kind::Digest(Algorithm::Md5))),
            ("HASH_VIDEO_MD5", Some(Kind::Digest(Algorithm::Md5))),
            ("Video-MD5", Some(Kind::Digest(Algorithm::Md5))),
            ("SHA-256", Some(Kind::Digest(Algorithm::Sha256))),
            ("HASH_URL_MD5", unmatched("url_md5")),
            ("ImagePDQ", unmatched("pdq")),
            ("pdq#2", unmatched("pdq#2")),
            ("PDNA", unmatched("photodna")),
            ("SSVH_PDNA", unmatched("ssvh_pdna")),
            ("hash_hash_x", unmatched("x")),
            ("SHA512/256", unmatched("sha512/256")),
            ("hash", None),
            ("hash_", None),
            ("", None),
            ("two words", None),
            ("\u{e4}", None),
            (&"x".repeat(NAME_BYTES_MAX + 1), None),
        ] {
            assert_eq!(kind(name), expected, "{name}");
            if let Some(Kind::Unmatched(word)) = &expected {
                assert_eq!(kind(word), expected, "{name} stays what it is");
            }
        }
    }
}
