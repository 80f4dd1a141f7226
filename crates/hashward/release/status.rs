//! `release status`.

use anyhow::Result;
use hashward_tuf::desk::{Repository, RoleStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Status;
use super::draft;
use crate::exit::Exit;
use crate::output::{Output, Paint, Style};

/// Shows how a repository is, or how far a draft is.
pub(super) fn status(arguments: &Status, style: Style) -> Result<Exit> {
    if arguments.subject.is_file() {
        draft::tell(&arguments.subject, &draft::read(&arguments.subject)?, style)?;
        return Ok(Exit::Success);
    }
    let status = Repository::at(&arguments.subject).status(Timestamp::now())?;
    let is_sound = |role: &RoleStatus| !role.is_expired && role.signatures.is_done();
    let mut output = Output::stdout(style.color);
    if style.json {
        let roles: Vec<Value> = status.roles.iter().map(object).collect();
        output.json(&json!({"repository": arguments.subject, "targets": status.targets, "roles": roles}))?;
    } else {
        for role in &status.roles {
            let expiry = if role.is_expired { "expired on" } else { "counts until" };
            let line = format!("{}; {expiry} {}", draft::line(&role.signatures), role.expires);
            let paint = if is_sound(role) { Paint::Green } else { Paint::Red };
            output.line(output.paint(paint, line))?;
        }
        output.line(format_args!("{} target files", status.targets))?;
    }
    Ok(if status.roles.iter().all(is_sound) { Exit::Success } else { Exit::Failed })
}

fn object(role: &RoleStatus) -> Value {
    let mut object = draft::object(&role.signatures);
    object["expires"] = role.expires.to_string().into();
    object["expired"] = role.is_expired.into();
    object
}
