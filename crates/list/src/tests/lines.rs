//! Lines, good and bad.

use std::io::{self, BufReader, Read};
use std::path::Path;

use hashward_core::{Algorithm, Digest};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use super::{MD5_A, MD5_B, SHA1_A, SHA256_A, SHA256_B, XXH3_A, entries, list_id, parse};
use crate::{BadLines, LINE_BYTES_MAX, Problem, parse_text};

#[test]
fn good_lines() {
    let upper = MD5_A.to_uppercase();
    let sha512 = format!("{SHA256_A}{SHA256_B}");
    let md5 = format!("md5={MD5_A}");
    let sha256 = format!("sha256={SHA256_A}");
    let cases: [(String, String); 30] = [
        (MD5_A.into(), md5.clone()),
        (upper, md5.clone()),
        (SHA1_A.into(), format!("sha1={SHA1_A}")),
        (SHA256_A.into(), sha256.clone()),
        (sha512.clone(), format!("sha512={sha512}")),
        (format!("{MD5_A}  name"), md5.clone()),
        (format!("{MD5_A} *name"), md5.clone()),
        (format!("{MD5_A}  "), md5.clone()),
        (format!("{MD5_A} \t"), md5.clone()),
        (format!("  {MD5_A}  name"), md5.clone()),
        (format!("{MD5_A}  a name (of 2) = {MD5_B}"), md5.clone()),
        (format!("{MD5_A}  # no comment"), md5.clone()),
        (format!("{MD5_A}  {SHA256_B}"), md5.clone()),
        (format!("\\{MD5_A}  a\\nb\\\\c\\r"), md5.clone()),
        (format!("\\MD5 (a\\nb) = {MD5_A}"), md5.clone()),
        (format!("MD5 (name) = {MD5_A}"), md5.clone()),
        (format!("MD5 (name) = {MD5_A}  "), md5.clone()),
        (format!("MD5(name)= {MD5_A}"), md5.clone()),
        (format!("md5 () = {MD5_A}"), md5.clone()),
        (format!("MD5 (a) b) = x (c) = {MD5_A}"), md5.clone()),
        (format!("SHA256 (name) = {SHA256_A}"), sha256.clone()),
        (format!("SHA2-256(name)= {SHA256_A}"), sha256.clone()),
        (format!("SHA-256 (name) = {SHA256_A}"), sha256.clone()),
        (format!("SHA512(name)= {sha512}"), format!("sha512={sha512}")),
        (format!("SHA1(stdin)= {SHA1_A}"), format!("sha1={SHA1_A}")),
        (format!("BLAKE3 (name) = {SHA256_A}"), format!("blake3={SHA256_A}")),
        (format!("XXH3 (name) = {XXH3_A}"), format!("xxh3={XXH3_A}")),
        (format!("XXH3_{XXH3_A}  name"), format!("xxh3={XXH3_A}")),
        (format!("XXH3_{XXH3_A}"), format!("xxh3={XXH3_A}")),
        (format!("{MD5_A}  \u{fc}ber"), md5),
    ];
    for (line, expected) in cases {
        // Whatever ends the lines, with a mark before and a comment behind.
        for (mark, end) in [("", ""), ("", "\n"), ("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n# end")]
        {
            assert_eq!(entries(format!("{mark}{line}{end}")), [format!("1: {expected}")], "{line:?}");
        }
    }
    let bytes = [MD5_A.as_bytes(), b"  \xff\xfe name\n"].concat();
    assert_eq!(entries(bytes), [format!("1: md5={MD5_A}")]);
}

#[test]
fn lines_that_say_nothing() {
    for text in ["", "\n", "\r\n\r\n", "\u{feff}", "\u{feff}\n", "# a comment", " \t \n  # another\r\n\n"] {
        let parsed = parse(text);
        assert!(parsed.entries.is_empty() && parsed.bad.is_empty(), "{text:?}");
    }
}

