//! Every byte of a log and of proofs, changed.

use super::*;
use crate::tile::{Row, TILE_WIDTH, Tile};
use crate::{ConsistencyProof, InclusionProof, Proof, bundle, tile};

/// How large the log is whose every byte is changed, in all its files.
const LOG_BYTES: usize = 1 << 20;
/// Every so many bytes, and thrice in each file, the change is also made on the disk, and looked for by `verify` as a whole.
const ON_DISK_EVERY: usize = 1499;

/// How a byte is changed: each bit is somewhere the one.
fn flip(at: usize) -> u8 {
    1 << (at % 8)
}

/// A log of a little more than the size, with partial tiles of earlier checkpoints.
fn large() -> (Fixture, Vec<PathBuf>) {
    let fixture = Fixture::new();
    let mut log = fixture.log();
    let written = || files(&fixture.folder());
    let bytes = |files: &[PathBuf]| files.iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    while bytes(&written()) < LOG_BYTES as u64 {
        let size = log.size();
        log.append(&records(size..size + 90)).unwrap();
    }
    fixture.is_whole(log.size());
    let paths = files(&fixture.folder());
    (fixture, paths)
}

#[test]
fn every_byte_of_a_mebibyte_that_is_changed_is_detected() {
    let (fixture, paths) = large();
    let (folder, key) = (fixture.folder(), fixture.verifier());
    let size = fixture.log().size();
    let mut changed = 0;
    for path in paths {
        let sound = fs::read(&path).unwrap();
        if sound.is_empty() {
            continue;
        }
        let name = path.strip_prefix(&folder).unwrap();
        let mut bytes = sound.clone();
        let look = Look::at(&fixture, name, &sound, size);
        for at in 0..sound.len() {
            bytes[at] ^= flip(at);
            assert!(look.detects(&bytes, at), "{} at {at}", name.display());
            if changed % ON_DISK_EVERY == 0 || [0, sound.len() / 2, sound.len() - 1].contains(&at) {
                fs::write(&path, &bytes).unwrap();
                let told = verify(&fixture.reader(), &key, None);
                let detected =
                    told.map_or_else(|error| error.is_tampering(), |report| !report.problems.is_empty());
                assert!(detected, "{} at {at}, by verify", name.display());
                fs::write(&path, &sound).unwrap();
            }
            bytes[at] ^= flip(at);
            changed += 1;
        }
    }
    assert!(changed >= LOG_BYTES, "{changed}");
    fixture.is_whole(size);
}

/// How `verify` looks at one file: the comparisons that it makes there, and no other file's.
enum Look {
    /// The note must be signed.
    Checkpoint(VerifierKey),
    /// Each entry must give its leaf.
    Bundle { tile: Tile, leaves: Vec<Hash>, starts: Vec<usize> },
    /// The bytes must be those that what is below gives, or that it grew into.
    Equal(Vec<u8>),
}

impl Look {
    fn at(fixture: &Fixture, name: &Path, sound: &[u8], size: u64) -> Self {
        if name == Path::new("checkpoint") {
            return Self::Checkpoint(fixture.verifier());
        }
        let tile = Tile::parse(name).unwrap();
        let in_force = crate::folder::part(tile.row, tile.index, size) == tile;
        if tile.row != Row::Entries || !in_force {
            return Self::Equal(sound.to_vec());
        }
        let leaves = fixture.reader().hashes(Tile { row: Row::Hashes(0), ..tile }).unwrap();
        Self::Bundle { tile, leaves, starts: starts(sound) }
    }

    fn detects(&self, bytes: &[u8], at: usize) -> bool {
        match self {
            Self::Checkpoint(key) => crate::SignedCheckpoint::from_bytes(bytes)
                .map_or(true, |note| note.signed_by(key, "").is_err()),
            Self::Equal(sound) => sound != bytes,
            Self::Bundle { tile, leaves, starts } => {
                let Ok(entries) = bundle::entries(bytes, tile.width) else { return true };
                if self::starts(bytes) != *starts {
                    return bundle::leaves(bytes, tile.width).is_ok_and(|found| found != *leaves);
                }
                // All other entries are as they were, so that this one has to tell.
                let entry = starts.partition_point(|start| *start <= at) - 1;
                Hash::of_leaf(entries[entry]) != leaves[entry]
            }
        }
    }
}

/// Where each entry of a bundle begins, with its length.
fn starts(bundle: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < bundle.len() {
        starts.push(at);
        at += 2 + usize::from(u16::from_be_bytes([bundle[at], bundle[at + 1]]));
    }
    starts
}

