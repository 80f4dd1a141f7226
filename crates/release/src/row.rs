//! An entry as bytes: one form for each entry, so that equal sets have equal checksums.

use hashward_core::{Algorithm, AlgorithmSet, Category, Digests, EntryId};
use hashward_list::MatchableEntry;
use hashward_list::store::REFERENCE_BYTES_MAX;

/// The longest row, in bytes.
pub const ROW_BYTES_MAX: usize =
    KEY_BYTES + 2 + DIGEST_BYTES_MAX + 10 + 1 + CATEGORY_BYTES_MAX + 2 + REFERENCE_BYTES_MAX + 3 * 10;

/// How many bytes of a row name its entry. It begins with them, big-endian, so that rows sort like their bytes.
pub(crate) const KEY_BYTES: usize = 8;
const DIGEST_BYTES_MAX: usize = 16 + 20 + 32 + 64 + 32 + 8;
const CATEGORY_BYTES_MAX: usize = 64;

const DISPUTED: u8 = 1;
const SIZE: u8 = 1 << 1;
const CATEGORY: u8 = 1 << 2;
const REFERENCE: u8 = 1 << 3;
const VALID_FROM: u8 = 1 << 4;
const VALID_UNTIL: u8 = 1 << 5;
const LISTED_SINCE: u8 = 1 << 6;
const KNOWN: u8 = (1 << 7) - 1;

