//! Whether each part can do its work, for `/readyz` and the operator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct Health(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    parts: BTreeMap<Part, Result<(), String>>,
    doors: BTreeMap<&'static str, String>,
}

impl Default for Health {
    fn default() -> Self {
        Self::of(&[Part::Lists, Part::Source, Part::Delivery])
    }
}

impl Health {
    /// The health of a process that has these parts.
    pub fn of(parts: &[Part]) -> Self {
        let starting = |part: &Part| (*part, Err("starting".to_owned()));
        let parts = parts.iter().map(starting).collect();
        Self(Arc::new(Mutex::new(Told { parts, doors: BTreeMap::new() })))
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
        self.told().parts.insert(part, state);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.told().parts.iter().map(|(part, state)| (part.name(), state.clone())).collect()
    }

    /// Whether every part is well.
    pub fn is_ready(&self) -> bool {
        self.parts().iter().all(|(_, state)| state.is_ok())
    }
}
