//! Text as a format: lines of one name are one item, and what else lines can say.

use std::path::PathBuf;

use super::{MD5, MD5_B, SHA1, SHA256, read, read_with};
use crate::format::{Format, ReadOptions, Role, open};

#[test]
fn lines_of_one_name_are_one_item() {
    let file = format!(
        "{MD5}  a\n{SHA1}  a\n# between\n\nSHA256 (a) = {SHA256}\n{MD5_B}  a\n{MD5}  b\n{SHA256}\n{MD5}\n{SHA1}  a\n"
    );
    let told = read(file, None);
    assert_eq!(told.error, None);
    assert_eq!(
        told.lines,
        [
            format!("+ key=a md5={MD5} sha1={SHA1} sha256={SHA256}"),
            // Another digest of the same algorithm: the name stands for another item too.
            format!("+ key=a md5={MD5_B}"),
            format!("+ key=b md5={MD5}"),
            format!("+ sha256={SHA256}"),
            format!("+ md5={MD5}"),
            format!("+ key=a sha1={SHA1}"),
        ]
    );
}

#[test]
fn signals_that_are_not_matched_are_kept() {
    let file = format!("{MD5}  a\nPDQ (a) = {SHA256}\nSHA3-256 (b) = {SHA256}\nssdeep (c) = 3:a:b\n");
    let told = read(file, None);
    assert_eq!(
        told.lines,
        [
            format!("+ key=a md5={MD5} (pdq={SHA256})"),
            format!("+ key=b (sha3_256={SHA256})"),
            "+ key=c (ssdeep=3:a:b)".to_owned(),
        ]
    );
}

#[test]
fn bare_digits_are_pdq_where_that_is_said() {
    let file = format!("{SHA256}  a\nSHA256 (b) = {SHA256}\n{MD5}\n");
    let told = read_with(&file, None, ReadOptions { pdq: true });
    assert_eq!(
        told.lines,
        [format!("+ key=a (pdq={SHA256})"), format!("+ key=b sha256={SHA256}"), format!("+ md5={MD5}"),]
    );
    assert_eq!(read(&file, None).lines[0], format!("+ key=a sha256={SHA256}"));
}

#[test]
fn names_in_other_encodings() {
    let file = [MD5.as_bytes(), b"  \xe4\xff b\n"].concat();
    assert_eq!(read(file, None).lines, [format!("+ key=\\xe4\\xff b md5={MD5}")]);
}

/// Samples of other projects, which are not part of this one.
#[test]
fn samples_of_hashdeep() {
    let Some(folder) = std::env::var_os("HASHWARD_TEST_VECTORS").map(PathBuf::from) else {
        println!("not checked: HASHWARD_TEST_VECTORS, a folder with hash-lists/hashdeep.txt, is not set");
        return;
    };
    for (name, format, statements, problems) in [
        ("bsd-hashes.txt", Format::Text, 5, 0),
        ("md5deep.txt", Format::Text, 4, 0),
        ("hashdeep.txt", Format::Hashdeep, 3, 0),
        ("NSRL-2.0.txt", Format::NsrlText, 218, 0),
    ] {
        let source = open(&folder.join("hash-lists").join(name), None).unwrap();
        assert_eq!(source.format(), format, "{name}");
        assert_eq!(source.format().role() == Role::KnownGood, name.starts_with("NSRL"));
        let (mut good, mut bad) = (0, 0);
        let mut sink = |item: crate::format::Item| {
            *(if item.said.is_ok() { &mut good } else { &mut bad }) += 1;
            std::ops::ControlFlow::Continue(())
        };
        source.read(&ReadOptions::default(), &mut sink).unwrap();
        assert_eq!((good, bad), (statements, problems), "{name}");
    }
    let size_first = open(&folder.join("hash-lists/md5deep-size.txt"), None);
    assert!(size_first.is_err(), "sizes before digests are no known form");
}
