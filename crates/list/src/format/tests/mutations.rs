//! The corpus of `fuzz/`, each file of it also changed at random, read as every format. The changes are the same in
//! each run.

use std::fs;
use std::path::Path;

use super::{Told, read};
use crate::format::Format;

/// How often each file is changed.
const CHANGES_PER_FILE: u64 = 60;

/// Pieces that parsers look for.
const PIECES: [&[u8]; 18] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b"/>",
    b"&",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"  ",
    b";",
    b",",
    b"'",
    b"9999999999",
];

/// The corpus: the format that a file was written as, and its bytes.
fn corpus() -> Vec<(Format, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut files = Vec::new();
    for format in Format::ALL {
        let mut paths: Vec<_> =
            fs::read_dir(folder.join(format.word())).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "there is a file of {format}");
        files.extend(paths.iter().map(|path| (format, fs::read(path).unwrap())));
    }
    files
}

/// Whatever a file says, nothing that is told of it shows a digest.
fn check(told: &Told) {
    let problems = told.lines.iter().filter(|line| line.starts_with('!')).chain(&told.error);
    for problem in problems {
        let digits = problem.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
        assert!(digits.unwrap_or_default() < 16, "this shows a digest: {problem}");
    }
}

#[test]
fn good_files_are_read_and_recognised() {
    for (format, file) in corpus() {
        let told = read(&file, format);
        check(&told);
        assert!(!told.statements.is_empty() || !told.lines.is_empty() || told.error.is_some(), "{format}");
        if !told.statements.is_empty() {
            assert_eq!(read(&file, None).lines, told.lines, "{format} is recognised");
        }
    }
}

#[test]
fn changed_files_are_read_by_every_reader() {
    let corpus = corpus();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (_, file) in &corpus {
        for _ in 0..CHANGES_PER_FILE {
            let other = &corpus[random.below(corpus.len())].1;
            let changed = change(file, other, &mut random);
            check(&read(&changed, None));
            for format in Format::ALL {
                check(&read(&changed, format));
            }
        }
    }
}

/// A file with up to four changes.
fn change(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(file.len() + 1);
        let end = at + random.below(file.len() - at + 1).min(64);
        match random.below(6) {
            0 => file.truncate(at),
            1 => drop(file.drain(at..end)),
            2 => {
                let copy = file[at..end].to_vec();
                file.splice(at..at, copy);
            }
            3 => {
                let piece = PIECES[random.below(PIECES.len())];
                file.splice(at..at, piece.iter().copied());
            }
            4 => {
                let from = random.below(other.len() + 1);
                file.splice(at..end, other[from..].iter().copied().take(64));
            }
            _ => {
                let bit = 1 << random.below(8);
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }
    file
}

/// Xorshift (Marsaglia, 2003): the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}
