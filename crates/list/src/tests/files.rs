//! Whole files: what is loaded, what is refused, and how it is said.

use std::error::Error as _;
use std::path::PathBuf;

use super::{Folder, MD5_A, MD5_B, SHA256_A};
use crate::{BadLines, ListError, LoadOptions, load};

const STRICT: LoadOptions = LoadOptions { skip_bad_lines: false };
const SKIP: LoadOptions = LoadOptions { skip_bad_lines: true };

#[test]
fn a_good_list_is_loaded() {
    let folder = Folder::new("good");
    let path = folder.write("good.txt", format!("# two\n{MD5_A}  a\n{SHA256_A}  a\n{MD5_B}"));
    for options in [STRICT, SKIP] {
        let list = load(&path, &options).unwrap();
        assert_eq!((list.entries.len(), &list.path, &list.skipped), (2, &path, &BadLines::default()));
        assert_eq!(list.info.id.as_str(), "good");
        assert!(!format!("{list:?}").contains(&MD5_A[..8]), "Debug shows a digest");
    }
}

#[test]
fn bad_lines_are_told_or_skipped() {
    let folder = Folder::new("bad");
    let text = format!("{MD5_A}\nnot\n{}", "0\n".repeat(11));
    let path = folder.write("bad.txt", text);
    let error = load(&path, &STRICT).unwrap_err();
    assert!(matches!(&error, ListError::BadLines { bad, .. } if bad.count == 12));
    let told = folder.error(&error);
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), 11);
    assert_eq!(
        told[0],
        "bad.txt:2: character 1 is no hexadecimal digit: expected 0-9, a-f or A-F in a digest, on a line \
         such as `HEX`, `HEX  name` or `SHA256 (name) = HEX`"
    );
    assert!(told[1].starts_with("bad.txt:3: 1 hexadecimal digits tell no algorithm: expected 32 (MD5)"));
    assert_eq!(told[10], "bad.txt: and 2 more");

    let list = load(&path, &SKIP).unwrap();
    assert_eq!((list.entries.len(), list.skipped.count), (1, 12));
    assert!(list.skipped.first.iter().map(|bad| bad.line).eq(2..12));
}

#[test]
fn the_digest_of_empty_content_is_never_loaded() {
    let folder = Folder::new("empty-content");
    let path = folder.write("list.txt", format!("d41d8cd98f00b204e9800998ecf8427e  a\n{MD5_A}\n"));
    let told = folder.error(&load(&path, &STRICT).unwrap_err());
    assert!(
        told.starts_with("list.txt:1: the md5 digest of empty content: expected the line removed"),
        "{told}"
    );
    let list = load(&path, &SKIP).unwrap();
    assert_eq!((list.entries.len(), list.skipped.count), (1, 1));
}

#[test]
fn an_empty_list_is_an_error() {
    let folder = Folder::new("empty");
    let nothing = "holds no digest: an empty list protects nobody";
    for text in ["", "\u{feff}", "# nothing\n\n"] {
        let path = folder.write("empty.txt", text);
        for options in [STRICT, SKIP] {
            assert_eq!(folder.error(&load(&path, &options).unwrap_err()), format!("empty.txt: {nothing}"));
        }
    }
    let path = folder.write("empty.txt", "x\n");
    let told = folder.error(&load(&path, &SKIP).unwrap_err());
    assert!(
        told.starts_with(&format!(
            "empty.txt: {nothing}; these lines were skipped:\nempty.txt:1: character 1 is no hex"
        )),
        "{told}"
    );
}

#[test]
fn what_is_no_file_is_no_list() {
    let folder = Folder::new("no-file");
    let missing = load(&folder.0.join("missing.txt"), &STRICT).unwrap_err();
    assert_eq!(folder.error(&missing), "missing.txt: cannot be read");
    assert!(missing.source().is_some());
    assert!(matches!(load(&folder.0, &STRICT), Err(ListError::NotAFile(path)) if path == folder.0));
    #[cfg(unix)]
    assert!(matches!(load("/dev/zero".as_ref(), &STRICT), Err(ListError::NotAFile(_))));
    let metadata = folder.write("list.toml", "id = 'a'");
    let told = folder.error(&load(&metadata, &STRICT).unwrap_err());
    assert_eq!(told, "list.toml: describes a list and is none: expected the text file beside it");
}

/// Samples of other projects, which are not part of this one.
#[test]
fn samples_of_hashdeep() {
    let Some(folder) = std::env::var_os("HASHWARD_TEST_VECTORS").map(PathBuf::from) else {
        println!("not checked: HASHWARD_TEST_VECTORS, a folder with hash-lists/bsd-hashes.txt, is not set");
        return;
    };
    for (name, entries) in [("bsd-hashes.txt", 5), ("md5deep.txt", 4)] {
        let list = load(&folder.join("hash-lists").join(name), &STRICT).unwrap();
        assert_eq!(list.entries.len(), entries, "{name}");
        assert!(list.skipped.is_empty());
    }
    // The same folder holds formats that are not text lists: each is refused with a word on what it is.
    for (name, told) in [
        ("hashdeep.txt", "this is a hashdeep file"),
        ("NSRL-2.0.txt", "this is CSV"),
        ("md5deep-size.txt", "hexadecimal digits tell no algorithm"),
    ] {
        let error = load(&folder.join("hash-lists").join(name), &STRICT).unwrap_err().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
}