/// What is wrong with bytes that should be a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a row {0}")]
pub struct BadRow(pub(crate) &'static str);

/// Appends the row of an entry, which must have a digest. What only people read is not in it: no note, no name, no source,
/// no line.
pub fn encode(entry: &MatchableEntry, row: &mut Vec<u8>) {
    row.extend_from_slice(&entry.id.0.to_be_bytes());
    let mut flags = if entry.disputed { DISPUTED } else { 0 };
    for (flag, present) in [
        (SIZE, entry.size_bytes.is_some()),
        (CATEGORY, entry.category.is_some()),
        (REFERENCE, entry.reference.is_some()),
        (VALID_FROM, entry.valid_from.is_some()),
        (VALID_UNTIL, entry.valid_until.is_some()),
        (LISTED_SINCE, entry.listed_since.is_some()),
    ] {
        flags |= if present { flag } else { 0 };
    }
    row.push(flags);
    row.push(entry.digests.algorithms().iter().fold(0, |bits, algorithm| bits | 1 << algorithm as u8));
    for digest in entry.digests.iter() {
        row.extend_from_slice(digest.as_bytes());
    }
    if let Some(size) = entry.size_bytes {
        put_number(row, size);
    }
    if let Some(category) = &entry.category {
        let word = category.word().as_bytes();
        row.push(u8::try_from(word.len()).expect("a category's word is short"));
        row.extend_from_slice(word);
    }
    if let Some(reference) = &entry.reference {
        let bytes = u16::try_from(reference.len()).expect("the store bounds references");
        row.extend_from_slice(&bytes.to_be_bytes());
        row.extend_from_slice(reference.as_bytes());
    }
    for moment in [entry.valid_from, entry.valid_until, entry.listed_since].into_iter().flatten() {
        // Signs are folded in, so that small numbers of both signs are short.
        put_number(row, (moment.cast_unsigned() << 1) ^ (moment >> 63).cast_unsigned());
    }
}

/// The entry that a row holds: the whole row, in the one form that [`encode`] writes.
pub fn decode(row: &[u8]) -> Result<MatchableEntry, BadRow> {
    let mut rest = Rest(row);
    let id = EntryId(u64::from_be_bytes(*rest.chunk::<KEY_BYTES>()?));
    let [flags, algorithms] = *rest.chunk::<2>()?;
    if flags & !KNOWN != 0 {
        return Err(BadRow("has an unknown flag"));
    }
    let digests = rest.digests(algorithms)?;
    let has = |flag| flags & flag != 0;
    let size_bytes = has(SIZE).then(|| rest.number()).transpose()?;
    let category = has(CATEGORY).then(|| rest.category()).transpose()?;
    let reference = has(REFERENCE).then(|| rest.reference()).transpose()?;
    let valid_from = has(VALID_FROM).then(|| rest.moment()).transpose()?;
    let valid_until = has(VALID_UNTIL).then(|| rest.moment()).transpose()?;
    let listed_since = has(LISTED_SINCE).then(|| rest.moment()).transpose()?;
    if !rest.0.is_empty() {
        return Err(BadRow("goes on after its end"));
    }
    Ok(MatchableEntry {
        id,
        line: None,
        disputed: has(DISPUTED),
        digests,
        size_bytes,
        category,
        reference,
        valid_from,
        valid_until,
        listed_since,
    })
}

/// The entry's name, by which rows are sorted.
pub(crate) fn key(row: &[u8]) -> Result<u64, BadRow> {
    Ok(u64::from_be_bytes(*Rest(row).chunk::<KEY_BYTES>()?))
}

/// As in LEB128: seven bits a byte, the lowest first.
fn put_number(row: &mut Vec<u8>, number: u64) {
    let mut left = number;
    loop {
        let low = u8::try_from(left & 0x7f).expect("seven bits");
        left >>= 7;
        if left == 0 {
            return row.push(low);
        }
        row.push(low | 0x80);
    }
}

/// What is left to read of a row.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], BadRow> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(BadRow("ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], BadRow> {
        Ok(self.take(N)?.first_chunk().expect("as many bytes were taken"))
    }

    fn digests(&mut self, algorithms: u8) -> Result<Digests, BadRow> {
        if algorithms == 0 || algorithms >> Algorithm::ALL.len() != 0 {
            return Err(BadRow("has no digest, or one of an unknown algorithm"));
        }
        let present: AlgorithmSet = Algorithm::ALL
            .iter()
            .copied()
            .filter(|algorithm| algorithms & 1 << *algorithm as u8 != 0)
            .collect();
        let mut digests = Digests::default();
        for algorithm in present.iter() {
            digests.set(algorithm, self.take(algorithm.digest_bytes())?);
        }
        Ok(digests)
    }

    fn number(&mut self) -> Result<u64, BadRow> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.chunk::<1>()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                return Err(BadRow("has a number that is too large, or longer than it needs to be"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(BadRow("has a number that is too large"))
    }

    fn moment(&mut self) -> Result<i64, BadRow> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    fn category(&mut self) -> Result<Category, BadRow> {
        let [bytes] = *self.chunk::<1>()?;
        let word = std::str::from_utf8(self.take(bytes.into())?).ok();
        word.and_then(|word| word.parse().ok()).ok_or(BadRow("has an unknown category"))
    }

    fn reference(&mut self) -> Result<String, BadRow> {
        let bytes = usize::from(u16::from_be_bytes(*self.chunk::<2>()?));
        if bytes > REFERENCE_BYTES_MAX {
            return Err(BadRow("has a reference that is too long"));
        }
        let text = std::str::from_utf8(self.take(bytes)?);
        text.map(str::to_owned).map_err(|_| BadRow("has a reference that is no UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use hashward_core::Digest;
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = MatchableEntry> {
        let digests = (1_u8..64, any::<u8>()).prop_map(|(bits, fill)| {
            let present = Algorithm::ALL.iter().copied().filter(|a| bits & 1 << *a as u8 != 0);
            present.map(|a| Digest::new(a, &vec![fill; a.digest_bytes()]).unwrap()).collect::<Digests>()
        });
        let category = prop_oneof![Just("csam-a1"), Just("unspecified"), Just("own:leaked-builds")];
        let times = (any::<Option<i64>>(), any::<Option<i64>>(), any::<Option<i64>>());
        let rest = (any::<u64>(), any::<bool>(), any::<Option<u64>>(), proptest::option::of(category));
        (rest, digests, proptest::option::of(".{0,40}"), times).prop_map(
            |((id, disputed, size_bytes, category), digests, reference, times)| MatchableEntry {
                id: EntryId(id),
                line: None,
                disputed,
                digests,
                size_bytes,
                category: category.map(|word| word.parse().unwrap()),
                reference,
                valid_from: times.0,
                valid_until: times.1,
                listed_since: times.2,
            },
        )
    }

    proptest! {
        #[test]
        fn an_entry_goes_there_and_back(entry in entries()) {
            let mut row = Vec::new();
            encode(&entry, &mut row);
            prop_assert!(row.len() <= ROW_BYTES_MAX);
            prop_assert_eq!(key(&row), Ok(entry.id.0));
            prop_assert!(decode(&row) == Ok(entry));
            for end in 0..row.len() {
                prop_assert!(decode(&row[..end]).is_err());
            }
            row.push(0);
            prop_assert!(decode(&row).is_err());
        }

        #[test]
        fn there_is_one_form(entry in entries(), place in any::<prop::sample::Index>(), flip in 1_u8..) {
            let mut row = Vec::new();
            encode(&entry, &mut row);
            let place = place.index(row.len());
            row[place] ^= flip;
            if let Ok(other) = decode(&row) {
                let mut again = Vec::new();
                encode(&other, &mut again);
                prop_assert!(again == row);
            }
        }

        #[test]
        fn any_bytes_are_borne(row in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(entry) = decode(&row) {
                let mut again = Vec::new();
                encode(&entry, &mut again);
                prop_assert!(again == row);
            }
        }
    }
}
