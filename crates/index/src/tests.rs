//! Tests of the whole index, and what they share.

mod cases;
mod crafted;
mod damage;
mod disk;
mod keys;
mod layers;
mod records;

use hashward_core::{Algorithm, Digest, EntryId};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

use crate::naive::NaiveIndex;
use crate::{EntryNumber, EntryRecord, Index, IndexWriter, Layout, SealKey, SignalIndex};

const LAYOUTS: [Layout; 2] = [Layout::FilterAndSet, Layout::LineTable];
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn key() -> SealKey {
    SealKey::from_text(KEY, "the test's key").unwrap()
}

/// An entry's digests; its record says its number and no more.
type Held = Vec<Digest>;

fn record(number: usize) -> EntryRecord<'static> {
    EntryRecord::new(7, EntryId(number as u64))
}

fn add_all(writer: &mut IndexWriter, entries: &[Held]) {
    for (number, digests) in entries.iter().enumerate() {
        let given = writer.add(&record(number), digests).unwrap();
        assert_eq!(given, EntryNumber(u32::try_from(number).unwrap()));
    }
}

fn bytes_of(entries: &[Held], layout: Layout) -> Vec<u8> {
    let mut writer = IndexWriter::in_memory(&key()).unwrap().with_layout(layout);
    add_all(&mut writer, entries);
    writer.finish_to_bytes(b"a catalogue").unwrap()
}

fn build(entries: &[Held], layout: Layout) -> Index {
    Index::from_bytes(bytes_of(entries, layout), &key()).unwrap()
}

fn naive(entries: &[Held]) -> NaiveIndex<'static> {
    let mut naive = NaiveIndex::new();
    for (number, digests) in entries.iter().enumerate() {
        naive.add(&record(number), digests);
    }
    naive
}

/// The entries of each of `digests`, asked for in one batch.
fn entries(index: &dyn SignalIndex, digests: &[Digest]) -> Vec<Vec<u32>> {
    let mut entries = vec![Vec::new(); digests.len()];
    index.lookup_batch(digests, &mut |place, entry| entries[place].push(entry.0)).unwrap();
    entries
}

/// A digest whose bytes are `bytes`, repeated or cut to its length.
fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let bytes: Vec<u8> = bytes.iter().copied().cycle().take(algorithm.digest_bytes()).collect();
    Digest::new(algorithm, &bytes).unwrap()
}

/// A number that looks random, the same for the same number: `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// A digest that looks random, the same for the same number.
fn scattered(number: u64) -> Digest {
    let algorithm = Algorithm::ALL[usize::try_from(number % Algorithm::ALL.len() as u64).unwrap()];
    let bytes: Vec<u8> = (0..8).flat_map(|word| mixed(mixed(number) ^ word).to_be_bytes()).collect();
    digest(algorithm, &bytes)
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    (0..Algorithm::ALL.len()).prop_map(|number| Algorithm::ALL[number])
}

/// Digests as honest lists hold them, and as nobody would by chance: a long common prefix, a common tail, the
/// lowest and the highest, and the same bytes under every algorithm.
fn any_digest() -> impl Strategy<Value = Digest> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 64),
        (0..4_u8, any::<u8>()).prop_map(|(place, last)| {
            let mut bytes = vec![0xab; 64];
            for length in [8, 16, 20, 32, 64] {
                bytes[length - 1 - usize::from(place)] = last;
            }
            bytes
        }),
        (0..4_u8).prop_map(|first| [[first].as_slice(), &[7; 63]].concat()),
        Just(vec![0; 64]),
        Just(vec![0xff; 64]),
    ];
    (algorithm(), bytes).prop_map(|(algorithm, bytes)| digest(algorithm, &bytes))
}

/// Entries with no digest, one, or several, of which some are in several entries.
fn any_entries() -> impl Strategy<Value = Vec<Held>> {
    vec(vec(any_digest(), 0..5), 0..60)
}
