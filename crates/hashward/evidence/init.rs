//! `evidence init` and `evidence key`.

use anyhow::{Result, bail};
use hashward_evidence::{AuditLog, PrivateKey};
use serde_json::json;

use super::args::{Init, Key};
use crate::exit::Exit;
use crate::output::{Output, Style};

/// Makes an empty log, and its key if there is none.
pub(super) fn init(arguments: &Init, style: Style) -> Result<Exit> {
    let (folder, file) = (&arguments.folder, &arguments.key.key_file);
    if let (Ok(folder), Ok(file)) = (std::path::absolute(folder), std::path::absolute(file))
        && file.starts_with(folder)
    {
        bail!("--key-file: {} is inside the log: whoever gets the log must not get the key", file.display());
    }
    let is_new = !file.exists();
    let private = if is_new { PrivateKey::create(file)? } else { PrivateKey::from_file(file)? };
    AuditLog::init(folder, &private, arguments.key.name.clone())?;
    let verifier = private.verifier(arguments.key.name.clone()).to_string();
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({
            "log": folder, "key_file": file, "new_key": is_new, "verifier_key": verifier,
        }))?;
        return Ok(Exit::Success);
    }
    output.line(format_args!("{}: an empty log", folder.display()))?;
    if is_new {
        output.line(format_args!("{}: a new key, readable by its owner only", file.display()))?;
    }
    output.line("verifier key, for everybody who shall verify:")?;
    output.line(verifier)?;
    Ok(Exit::Success)
}

/// Prints the public half of a key.
pub(super) fn key(arguments: &Key, style: Style) -> Result<Exit> {
    let verifier = PrivateKey::from_file(&arguments.key_file)?.verifier(arguments.name.clone()).to_string();
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"verifier_key": verifier}))?;
    } else {
        output.line(verifier)?;
    }
    Ok(Exit::Success)
}