/// What would be right, as the errors say it.
mod expected {
    pub(super) const LENGTHS: &str = "32 (MD5), 40 (SHA-1), 64 (SHA-256) or 128 (SHA-512) digits; any other \
        algorithm by name: `BLAKE3 (name) = HEX`";
    pub(super) const LENGTHS_OR_XXH3: &str = "32 (MD5), 40 (SHA-1), 64 (SHA-256) or 128 (SHA-512) digits; if \
        these are XXH3, lines such as `XXH3 (name) = HEX`";
    pub(super) const HEX: &str = "0-9, a-f or A-F in a digest, on a line such as `HEX`, `HEX  name` or \
        `SHA256 (name) = HEX`";
    pub(super) const SEPARATOR: &str = "two spaces, or a space and '*', between digest and name: `HEX  name`";
    pub(super) const NAMED_FORM: &str = "`SHA256 (name) = HEX`";
    pub(super) const ALGORITHM: &str = "one of md5, sha1, sha256, sha512, blake3, xxh3";
    pub(super) const DIGEST: &str = "a digest, one of md5, sha1, sha256, sha512, blake3, xxh3";
    pub(super) const ESCAPE: &str = r"\\, \n or \r in the name of a line that begins with a backslash";
    pub(super) const TEXT: &str = "ASCII or UTF-8 text (not UTF-16), and lines that end in LF (so no --zero)";
    pub(super) const LINE_ENDS: &str = "lines that end in LF or CRLF, not in CR alone";
    pub(super) const TEXT_LIST: &str =
        "a text list with lines such as `HEX`, `HEX  name` or `SHA256 (name) = HEX`";
    pub(super) const SHORTER: &str = "one digest per line: `HEX`, `HEX  name` or `SHA256 (name) = HEX`";
    pub(super) const SHORTER_BY_CR: &str = "one digest per line, and lines that end in LF or CRLF: these \
        seem to end in CR alone";
}

