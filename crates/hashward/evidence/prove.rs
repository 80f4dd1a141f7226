//! `evidence prove`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use hashward_evidence::{
    ConsistencyProof, EvidenceError, InclusionProof, LogFolder, Proof, SignedCheckpoint,
};
use serde_json::json;

use super::args::{Prove, What};
use super::event::{Event, find, names};
use crate::exit::Exit;
use crate::output::{Output, Style};

/// Makes a proof.
pub(super) fn prove(arguments: &Prove, style: Style) -> Result<Exit> {
    let folder = LogFolder::open(&arguments.folder)?;
    let proof = match make(&folder, &arguments.what) {
        Ok(proof) => proof,
        Err(error) if error.downcast_ref().is_some_and(EvidenceError::is_tampering) => {
            eprintln!("{error:#}");
            return Ok(Exit::TAMPERED);
        }
        Err(error) => return Err(error),
    };
    let text = proof.to_text();
    if let Some(out) = &arguments.out {
        write_new(out, &text).with_context(|| out.display().to_string())?;
    }
    let (index, size) = match &proof {
        Proof::Inclusion(proof) => (Some(proof.index), proof.checkpoint.claim().size),
        Proof::Consistency(proof) => (None, proof.checkpoint.claim().size),
    };
    let mut output = Output::stdout(style.color);
    match (&arguments.out, style.json) {
        (out, true) => output.json(&json!({"index": index, "size": size, "out": out, "proof": text}))?,
        (None, false) => output.text(&text)?,
        (Some(out), false) => {
            let of = index.map_or("that it grew".to_owned(), |index| format!("of entry {index}"));
            output.line(format_args!("{}: proof {of}, in a log of {size}", out.display()))?;
        }
    }
    Ok(Exit::Success)
}

fn make(folder: &LogFolder, what: &What) -> Result<Proof> {
    if let Some(since) = &what.since {
        let remembered = SignedCheckpoint::from_file(since)?;
        return Ok(Proof::Consistency(ConsistencyProof::of(folder, remembered.claim())?));
    }
    let size = folder.checkpoint()?.claim().size;
    let index = match (what.index, what.alert, &what.event) {
        (Some(index), _, _) => index,
        (None, Some(id), _) => find(folder, size, |entry| names(entry, id))?,
        (None, None, Some(event)) => {
            let event = Event::read(event)?;
            find(folder, size, |entry| event.is_in(entry))?
        }
        (None, None, None) => unreachable!("one of them is required"),
    };
    Ok(Proof::Inclusion(InclusionProof::of(folder, index)?))
}

/// A file that is there already stays as it is: it may be the only proof that somebody has.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
