//! Bundles of entries: each with its length before it, a big-endian 16-bit number (C2SP tlog-tiles, "Log entries").

use crate::{Hash, Malformed};

/// The longest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 4096;
const LENGTH_BYTES: usize = 2;
/// The longest bundle.
pub(crate) const BUNDLE_BYTES_MAX: usize = 256 * (LENGTH_BYTES + ENTRY_BYTES_MAX);

/// Appends an entry, which is not too long.
pub(crate) fn push(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).expect("a record's length was checked");
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
}

/// The entries of a bundle that should hold `width` of them.
pub fn entries(bundle: &[u8], width: u64) -> Result<Vec<&[u8]>, Malformed> {
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let bad = Malformed::Bundle { expected: width };
    let mut entries = Vec::new();
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() {
        let length = usize::from(u16::from_be_bytes(*length));
        if length > ENTRY_BYTES_MAX || entries.len() == width {
            return Err(bad);
        }
        let (entry, after) = after.split_at_checked(length).ok_or(bad)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() && entries.len() == width { Ok(entries) } else { Err(bad) }
}

/// The hashes of the entries of a bundle of `width`.
pub(crate) fn leaves(bundle: &[u8], width: u64) -> Result<Vec<Hash>, Malformed> {
    Ok(entries(bundle, width)?.into_iter().map(Hash::of_leaf).collect())
}

/// How long the first `count` entries of a bundle are, or all of it if there are fewer.
pub(crate) fn length_of(bundle: &[u8], count: usize) -> usize {
    let mut rest = bundle;
    for _ in 0..count {
        let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() else { break };
        rest = after.get(usize::from(u16::from_be_bytes(*length))..).unwrap_or_default();
    }
    bundle.len() - rest.len()
}
