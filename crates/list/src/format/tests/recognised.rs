//! What a file is, told by how it begins.

use super::{MD5, SHA1, SHA256, nsrl_database, read};
use crate::format::{Foreign, Format, FormatError, Role, in_memory};

#[test]
fn every_format_is_recognised() {
    let cases: [(Format, String); 21] = [
        (Format::Text, MD5.into()),
        (Format::Text, format!("# a list\n\nnot a digest\n{SHA256}  x\n")),
        (Format::Text, format!("MD5 (x) = {MD5}")),
        (Format::Text, format!("md5 digests of a release\n{MD5}")),
        (Format::Text, format!("PDQ (x) = {SHA256}")),
        (Format::Hashdeep, "%%%% HASHDEEP-1.0\n".into()),
        (Format::SignalLines, format!("# x\npdq {SHA256}")),
        (Format::SignalLines, format!("video_md5 {MD5}")),
        (Format::ClamAv, format!("{MD5}:68:Name")),
        (Format::ClamAv, format!("{SHA256}:*:Name:73")),
        (Format::NsrlText, "\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\"".into()),
        (Format::Vics, r#"{"odata.metadata": "…1.3.xml#Media", "value": ["#.into()),
        (Format::Vics, r#"{"@odata.context":"…#Cases","value":[{"CaseID":"#.into()),
        (Format::Icse, "MD5;SHA1;PhotoDNA;Image ID;Baseline\r\n".into()),
        (Format::Ncmec, "<?xml version=\"1.0\"?>\n<queryResult>".into()),
        (Format::StopNcii, r#"{"count": 0, "hashRecords": []}"#.into()),
        (Format::TechAgainstTerrorism, r#"{"results": [], "checkpoint": "1,2"}"#.into()),
        (Format::ThreatExchange, r#"{"data": [{"id": "1", "indicator": "x"}]}"#.into()),
        (Format::Stix, r#"{"type": "bundle", "objects": [{"spec_version": "2.1"}]}"#.into()),
        (Format::Misp, r#"{"response": [{"Event": {"info": "\" \\", "Attribute": []}}]}"#.into()),
        (Format::Misp, r#"{"Event": {}}"#.into()),
    ];
    for (format, file) in cases {
        for before in ["", "\u{feff}", "\n "] {
            let source = in_memory(format!("{before}{file}").as_bytes(), None).map(|source| source.format());
            assert_eq!(source.ok(), Some(format), "{file}");
        }
    }
    let database = nsrl_database(&[]);
    assert_eq!(in_memory(&database, None).ok().map(|source| source.format()), Some(Format::NsrlSqlite));
}

#[test]
fn words_name_formats() {
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
        let known_good = matches!(format, Format::NsrlText | Format::NsrlSqlite);
        assert_eq!(format.role() == Role::KnownGood, known_good);
    }
    assert!("csv".parse::<Format>().is_err());
}

#[test]
fn what_is_no_list_is_refused_with_the_reason() {
    let mut bloom = vec![1, 0, 0, 0, 0, 0, 0, 0];
    bloom.extend_from_slice(&1000_u64.to_le_bytes());
    bloom.extend_from_slice(&0.001_f64.to_le_bytes());
    bloom.extend_from_slice(&[0; 64]);
    let utf16: Vec<u8> = MD5.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut tar = vec![b'a'; 257];
    tar.extend_from_slice(b"ustar\0");
    let cases: [(&[u8], Foreign); 10] = [
        (b"00112233445566778899aabbccddeeff,5a1b2c3d-0000-4000-8000-0123456789ab\n", Foreign::MispHashes),
        (&bloom, Foreign::BloomFilter),
        (b"4096:00112233445566778899aabbccddeeff:Name\n", Foreign::ClamAvSections),
        (b"\xff\xfe0\x000\x00", Foreign::Utf16),
        (&utf16, Foreign::Utf16),
        (b"\x1f\x8b\x08", Foreign::Packed("gzip")),
        (&tar, Foreign::Packed("tar")),
        (b"\xff\xd8\xff\xe0", Foreign::Content("an image")),
        (b"\0\0\0\x18ftypmp42", Foreign::Content("an image or a video")),
        (b"%PDF-1.7", Foreign::Content("a PDF document")),
    ];
    for (file, expected) in cases {
        for format in [None, Some(Format::Text), Some(Format::Vics)] {
            match in_memory(file, format) {
                Err(FormatError::Foreign { foreign, .. }) => assert_eq!(foreign, expected),
                other => panic!("{expected}: {:?}", other.map(|source| source.format())),
            }
        }
    }
    assert_eq!(
        read(cases[0].0, None).error.unwrap(),
        "(memory): this is MISP's hashes.csv: it holds the MD5 of attributes' text, such as of an address, and not of \
         files: expected the events as JSON"
    );
}

#[test]
fn what_begins_like_nothing_known_is_told() {
    let cases =
        ["", "\n\n", "# only a comment", "hello", "{}", "[1, 2]", "<html>", "a,b,c\n1,2,3", "{\"value\": 1}"];
    for file in cases.into_iter().chain([&SHA1[1..]]) {
        let error = read(file, None).error.unwrap();
        assert!(
            error.starts_with("(memory): begins like no known list: expected one of text, hashdeep,"),
            "{file}"
        );
    }
}
