//! From what is configured to one generation after another.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use hashward_core::{Generation, ListId};
use hashward_engine::Snapshot;
use hashward_engine::lists::{
    BuildOptions, Changes, ChangesError, KnownGood, ListIndex, ListIndexBuilder, ListIndexError, Rails,
    verify_against,
};
use hashward_index::SealKey;
use hashward_list::{LoadOptions, OpenList};
use jiff::Timestamp;

use super::kept::{Held, Kept};
use super::source::{Kind, Looks, Sources};
use super::warnings::{held_back, skipped};
use super::{NO_LIST, key};
use crate::config::{Config, Guard, Lists};

/// How often lists are read anew that change while they are read, when there is no generation to go on with.
const ATTEMPTS_MAX: u32 = 5;
/// So many changed entries are folded into the index without waiting for more.
const FOLD_ENTRIES: u64 = 16_384;

/// What is done with generations besides matching.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keeping {
    /// They are kept where the configuration says.
    AsConfigured,
    /// They end with this process.
    Nothing,
}

/// How the lists look, and which wish of an operator there is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sight {
    looks: Vec<Looks>,
    wish: Option<Held>,
}

/// Makes one generation of the configured lists after another.
pub(crate) struct Loader {
    lists: Lists,
    guard: Guard,
    keeping: Keeping,
    key: SealKey,
    known_good: Option<KnownGood>,
    kept: Option<Kept>,
    sources: Sources,
    /// The index over all lists that are no sealed files.
    own: Option<Arc<ListIndex>>,
    /// The sealed files that are named as lists.
    sealed: Vec<Arc<ListIndex>>,
    generation: Generation,
    held: Option<Held>,
    /// How many entries of each list are known as good, as it was told.
    held_back: HashMap<ListId, u64>,
    /// What is to be said of what was read last.
    warnings: Vec<String>,
}

/// What came of reading the lists once more.
pub(crate) enum Renewed {
    /// A new generation.
    Next(Arc<Snapshot>),
    /// The lists say what they said.
    Same,
    /// A list changed while it was read: it is to be looked at again.
    ChangedMeanwhile,
}

/// The first generation.
pub(crate) struct First {
    /// The lists, ready to be asked.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Why it is a kept generation, and not what the lists say now.
    pub(crate) fell_back: Option<anyhow::Error>,
}

impl Loader {
    /// Looks at the configured lists, and reads what is known as good.
    pub(crate) fn new(config: &Config, keeping: Keeping) -> Result<Self> {
        let lists = config.lists.clone();
        let subscriptions = config.subscriptions.directory.as_deref();
        if lists.files.is_empty() && subscriptions.is_none() {
            bail!(NO_LIST);
        }
        let guard = config.guard.clone();
        let options = LoadOptions { skip_bad_lines: lists.skip_bad_lines };
        let (key, has_own_key) = match key::find(lists.key_file.as_deref())? {
            Some(key) => (key, true),
            None => (SealKey::generate()?, false),
        };
        if !has_own_key && subscriptions.is_some() {
            bail!("subscriptions are kept sealed: {}", key::NO_KEY);
        }
        let sources = Sources::new(&lists.files, subscriptions, options, key::of_replicas(&key))?;
        let mut sealed = [Kind::Sealed, Kind::Replica].into_iter().flat_map(|kind| sources.of_kind(kind));
        if !has_own_key && let Some(sealed) = sealed.next() {
            bail!("{}: is sealed: {}", sealed.display(), key::NO_KEY);
        }
        drop(sealed);
        let kept = match &lists.generations_dir {
            Some(dir) if keeping == Keeping::AsConfigured => {
                if !has_own_key {
                    bail!("lists.generations_dir keeps generations sealed: {}", key::NO_KEY);
                }
                Some(Kept::lock(dir, lists.generations_kept)?)
            }
            _ => None,
        };
        let known_good = if guard.known_good_files.is_empty() && guard.never_match.is_empty() {
            None
        } else {
            Some(KnownGood::load(&guard.known_good_files, &guard.never_match, &key)?)
        };
        Ok(Self {
            key,
            keeping,
            lists,
            guard,
            known_good,
            kept,
            sources,
            own: None,
            sealed: Vec::new(),
            generation: Generation::default(),
            held: None,
            held_back: HashMap::new(),
            warnings: Vec::new(),
        })
    }

    /// What must be there before there can be a first generation, if it is not yet: of every subscription all that it
    /// takes.
    pub(crate) fn waits_for(&mut self) -> Result<Option<String>> {
        self.sources.rescan()?;
        // What an operator wishes to stay at is kept already.
        Ok(if self.wish()?.is_some() { None } else { self.sources.waits_for() })
    }

