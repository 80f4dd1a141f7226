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

/// What each part last said about itself. Shared; a part that has said nothing is not ready.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<BTreeMap<Part, Result<(), String>>>>);

impl Default for Health {
    fn default() -> Self {
        Self::of(&[Part::Lists, Part::Source, Part::Delivery])
    }
}

impl Health {
    /// The health of a process that has these parts.
    pub fn of(parts: &[Part]) -> Self {
        let starting = |part: &Part| (*part, Err("starting".to_owned()));
        Self(Arc::new(Mutex::new(parts.iter().map(starting).collect())))
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    /// Each part's name and state.
    pub fn parts(&self) -> Vec<(&'static str, Result<(), String>)> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|(part, state)| (part.name(), state.clone())).collect()
    }

    /// Whether every part is well.
    pub fn is_ready(&self) -> bool {
        self.parts().iter().all(|(_, state)| state.is_ok())
    }
}