#[test]
fn bad_lines_say_what_is_wrong_and_what_would_be_right() {
    let cut = &MD5_A[1..];
    let cases: [(String, &str, &str); 27] = [
        (cut.into(), "31 hexadecimal digits tell no algorithm", expected::LENGTHS),
        (format!("669416  {MD5_A}  name"), "6 hexadecimal digits tell no algorithm", expected::LENGTHS),
        (XXH3_A.into(), "16 hexadecimal digits tell no algorithm", expected::LENGTHS_OR_XXH3),
        (format!("{cut}g  name"), "character 32 is no hexadecimal digit", expected::HEX),
        (format!("  \\{cut}\u{fc}"), "character 35 is no hexadecimal digit", expected::HEX),
        (format!("{MD5_A},{SHA1_A},name"), "character 33 is no hexadecimal digit", expected::HEX),
        (format!("MD5 (n\u{e4}me) = {cut}x"), "character 45 is no hexadecimal digit", expected::HEX),
        (format!("{MD5_A} name"), "character 34 does not part digest and name", expected::SEPARATOR),
        (format!("{MD5_A}\tname"), "character 33 does not part digest and name", expected::SEPARATOR),
        (format!("{MD5_A} (name)"), "character 34 does not part digest and name", expected::SEPARATOR),
        (format!("SHA256 (a) = {MD5_A}"), "32 hexadecimal digits are no digest of sha256", "64 digits"),
        (format!("XXH3_{MD5_A}  a"), "32 hexadecimal digits are no digest of xxh3", "16 digits"),
        ("MD5 (a) = ".into(), "the line names an algorithm and gives no digest", expected::NAMED_FORM),
        (format!("MD5 (a {MD5_A}"), "the line names an algorithm and gives no digest", expected::NAMED_FORM),
        (format!("MD5 (a) {MD5_A}"), "the line names an algorithm and gives no digest", expected::NAMED_FORM),
        (
            format!("(stdin)= {MD5_A}"),
            "the word before the bracket names no known algorithm",
            expected::ALGORITHM,
        ),
        (
            format!("HMAC-MD5(a)= {MD5_A}"),
            "the word before the bracket names no known algorithm",
            expected::ALGORITHM,
        ),
        (
            format!("sha3-256 (a) = {SHA256_A}"),
            "SHA3-256 is an algorithm that hashward does not compute",
            expected::ALGORITHM,
        ),
        (
            format!("PDQ (name) = {SHA256_A}"),
            "PDQ is a fingerprint and not a digest: hashward does not match these yet",
            expected::DIGEST,
        ),
        (format!("\\{MD5_A}  a\\tb"), "character 37 is a backslash that escapes nothing", expected::ESCAPE),
        (format!("\\{MD5_A}  a\\"), "character 37 is a backslash that escapes nothing", expected::ESCAPE),
        (format!("# comment\0{MD5_A}"), "character 10 is a NUL byte", expected::TEXT),
        (
            format!("# comment\r{MD5_A}\r{MD5_B}\r\n"),
            "character 10 is a carriage return inside the line",
            expected::LINE_ENDS,
        ),
        ("%%%% HASHDEEP-1.0".into(), "this is a hashdeep file", expected::TEXT_LIST),
        ("{\"value\": []}".into(), "this is JSON", expected::TEXT_LIST),
        ("x".repeat(LINE_BYTES_MAX + 1), "longer than 65536 bytes", expected::SHORTER),
        (format!("{MD5_A}\r").repeat(10_000), "longer than 65536 bytes", expected::SHORTER_BY_CR),
    ];
    for (line, wrong, right) in cases {
        let parsed = parse(format!("{MD5_B}\n{line}\n{SHA1_A}"));
        assert_eq!(parsed.entries.len(), 2, "the lines around it are read");
        assert_eq!(parsed.bad.count, 1);
        let told = parsed.bad.first[0].to_string();
        assert_eq!(told, format!("line 2: {wrong}: expected {right}"));
        assert!(!told.contains(&cut[..8]), "an error shows digits of the line");
    }
}

#[test]
fn no_list_holds_the_digest_of_empty_content() {
    for algorithm in Algorithm::ALL {
        let hex = Digest::of_empty_content(*algorithm).to_hex();
        let named = format!("{} (name) = {hex}", algorithm.word().to_uppercase());
        let parsed = parse(format!("{}\n{MD5_A}\n", named.to_uppercase()));
        assert_eq!(parsed.entries.len(), 1);
        assert_eq!(parsed.bad.first[0].problem, Problem::EmptyContent(*algorithm));
        assert_eq!(
            parsed.bad.first[0].to_string(),
            format!(
                "line 1: the {algorithm} digest of empty content: expected the line removed: it would match \
                 every empty file and every unfinished upload"
            )
        );
    }
}

#[test]
fn a_line_may_be_as_long_as_the_limit() {
    let name = "n".repeat(LINE_BYTES_MAX - MD5_A.len() - 2);
    assert_eq!(entries(format!("{MD5_A}  {name}")).len(), 1);
    assert_eq!(entries(format!("{MD5_A}  {}\n{SHA1_A}", &name[1..])).len(), 2);
    assert_eq!(parse(format!("{MD5_A}  {name}\n{SHA1_A}")).bad.count, 1);
}

