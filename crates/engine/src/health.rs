//! Whether each part can do its work, for `/readyz` and the operator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The parts that must all be well before Hashward is ready.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// The loaded lists.
    Lists,
    /// Where content comes from.
    Source,
    /// Where alerts go.
    Delivery,
    /// The doors of the gate, and where their alerts go.
    Gate,
}

impl Part {
    /// The part's name in `/readyz`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lists => "lists",
            Self::Source => "source",
            Self::Delivery => "delivery",
            Self::Gate => "gate",
        }
    }
}

/// What a part said last, and when.
#[derive(Debug)]
struct Said {
    state: Result<(), String>,
    at: Instant,
}

/// What each part last said about itself. Shared; a part that has said nothing is not ready.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    parts: BTreeMap<Part, Said>,
    doors: BTreeMap<&'static str, String>,
    /// What somebody should look at, though the work goes on, by what it is about.
    remarks: BTreeMap<String, String>,
}

impl Default for Health {
    fn default() -> Self {
        Self::of(&[Part::Lists, Part::Source, Part::Delivery])
    }
}

impl Health {
    /// The health of a process that has these parts.
    pub fn of(parts: &[Part]) -> Self {
        let at = Instant::now();
        let starting = |part: &Part| (*part, Said { state: Err("starting".to_owned()), at });
        let parts = parts.iter().map(starting).collect();
        Self(Arc::new(Mutex::new(Told { parts, ..Told::default() })))
    }

    /// A part is well.
    pub fn ready(&self, part: Part) {
        self.set(part, Ok(()));
    }

    /// A part cannot do its work now, and why.
    pub fn not_ready(&self, part: Part, why: impl Into<String>) {
        self.set(part, Err(why.into()));
    }

    fn set(&self, part: Part, state: Result<(), String>) {
        self.told().parts.insert(part, Said { state, at: Instant::now() });
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a part last said something, or this began. `None` if there is no such part. The reading thread speaks for the
    /// source each time it goes round, so that its silence means that it hangs.
    pub fn heard(&self, part: Part) -> Option<Instant> {
        self.told().parts.get(&part).map(|said| said.at)
    }

    /// A door of the gate is open, and does this with content about which there is no verdict: `open` or `closed`.
    pub fn door(&self, door: &'static str, fails: impl Into<String>) {
        self.told().doors.insert(door, fails.into());
    }

    /// Each open door, and how it fails.
    pub fn doors(&self) -> Vec<(&'static str, String)> {
        self.told().doors.iter().map(|(door, fails)| (*door, fails.clone())).collect()
    }

    /// Each part's name and state.
    pub fn parts(&self) -> Vec<(&'static str, Result<(), String>)> {
        self.told().parts.iter().map(|(part, said)| (part.name(), said.state.clone())).collect()
    }

    /// Says what somebody should look at, though the work goes on: `/readyz` tells it, and stays ready. None: all is well
    /// again.
    pub fn remark(&self, about: &str, what: Option<String>) {
        let remarks = &mut self.told().remarks;
        match what {
            Some(what) => drop(remarks.insert(about.to_owned(), what)),
            None => drop(remarks.remove(about)),
        }
    }

    /// What somebody should look at.
    pub fn remarks(&self) -> BTreeMap<String, String> {
        self.told().remarks.clone()
    }

    /// Whether every part is well.
    pub fn is_ready(&self) -> bool {
        self.parts().iter().all(|(_, state)| state.is_ok())
    }
}
