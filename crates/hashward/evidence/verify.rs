//! `evidence verify`.

use anyhow::{Result, bail};
use hashward_evidence::{Checkpoint, EvidenceError, LogFolder, Proof, Report, SignedCheckpoint};
use serde_json::{Value, json};

use super::args::Verify;
use super::event::Event;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, counted, tame};

/// What was found to hold: for people, and for programs.
type Holds = (String, Value);

/// Verifies a log or a proof.
pub(super) fn verify(arguments: &Verify, style: Style) -> Result<Exit> {
    let mut output = Output::stdout(style.color);
    let verified = if arguments.subject.is_dir() { log(arguments) } else { proof(arguments) };
    let problems = match verified {
        Ok(Ok((text, value))) => {
            let mut value = value;
            value["sound"] = true.into();
            if style.json {
                output.json(&value)?;
            } else {
                output.line(format_args!("{} {text}", output.paint(Paint::Green, "sound:")))?;
            }
            return Ok(Exit::Success);
        }
        Ok(Err(problems)) => problems,
        Err(error) => match error.downcast::<EvidenceError>() {
            Ok(error) if error.is_tampering() => vec![error.to_string()],
            Ok(error) => return Err(error.into()),
            Err(error) => return Err(error),
        },
    };
    if style.json {
        output.json(&json!({"sound": false, "problems": problems}))?;
    } else {
        for problem in &problems {
            output.line(format_args!("{} {}", output.paint(Paint::Red, "wrong:"), tame(problem)))?;
        }
    }
    Ok(Exit::TAMPERED)
}

/// The checkpoint that was kept. One that the key did not sign is nobody's memory.
fn remembered(arguments: &Verify) -> Result<Option<Checkpoint>> {
    let Some(since) = &arguments.since else { return Ok(None) };
    let kept = SignedCheckpoint::from_file(since)?;
    Ok(Some(kept.signed_by(&arguments.key, since.display().to_string())?.clone()))
}

fn log(arguments: &Verify) -> Result<Result<Holds, Vec<String>>> {
    if arguments.event.is_some() {
        bail!("--event: is for a proof; expected LOG alone, or a PROOF that `hashward evidence prove` wrote");
    }
    let remembered = remembered(arguments)?;
    let folder = LogFolder::open(&arguments.subject)?;
    let report = hashward_evidence::verify(&folder, &arguments.key, remembered.as_ref())?;
    let Report { checkpoint, problems, strangers } = report;
    if !problems.is_empty() {
        return Ok(Err(problems.iter().map(ToString::to_string).collect()));
    }
    let grew = remembered.map_or(String::new(), |old| format!(", grown from {}", old.size));
    let strange = match strangers.len() as u64 {
        0 => String::new(),
        count => format!("; no part of it: {}", counted(count, "file", "files")),
    };
    let (origin, entries) = (&checkpoint.origin, counted(checkpoint.size, "entry", "entries"));
    let text = format!("{origin}, {entries}{grew}, root {}{strange}", checkpoint.root);
    let value = json!({
        "origin": origin.as_str(), "size": checkpoint.size, "root": checkpoint.root, "strangers": strangers,
    });
    Ok(Ok((text, value)))
}

fn proof(arguments: &Verify) -> Result<Result<Holds, Vec<String>>> {
    let place = arguments.subject.display().to_string();
    let proof = match (Proof::from_file(&arguments.subject)?, remembered(arguments)?) {
        (Proof::Inclusion(_), Some(_)) => {
            bail!("--since: is for a log or a proof that it grew; {place} proves one entry: leave it out")
        }
        (Proof::Consistency(_), None) => {
            bail!("{place}: proves that a log grew: name the checkpoint that you kept with --since")
        }
        (Proof::Consistency(_), Some(_)) if arguments.event.is_some() => {
            bail!("--event: is for the proof of an entry; {place} proves that a log grew: leave it out")
        }
        (Proof::Consistency(proof), Some(old)) => {
            let new = proof.verify(&arguments.key, &old, &place)?;
            let text = format!("{}, grown from {} to {} entries", new.origin, old.size, new.size);
            let value = json!({
                "origin": new.origin.as_str(), "old_size": old.size, "size": new.size, "root": new.root,
            });
            return Ok(Ok((text, value)));
        }
        (Proof::Inclusion(proof), None) => proof,
    };
    let entry = proof.verify(&arguments.key, &place)?;
    if let Some(event) = &arguments.event {
        let shown = event.display();
        if !Event::read(event)?.is_in(entry) {
            return Ok(Err(vec![format!(
                "{shown}: is not the alert of entry {}: it was changed, or it is another",
                proof.index
            )]));
        }
    }
    let head = proof.checkpoint.claim();
    let (origin, said) = (&head.origin, String::from_utf8_lossy(entry));
    let value = json!({
        "origin": origin.as_str(), "index": proof.index, "size": head.size, "root": head.root,
        "entry": serde_json::from_slice::<Value>(entry).unwrap_or_else(|_| said.as_ref().into()),
    });
    let text = format!("{origin}, entry {} of {}: {}", proof.index, head.size, tame(&said));
    Ok(Ok((text, value)))
}
