//! Of which entry a statement speaks.

use std::cmp::Reverse;

use super::Refusal;
use super::error::Fault;
use super::intake::Stated;
use super::merge::merged;
use super::names::Names;
use super::row::Numbered;
use super::tables::Tables;

/// Where a statement goes.
pub(super) enum Target {
    /// To an entry.
    Entry(Box<Numbered>),
    /// To a new one.
    New,
    /// Nowhere.
    Refused(Refusal),
}

/// The entry that `source` names by `key`.
pub(super) fn by_key(
    tables: &mut Tables,
    names: &Names,
    source: Option<&str>,
    key: &str,
) -> Result<Option<Numbered>, Fault> {
    let name = names.of_key(key);
    let mut last = 0;
    loop {
        let page = tables.holders(name, last)?;
        let Some(end) = page.last() else { return Ok(None) };
        last = end.number;
        let is_it = |numbered: &Numbered| {
            numbered.entry.key.as_deref() == Some(key) && numbered.entry.source.as_deref() == source
        };
        if let Some(found) = page.into_iter().find(is_it) {
            return Ok(Some(found));
        }
    }
}

/// How well an entry fits: see [`by_signals`].
type Rank = (bool, bool, usize, Reverse<u64>);

/// The entry that the statement's signals lead to, when no key does.
///
/// Entries that have one of the signals, and none that contradicts another, come into question. Of them those in force
/// go before the withdrawn, then those that say already what is stated, then those with more of the signals, then the
/// older: so the entry that a statement went to is the one that it goes to again. A statement with a key can only go to an entry without one, which takes the key on:
/// two keys are two items. A statement without a key may go to any. If something in force contradicts it, it is refused,
/// unless an entry in force has all of its signals already.
pub(super) fn by_signals(
    tables: &mut Tables,
    names: &Names,
    source: Option<&str>,
    stated: &Stated,
) -> Result<Target, Fault> {
    let mut best: Option<(Rank, Numbered)> = None;
    let mut contradicted = None;
    for name in names.of_signals(&stated.statement.digests, &stated.statement.unmatched_signals) {
        for candidate in tables.holders(name, 0)? {
            let held = stated.held_by(&candidate.entry);
            if held == 0 || (stated.key.is_some() && candidate.entry.key.is_some()) {
                continue;
            }
            let in_force = candidate.entry.is_in_force();
            if stated.contradicts(&candidate.entry) {
                if in_force && contradicted.is_none() {
                    contradicted = Some(candidate.entry.id);
                }
                continue;
            }
            let says_so = merged(&candidate.entry, stated, source) == candidate.entry;
            let rank = (in_force, says_so, held, Reverse(candidate.number));
            if best.as_ref().is_none_or(|(best, _)| *best < rank) {
                best = Some((rank, candidate));
            }
        }
    }
    let whole =
        best.as_ref().is_some_and(|((in_force, _, held, _), _)| *in_force && *held == stated.signals());
    Ok(match (best, contradicted) {
        (_, Some(entry)) if stated.key.is_none() && !whole => Target::Refused(Refusal::Contradicts(entry)),
        (Some((_, entry)), _) => Target::Entry(Box::new(entry)),
        (None, _) => Target::New,
    })
}
