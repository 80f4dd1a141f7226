//! `release verify`.

use std::fs;

use anyhow::{Context as _, Result};
use hashward_tuf::verify_folder;
use jiff::Timestamp;
use serde_json::json;

use super::args::Verify;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style, tame};

/// Verifies a repository's folder, and explains every step.
pub(super) fn verify(arguments: &Verify, style: Style) -> Result<Exit> {
    let root = arguments.root.as_ref().map(|path| fs::read(path).with_context(|| path.display().to_string()));
    let root = root.transpose()?;
    let mut output = Output::stdout(style.color);
    let mut written = Ok(());
    let is_right = verify_folder(&arguments.repository, root.as_deref(), Timestamp::now(), &mut |step| {
        let error = step.error.as_ref().map(ToString::to_string);
        if written.is_err() {
            return;
        }
        written = if style.json {
            output.json(&json!({"section": step.section, "step": step.told, "error": error}))
        } else {
            let (paint, mark) = if error.is_none() { (Paint::Green, "ok   ") } else { (Paint::Red, "WRONG") };
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            let mark = output.paint(paint, mark);
            output.line(format_args!("{mark} {:<7} {}", step.section, tame(&format!("{}{error}", step.told))))
        };
    });
    written?;
    Ok(if is_right { Exit::Success } else { Exit::Failed })
}