#[test]
fn a_line_without_end_is_passed_over() {
    const BYTES: u64 = 10_000_000;
    let before = format!("{MD5_A}\n").into_bytes();
    let after = format!("\n{SHA1_A}\nbad").into_bytes();
    let text = before.chain(io::repeat(b'a').take(BYTES)).chain(&after[..]);
    let parsed = parse_text(BufReader::new(text), Path::new("long"), &list_id()).unwrap();
    assert_eq!(parsed.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(parsed.bad.first.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(parsed.lines, 4);
}

#[test]
fn utf_16_is_told() {
    let text: Vec<u8> = format!("\u{feff}{MD5_A}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let parsed = parse(text);
    assert!(parsed.entries.is_empty());
    assert!(parsed.bad.first[0].to_string().contains("not UTF-16"));
}

/// A line, and whether it gives a digest, is bad, or says nothing.
fn any_line() -> impl Strategy<Value = (Vec<u8>, Option<bool>)> {
    let hex = |digits| proptest::string::string_regex(&format!("[0-9a-fA-F]{{{digits}}}")).unwrap();
    prop_oneof![
        hex(32).prop_map(|hex| (hex.into_bytes(), Some(true))),
        (hex(64), 0..5_u8).prop_map(|(hex, n)| (format!("{hex} *{n}").into_bytes(), Some(true))),
        (hex(40), 0..5_u8).prop_map(|(hex, n)| (format!("SHA1 ({n}) = {hex}").into_bytes(), Some(true))),
        (hex(40), 0..5_u8).prop_map(|(hex, n)| (format!("SHA256 ({n}) = {hex}").into_bytes(), Some(false))),
        hex(31).prop_map(|hex| (hex.into_bytes(), Some(false))),
        Just((vec![b'0'; LINE_BYTES_MAX + 7], Some(false))),
        Just((b"#".to_vec(), None)),
        Just((Vec::new(), None)),
    ]
}

proptest! {
    #[test]
    fn line_numbers_are_right(lines in vec((any_line(), any::<bool>()), 0..40)) {
        let mut text = Vec::new();
        for ((line, _), crlf) in &lines {
            text.extend_from_slice(line);
            text.extend_from_slice(if *crlf { b"\r\n" } else { b"\n" });
        }
        let numbered = |wanted: Option<bool>| {
            let lines = (1_u64..).zip(&lines).filter(move |(_, ((_, kind), _))| *kind == wanted);
            lines.map(|(number, _)| number)
        };
        let parsed = parse(&text);
        prop_assert_eq!(parsed.lines, lines.len() as u64);
        prop_assert_eq!(parsed.bad.count, numbered(Some(false)).count() as u64);
        let told = parsed.bad.first.iter().map(|bad| bad.line);
        prop_assert!(told.eq(numbered(Some(false)).take(BadLines::FIRST_MAX)));
        // Names are few, so that entries begin on some good lines and not on all.
        let good: Vec<u64> = numbered(Some(true)).collect();
        prop_assert!(parsed.entries.iter().all(|entry| good.contains(&entry.line)));
        prop_assert!(parsed.entries.is_sorted_by_key(|entry| entry.line));
        let digests: usize = parsed.entries.iter().map(|entry| entry.digests().count()).sum();
        prop_assert_eq!(digests, good.len());
    }

    #[test]
    fn arbitrary_bytes_are_read_to_their_end(text in vec(any::<u8>(), 0..2_000)) {
        let parsed = parse(&text);
        prop_assert_eq!(parsed.lines, text.split_inclusive(|byte| *byte == b'\n').count() as u64);
        prop_assert!(parsed.bad.count + parsed.entries.len() as u64 <= parsed.lines);
    }

    #[test]
    fn bytes_that_lists_are_made_of_are_read_to_their_end(
        pieces in vec(prop_oneof![
            Just("MD5 ("), Just(") = "), Just("("), Just("\\"), Just("  "), Just(" *"), Just("\n"),
            Just("\r"), Just("#"), Just("\0"), Just("-"), Just("a"), Just(MD5_A), Just(SHA256_A), Just("XXH3_"),
            Just("\u{feff}"),
        ], 0..60),
    ) {
        let parsed = parse(pieces.concat());
        prop_assert!(parsed.bad.count + parsed.entries.len() as u64 <= parsed.lines);
        for bad in &parsed.bad.first {
            prop_assert!(!bad.to_string().contains(&MD5_A[..8]));
        }
    }
}
