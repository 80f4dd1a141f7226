use std::collections::HashMap;

use crate::{Header, ReleaseError, TargetKind};

/// Which of the offered targets of one list lead from what is held to the newest release that is offered: their places, in
/// the order in which they are to be applied. None if it is held already. Of two ways that with fewer bytes is taken.
///
/// With nothing held, the way begins with a snapshot: so can be told what heals a replica to which a delta does not apply.
pub fn route(held: Option<&Header>, offered: &[Header]) -> Result<Vec<usize>, ReleaseError> {
    let Some(newest) = offered.iter().max_by_key(|header| header.release) else { return Ok(Vec::new()) };
    let release = newest.release;
    if let Some(held) = held {
        if release < held.release {
            return Err(ReleaseError::Rollback { offered: release, held: held.release });
        }
        if release == held.release {
            let same = newest.checksum == held.checksum;
            return if same { Ok(Vec::new()) } else { Err(ReleaseError::NumberReused { release }) };
        }
    }
    let deltas: HashMap<u64, usize> = places(offered, TargetKind::Delta).collect();
    let from = |start: &Header| chain(start, release, offered, &deltas);
    let bytes =
        |way: &Vec<usize>| way.iter().map(|place| offered[*place].content_bytes).fold(0, u64::saturating_add);
    let by_deltas = held.and_then(from);
    let snapshots = places(offered, TargetKind::Snapshot);
    let later = snapshots.filter(|(number, _)| held.is_none_or(|held| *number > held.release));
    let by_snapshot = later.filter_map(|(_, place)| {
        let way = from(&offered[place])?;
        Some([&[place], way.as_slice()].concat())
    });
    by_deltas.into_iter().chain(by_snapshot).min_by_key(bytes).ok_or(ReleaseError::NoWay { release })
}

fn places(offered: &[Header], kind: TargetKind) -> impl Iterator<Item = (u64, usize)> {
    let of_kind = offered.iter().enumerate().filter(move |(_, header)| header.kind == kind);
    of_kind.map(|(place, header)| (header.release, place))
}

/// The deltas that lead from a release to another, each over the base that it was made for.
fn chain(start: &Header, to: u64, offered: &[Header], deltas: &HashMap<u64, usize>) -> Option<Vec<usize>> {
    let mut way = Vec::new();
    let mut at = start;
    while at.release < to {
        let place = *deltas.get(&(at.release + 1))?;
        let next = &offered[place];
        if next.previous != Some(at.checksum) || next.bucket_bits != at.bucket_bits {
            return None;
        }
        way.push(place);
        at = next;
    }
    Some(way)
}
