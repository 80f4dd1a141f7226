//! Whether each part can do its work, for `/readyz` and the operator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// What each part last said about itself. Shared; a part that has said nothing is not ready.
#[derive(Clone, Debug)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<Part, Result<(), String>>>>,
    /// What somebody should look at, though the work goes on, by what it is about.
    remarks: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Default for Health {
    fn default() -> Self {
        let starting = |part| (part, Err("starting".to_owned()));
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
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    /// Each part's name and state.
    pub fn parts(&self) -> Vec<(&'static str, Result<(), String>)> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|(part, state)| (part.name(), state.clone())).collect()
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
