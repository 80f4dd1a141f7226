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
}

impl Part {
    /// The part's name in `/readyz`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lists => "lists",
            Self::Source => "source",
            Self::Delivery => "delivery",
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
pub struct Health {
    parts: Arc<Mutex<BTreeMap<Part, Said>>>,
    /// What somebody should look at, though the work goes on, by what it is about.
    remarks: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Default for Health {
    fn default() -> Self {
        let at = Instant::now();
        let starting = |part| (part, Said { state: Err("starting".to_owned()), at });
        let parts = [Part::Lists, Part::Source, Part::Delivery].map(starting).into();
        Self { parts: Arc::new(Mutex::new(parts)), remarks: Arc::default() }
    }
}

impl Health {
    /// A part is well.
    pub fn ready(&self, part: Part) {
        self.set(part, Ok(()));
    }

    /// A part cannot do its work now, and why.
    pub fn not_ready(&self, part: Part, why: impl Into<String>) {
        self.set(part, Err(why.into()));
    }

    fn set(&self, part: Part, state: Result<(), String>) {
        self.said().insert(part, Said { state, at: Instant::now() });
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<Part, Said>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a part last said something, or this began. `None` if there is no such part. The reading thread speaks for the
    /// source each time it goes round, so that its silence means that it hangs.
    pub fn heard(&self, part: Part) -> Option<Instant> {
        self.said().get(&part).map(|said| said.at)
    }

    /// Each part's name and state.
    pub fn parts(&self) -> Vec<(&'static str, Result<(), String>)> {
        self.said().iter().map(|(part, said)| (part.name(), said.state.clone())).collect()
    }

    /// Says what somebody should look at, though the work goes on: `/readyz` tells it, and stays ready. None: all is well
    /// again.
    pub fn remark(&self, about: &str, what: Option<String>) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => drop(remarks.insert(about.to_owned(), what)),
            None => drop(remarks.remove(about)),
        }
    }

    /// What somebody should look at.
    pub fn remarks(&self) -> BTreeMap<String, String> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether every part is well.
    pub fn is_ready(&self) -> bool {
        self.parts().iter().all(|(_, state)| state.is_ok())
    }
}
