//! One image or video of a page, or the deletion of one.

use quick_xml::events::BytesStart;

use crate::format::ITEM_BYTES_MAX;
use crate::format::draft::Draft;
use crate::format::out::Fault;
use crate::{Problem, Statement};

/// Which part of an entry is open.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Entry,
    Fingerprints,
    Feedback,
}

pub(super) struct Entry {
    draft: Draft,
    part: Part,
    /// The text of the element that is open.
    text: String,
    /// How many bytes of names and text there were.
    bytes: usize,
    member: Option<String>,
    id: Option<String>,
    /// What is said of the entry by those who looked at it.
    feedback: Vec<String>,
    /// The first thing that is wrong.
    fault: Option<Fault>,
}

impl Entry {
    /// The entry that an element begins, if it begins one.
    pub(super) fn begin(element: &str) -> Option<Self> {
        let mut draft = Draft::default();
        match element {
            "image" | "video" => {}
            "deletedImage" | "deletedVideo" => draft.withdraw(),
            _ => return None,
        }
        Some(Self {
            draft,
            part: Part::Entry,
            text: String::new(),
            bytes: 0,
            member: None,
            id: None,
            feedback: Vec::new(),
            fault: None,
        })
    }

    fn note_fault(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    pub(super) fn start(&mut self, element: &str, start: &BytesStart<'_>) {
        self.text.clear();
        match (self.part, element) {
            (Part::Entry, "fingerprints") => self.part = Part::Fingerprints,
            (Part::Entry, "feedback") => self.part = Part::Feedback,
            (Part::Entry, "member") => {
                // Without the check for repetitions, which takes the square of their number.
                let mut attributes = start.attributes();
                let mut attributes = attributes.with_checks(false).flatten();
                match attributes.find(|attribute| attribute.key.local_name().as_ref() == "id") {
                    Some(id) => self.member = Some(id.value.trim().to_owned()),
                    None => self.note_fault(Fault::of("member", Problem::Missing)),
                }
            }
            _ => {}
        }
    }

    /// Takes text, which is dropped if there is too much of it: [`Entry::finish`] tells.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes += text.len();
        if self.bytes <= ITEM_BYTES_MAX {
            self.text.push_str(text);
        } else {
            self.note_fault(Problem::TooLarge.into());
        }
    }

    pub(super) fn end(&mut self, element: &str) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        // Empty elements take memory too, where their names are kept.
        self.bytes += element.len() + 1;
        if self.bytes > ITEM_BYTES_MAX {
            return self.note_fault(Problem::TooLarge.into());
        }
        match (self.part, element) {
            (Part::Fingerprints, "fingerprints") | (Part::Feedback, "feedback") => self.part = Part::Entry,
            (Part::Fingerprints, kind) => {
                if let Err(fault) = self.draft.named("fingerprints", kind, text) {
                    self.note_fault(fault);
                }
            }
            (Part::Feedback, _) if text.is_empty() => self.feedback.push(element.to_owned()),
            (Part::Feedback, _) => self.feedback.push(format!("{element} {text}")),
            (Part::Entry, "id") => self.id = Some(text.to_owned()).filter(|id| !id.is_empty()),
            (Part::Entry, "classification") => match text {
                "A1" | "A2" | "B1" | "B2" => self.draft.category(&format!("csam-{}", text.to_lowercase())),
                _ => self.draft.note_value("classification", Some(text)),
            },
            (Part::Entry, _) => {}
        }
    }

    /// The statement: member and id together name the entry.
    pub(super) fn finish(mut self) -> Result<Statement, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let member = self.member.ok_or(Fault::of("member", Problem::Missing))?;
        let id = self.id.ok_or(Fault::of("id", Problem::Missing))?;
        self.draft.statement.key = Some(format!("{member}/{id}"));
        if !self.feedback.is_empty() {
            self.draft.note(format!("feedback: {}", self.feedback.join(", ")));
        }
        self.draft.finish()
    }
}