    /// What is to be said of what was read since the last time.
    pub(crate) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The wish to stay at a kept generation that is followed.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// How many entries lie over the index.
    pub(crate) fn changes(&self) -> u64 {
        self.own.as_ref().map_or(0, |own| own.changes())
    }

    /// The first generation: of what the lists say now, or if that cannot be had the newest kept one. Sealed files are
    /// kept nowhere: they must be there.
    pub(crate) fn first(&mut self) -> Result<First> {
        if let Some(what) = self.waits_for()? {
            bail!("no lists yet: waiting for {what}: `hashward subscribe pull`");
        }
        if let Some(held) = self.wish()? {
            let snapshot = self.roll_back(&held)?;
            self.held = Some(held);
            return Ok(First { snapshot, fell_back: None });
        }
        let mut kept = None;
        if let Some((generation, index)) = self.newest_kept()? {
            let sealed = self.open_sealed(None, &self.sources.looks())?;
            (self.own, self.sealed, self.generation) = (Some(index), sealed, generation);
            kept = Some(self.reopened()?);
        }
        for _ in 0..ATTEMPTS_MAX {
            match (self.renew(kept.as_deref()), &kept) {
                (Ok(Renewed::Next(snapshot)), _) => return Ok(First { snapshot, fell_back: None }),
                (Ok(Renewed::ChangedMeanwhile), _) => {}
                (Ok(Renewed::Same), Some(kept)) => {
                    return Ok(First { snapshot: Arc::clone(kept), fell_back: None });
                }
                (Err(error), Some(kept)) => {
                    return Ok(First { snapshot: Arc::clone(kept), fell_back: Some(error) });
                }
                (Err(error), None) => return Err(error),
                (Ok(Renewed::Same), None) => unreachable!("nothing is the same as nothing"),
            }
        }
        let changing = || anyhow!("a list changed each of {ATTEMPTS_MAX} times while it was read");
        match kept {
            Some(snapshot) => Ok(First { snapshot, fell_back: Some(changing()) }),
            None => Err(changing().context("no list can be had: try again when it is written")),
        }
    }

    /// What is present, under the number of the kept generation if that is all there is. Sealed files may be others than
    /// when it was made: then it is another generation.
    fn reopened(&mut self) -> Result<Arc<Snapshot>> {
        if !self.sealed.is_empty() {
            self.generation = self.next_number()?;
        }
        Ok(Arc::new(snapshot_of(self.generation, self.own.as_ref(), &self.sealed)?))
    }

    /// The next generation, if there is one: see [`Renewed`]. After an error the present one goes on.
    pub(crate) fn next(&mut self, previous: &Snapshot) -> Result<Renewed> {
        let wish = self.wish()?;
        if let Some(held) = wish.as_ref().filter(|_| wish != self.held) {
            let snapshot = self.roll_back(held)?;
            self.held = wish;
            return Ok(Renewed::Next(snapshot));
        }
        let renewed = self.renew(Some(previous))?;
        self.held = wish;
        Ok(renewed)
    }

    /// A generation of what the lists say now.
    fn renew(&mut self, previous: Option<&Snapshot>) -> Result<Renewed> {
        let renewed = self.renewed(previous);
        if let Some(kept) = &self.kept {
            // There if what was built is not taken.
            kept.discard_next()?;
        }
        renewed
    }

    fn renewed(&mut self, previous: Option<&Snapshot>) -> Result<Renewed> {
        let looks = self.sources.looks();
        let sealed = self.open_sealed(previous, &looks)?;
        let has_own = self.sources.readable().next().is_some();
        let own = if has_own { Some(self.read(previous, &looks)?) } else { None };
        if !self.sources.held_still(&looks, &self.sources.looks()) {
            return Ok(Renewed::ChangedMeanwhile);
        }
        let same_own = match (&own, &self.own) {
            (Some(new), Some(old)) => new.is_same(old),
            (new, old) => new.is_none() && old.is_none(),
        };
        let same_sealed = sealed.len() == self.sealed.len()
            && sealed.iter().zip(&self.sealed).all(|(new, old)| Arc::ptr_eq(new, old) || new.is_same(old));
        // What is held no more is told by a generation of its own.
        let renewed = if previous.is_some() && self.held.is_none() && same_own && same_sealed {
            Renewed::Same
        } else {
            Renewed::Next(self.publish(own, sealed)?)
        };
        // Only now: what failed is tried again.
        self.sources.remember(looks);
        Ok(renewed)
    }

