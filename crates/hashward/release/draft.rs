//! Draft files, and how they are told.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use hashward_tuf::desk::{Draft, Pending, Published};
use serde_json::{Value, json};

use crate::output::{Output, Paint, Style};

/// The largest draft, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Reads a draft.
pub(super) fn read(path: &Path) -> Result<Draft> {
    let named = || path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .with_context(named)?;
    Draft::parse(&bytes).with_context(named)
}

/// Puts a draft in the place of the file.
pub(super) fn replace(path: &Path, draft: &Draft) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let put = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&draft.to_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    put().with_context(|| path.display().to_string())
}

/// Tells how far a draft is: whose signatures are there, and whose are missing.
pub(super) fn tell(path: &Path, draft: &Draft, style: Style) -> Result<()> {
    let pending = draft.pending()?;
    let mut output = Output::stdout(style.color);
    if style.json {
        let files: Vec<Value> = pending.iter().map(object).collect();
        let is_done = pending.iter().all(Pending::is_done);
        output.json(&json!({"draft": path, "signed_by_enough": is_done, "files": files}))?;
        return Ok(());
    }
    for file in &pending {
        let line = line(file);
        let paint = if file.is_done() { Paint::Green } else { Paint::Yellow };
        output.line(output.paint(paint, line))?;
    }
    Ok(())
}

/// Signatures of one file, for people.
pub(super) fn line(file: &Pending) -> String {
    let names = |names: &[String]| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    let Pending { role, version, authority, threshold, signed_by, missing } = file;
    let missing = if file.is_done() {
        String::new()
    } else {
        format!(", missing: {} of {}", *threshold as usize - signed_by.len(), names(missing))
    };
    format!("{role} {version} ({authority}): signed by {}, {threshold} needed{missing}", names(signed_by))
}

/// The same for programs.
pub(super) fn object(file: &Pending) -> Value {
    let Pending { role, version, authority, threshold, signed_by, missing } = file;
    json!({
        "role": role.name(), "version": version, "authority": authority, "threshold": threshold,
        "signed_by": signed_by, "not_signed_by": missing, "signed_by_enough": file.is_done(),
    })
}

/// Tells what is published now.
pub(super) fn tell_published(repository: &Path, published: Published, style: Style) -> Result<()> {
    let mut output = Output::stdout(style.color);
    let Published { root_version, targets_version, snapshot_version, timestamp_version } = published;
    if style.json {
        output.json(&json!({
            "repository": repository, "root": root_version, "targets": targets_version,
            "snapshot": snapshot_version, "timestamp": timestamp_version,
        }))?;
    } else {
        output.line(format_args!(
            "{}: published are root {root_version}, targets {targets_version}, snapshot {snapshot_version}, timestamp \
             {timestamp_version}",
            repository.display()
        ))?;
    }
    Ok(())
}