#[test]
fn a_file_that_is_cut_or_gone_is_detected() {
    let fixture = Fixture::with(&[100, 300, 1000]);
    let paths = files(&fixture.folder());
    for path in paths.iter().filter(|path| !path.ends_with("lock")) {
        let sound = fs::read(path).unwrap();
        let is_earlier = path.to_str().unwrap().contains(".p/") && {
            let name = path.strip_prefix(fixture.folder()).unwrap();
            let tile = Tile::parse(name).unwrap();
            crate::folder::part(tile.row, tile.index, 1000) != tile
        };
        for length in [0, 1, sound.len() / 2, sound.len() - 1] {
            fs::write(path, &sound[..length]).unwrap();
            let told = verify(&fixture.reader(), &fixture.verifier(), None);
            assert!(
                told.is_err() || !told.unwrap().problems.is_empty(),
                "{} cut to {length}",
                path.display()
            );
        }
        fs::write(path, [&sound[..], b"\0"].concat()).unwrap();
        let told = verify(&fixture.reader(), &fixture.verifier(), None);
        assert!(told.is_err() || !told.unwrap().problems.is_empty(), "{} made longer", path.display());
        fs::remove_file(path).unwrap();
        let told = LogFolder::open(&fixture.folder()).and_then(|log| verify(&log, &fixture.verifier(), None));
        // Nobody needs an earlier part any more.
        assert!(is_earlier || told.is_err() || !told.unwrap().problems.is_empty(), "{} gone", path.display());
        fs::write(path, &sound).unwrap();
    }
    fixture.is_whole(1000);
}

#[test]
fn strangers_are_named_and_change_nothing() {
    let fixture = Fixture::with(&[10]);
    let tiles = fixture.folder().join("tile");
    fs::write(tiles.join("notes.txt"), "x").unwrap();
    fs::write(tiles.join("0/000.p/11"), "left by a crash").unwrap();
    let report = fixture.verify();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(report.strangers.len(), 2, "{:?}", report.strangers);
    // The next writer clears away what a crash left, and nothing else.
    drop(fixture.log());
    assert_eq!(fixture.verify().strangers, [tiles.join("notes.txt")]);
}

#[test]
fn every_byte_of_a_proof_counts() {
    let fixture = Fixture::with(&[100]);
    let remembered = fixture.reader().checkpoint().unwrap().claim().clone();
    fixture.log().append(&records(100..300)).unwrap();
    let key = fixture.verifier();
    let proofs = [
        InclusionProof::of(&fixture.reader(), 77).unwrap().to_text(),
        ConsistencyProof::of(&fixture.reader(), &remembered).unwrap().to_text(),
    ];
    let holds = |bytes: &[u8]| {
        Proof::parse(bytes).is_ok_and(|proof| match proof {
            Proof::Inclusion(proof) => proof.verify(&key, "p").is_ok(),
            Proof::Consistency(proof) => proof.verify(&key, &remembered, "p").is_ok(),
        })
    };
    for proof in proofs {
        assert!(holds(proof.as_bytes()));
        for at in 0..proof.len() {
            for bit in 0..8 {
                let mut changed = proof.clone().into_bytes();
                changed[at] ^= 1 << bit;
                assert!(!holds(&changed), "bit {bit} of byte {at}: {}", String::from_utf8_lossy(&changed));
            }
            assert!(!holds(&proof.as_bytes()[..at]), "cut to {at}");
        }
        assert!(!holds(format!("{proof}\n").as_bytes()));
    }
}

#[test]
fn of_a_damaged_log_there_is_no_proof() {
    let fixture = Fixture::with(&[700]);
    let path = fixture.folder().join("tile/entries/001");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    let told: Vec<String> = fixture.verify().problems.iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].contains("tile/entries/001: entry 256 "), "{told:?}");
    assert!(InclusionProof::of(&fixture.reader(), 256).unwrap_err().is_tampering());
    assert!(InclusionProof::of(&fixture.reader(), 257).is_ok(), "the others are as they were");
    // Appending looks at the right edge only: what is there is still proven.
    fixture.log().append(&records(700..701)).unwrap();
    assert_eq!(fixture.verify().problems.len(), 1);
    let width = usize::try_from(TILE_WIDTH).unwrap();
    let path = fixture.folder().join("tile/1/000.p/2");
    let mut hashes = tile::hashes(&fs::read(&path).unwrap(), 2).unwrap();
    hashes[0].0[0] ^= 1;
    fs::write(&path, tile::bytes(&hashes)).unwrap();
    assert!(AuditLog::open(&fixture.folder(), fixture.private()).unwrap_err().is_tampering());
    assert_eq!(tile::bytes(&vec![hashes[0]; width]).len(), crate::folder::tile_bytes_max());
}