    /// Whether a list, or the wish to stay at a generation, is not what it was. `sight` is what was seen at the last time,
    /// and becomes what is seen now.
    pub(crate) fn has_changed(&mut self, sight: &mut Sight) -> Result<bool> {
        self.sources.rescan()?;
        let before = std::mem::replace(sight, Sight { looks: self.sources.looks(), wish: self.wish()? });
        if sight.wish != self.held {
            return Ok(true);
        }
        Ok(self.held.is_none() && self.sources.changed_and_settled(&before.looks, &sight.looks))
    }

    /// The wish to stay at a kept generation, as it is now.
    fn wish(&self) -> Result<Option<Held>> {
        Ok(self.kept.as_ref().map(Kept::held).transpose()?.flatten())
    }

    /// Whether the overlay has grown so much that it should be folded at once.
    pub(crate) fn should_fold(&self) -> bool {
        self.changes() >= FOLD_ENTRIES
    }

    /// The next generation: the same lists and entries in one index, without an overlay.
    pub(crate) fn fold(&mut self) -> Result<Option<Arc<Snapshot>>> {
        let Some(own) = self.own.clone().filter(|own| own.changes() > 0) else { return Ok(None) };
        let path = self.kept.as_ref().map(Kept::next_file);
        let folded = own.folded(path.as_deref(), &self.key, &mut |_| {})?;
        if path.is_some() {
            folded.verify()?;
        }
        self.publish(Some(folded), self.sealed.clone()).map(Some)
    }

    /// The kept generation that `held` names, as the next generation.
    fn roll_back(&mut self, held: &Held) -> Result<Arc<Snapshot>> {
        let kept = self.kept.as_ref().context("only a kept generation can be gone back to")?;
        let index = open_verified(&kept.file(Generation(held.generation)), &self.key)?;
        let index = self.without_known_good(index)?;
        // Sealed files that are good go on, whatever stands there now.
        let is_start = self.generation == Generation::default();
        let sealed =
            if is_start { self.open_sealed(None, &self.sources.looks())? } else { self.sealed.clone() };
        // What the lists say now is not what is present then.
        self.sources.forget();
        self.publish(Some(index), sealed)
    }

    /// The newest kept generation that can be opened.
    fn newest_kept(&mut self) -> Result<Option<(Generation, Arc<ListIndex>)>> {
        let Some(kept) = &self.kept else { return Ok(None) };
        for generation in kept.all()?.into_iter().rev() {
            match open_verified(&kept.file(generation), &self.key) {
                Ok(index) => {
                    return Ok(Some((generation, Arc::new(self.without_known_good(index)?))));
                }
                Err(error) => {
                    self.warnings.push(format!("kept generation {generation} is left aside: {error}"));
                }
            }
        }
        Ok(None)
    }

    /// A kept index without what is known as good now: it may have been built when that was not known.
    fn without_known_good(&self, index: ListIndex) -> Result<ListIndex> {
        if index.known_good().map(str::to_owned) == self.fingerprint() {
            return Ok(index);
        }
        Ok(index.railed(Rails { caps: None, ..self.rails(None) }, &self.key)?)
    }

    fn fingerprint(&self) -> Option<String> {
        self.known_good.as_ref().map(KnownGood::fingerprint)
    }

    /// The index over all lists that are no sealed files, as they are now: the present one with changes over it if that
    /// is enough, else a new one.
    fn read(&mut self, previous: Option<&Snapshot>, looks: &[Looks]) -> Result<ListIndex> {
        // What a text file said before is not known, so that nobody can tell what changed in it.
        let text_changed = self.sources.changed(Kind::Text, looks);
        if let Some(own) = self.own.as_ref().filter(|own| !text_changed && self.is_of_what_is_named(own)) {
            match self.overlaid(own, previous) {
                Ok(laid) => return Ok(laid),
                Err(ChangesError::BuildAnew(_)) => {}
                // What is behind it: a refusal counts as one.
                Err(ChangesError::Failed(error)) => return Err(error.into()),
            }
        }
        self.built(previous)
    }

    /// Whether an index can be of the lists that are named now, and was built by what is known as good now.
    fn is_of_what_is_named(&self, own: &ListIndex) -> bool {
        let with_history = own.lists().iter().filter(|list| list.state.is_some()).count();
        own.lists().len() == self.sources.readable().count()
            && with_history == self.sources.with_history()
            && own.known_good().map(str::to_owned) == self.fingerprint()
    }

    fn overlaid(&self, own: &ListIndex, previous: Option<&Snapshot>) -> Result<ListIndex, ChangesError> {
        let (lists, now) = (self.sources.histories()?, Timestamp::now().as_second());
        own.with_changes(&Changes { lists: &lists, rails: self.rails(previous), now }, &self.key)
    }

