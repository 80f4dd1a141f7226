//! `list key`.

use anyhow::Result;
use hashward_index::SealKey;
use serde_json::json;

use super::args::NewKey;
use crate::exit::Exit;
use crate::output::{Output, Style};

/// Makes a key. It is written to the file, and never shown.
pub(super) fn key(arguments: &NewKey, style: Style) -> Result<Exit> {
    SealKey::generate()?.write_new(&arguments.file)?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"key_file": arguments.file}))?;
    } else {
        let file = arguments.file.display();
        output.line(format_args!(
            "{file}: a new key, readable by its owner only. Keep it apart from what it seals"
        ))?;
    }
    Ok(Exit::Success)
}