    /// Reads all lists that are no sealed files, entry by entry, into a new index.
    fn built(&mut self, previous: Option<&Snapshot>) -> Result<ListIndex> {
        let path = self.kept.as_ref().map(Kept::next_file);
        let options = BuildOptions {
            path: path.as_deref(),
            layout: self.lists.layout,
            rails: self.rails(previous),
            now: Timestamp::now().as_second(),
        };
        let mut builder = ListIndexBuilder::new(&self.key, options)?;
        let mut warnings = Vec::new();
        let mut to_verify = Vec::new();
        for path in self.sources.readable() {
            let (list, again) = self.open_pair(path)?;
            to_verify.push((path.to_owned(), again));
            warnings.extend(skipped(&path.display().to_string(), &list.skipped));
            builder.add(list, &mut |_| {})?;
        }
        let index = builder.finish(&mut |_| {})?;
        if path.is_some() {
            index.verify()?;
            let again = |(path, again): (PathBuf, Option<OpenList>)| match again {
                Some(list) => Ok(list),
                None => self.sources.open(&path),
            };
            let sources = to_verify.into_iter().map(again).collect::<Result<Vec<_>, _>>()?;
            verify_against(&index, sources, self.known_good.as_ref())??;
        }
        self.warnings.append(&mut warnings);
        Ok(index)
    }

    /// Opens a list to be read, and one that knows its past once more in the same state, to verify what was built of it. A text file
    /// is read again for that, so that memory holds it once.
    fn open_pair(&self, path: &Path) -> Result<(OpenList, Option<OpenList>)> {
        for _ in 0..ATTEMPTS_MAX {
            let list = self.sources.open(path)?;
            if list.state.is_none() || self.kept.is_none() {
                return Ok((list, None));
            }
            let again = self.sources.open(path)?;
            if again.state == list.state {
                return Ok((list, Some(again)));
            }
        }
        bail!("{}: changed each of {ATTEMPTS_MAX} times while it was opened", path.display())
    }

    fn next_number(&self) -> Result<Generation> {
        match &self.kept {
            Some(kept) => kept.give_number(self.generation),
            None => Ok(Generation(self.generation.0 + 1)),
        }
    }

    /// Makes indexes the present ones, and a generation with a number of its own.
    fn publish(&mut self, own: Option<ListIndex>, sealed: Vec<Arc<ListIndex>>) -> Result<Arc<Snapshot>> {
        let number = self.next_number()?;
        let own = match (own, &self.kept) {
            (Some(own), Some(kept)) if own.changes() == 0 && own.file() == Some(&kept.next_file()) => {
                let file = kept.take_in(number)?;
                if let Err(error) = kept.prune() {
                    self.warnings.push(format!("generations that are too old are still there: {error:#}"));
                }
                Some(ListIndex::open(&file, &self.key)?)
            }
            (own, _) => own,
        };
        let own = own.map(Arc::new);
        let snapshot = snapshot_of(number, own.as_ref(), &sealed)?;
        for list in snapshot.lists() {
            let told = self.held_back.insert(list.info.id.clone(), list.quarantined.count).unwrap_or(0);
            if list.quarantined.count > told {
                self.warnings.push(held_back(list));
            }
        }
        (self.own, self.sealed, self.generation) = (own, sealed, number);
        Ok(Arc::new(snapshot))
    }

    /// The sealed files that are named as lists. One that looks as before stays as it is.
    fn open_sealed(&self, previous: Option<&Snapshot>, looks: &[Looks]) -> Result<Vec<Arc<ListIndex>>> {
        let mut present = self.sealed.iter();
        let mut sealed = Vec::new();
        for (path, as_before) in self.sources.sealed(looks) {
            sealed.push(match present.next() {
                Some(index) if as_before => Arc::clone(index),
                _ => {
                    let index = ListIndex::open(path, &self.key)?;
                    if self.keeping == Keeping::AsConfigured {
                        index.verify()?;
                    }
                    Arc::new(index.railed(self.rails(previous), &self.key)?)
                }
            });
        }
        Ok(sealed)
    }

    fn rails<'a>(&'a self, previous: Option<&'a Snapshot>) -> Rails<'a> {
        Rails {
            known_good: self.known_good.as_ref(),
            caps: Some(self.guard.caps),
            moved: self.sources.held(),
            previous,
        }
    }
}

fn snapshot_of(
    generation: Generation,
    own: Option<&Arc<ListIndex>>,
    sealed: &[Arc<ListIndex>],
) -> Result<Snapshot> {
    Ok(Snapshot::new(generation, own.into_iter().chain(sealed).cloned().collect())?)
}

fn open_verified(file: &Path, key: &SealKey) -> Result<ListIndex, ListIndexError> {
    let index = ListIndex::open(file, key)?;
    index.verify()?;
    Ok(index)
}
