//! `list init`.

use anyhow::Result;
use hashward_core::ListInfo;
use hashward_list::store::Store;
use serde_json::json;

use super::args::Init;
use crate::exit::Exit;
use crate::output::{Output, Style};

/// Makes an empty list.
pub(super) fn init(arguments: &Init, style: Style) -> Result<Exit> {
    let info = ListInfo {
        id: arguments.id.clone(),
        owner: arguments.owner.clone(),
        category: arguments.category.clone(),
        legal_basis: arguments.legal_basis.clone(),
        reference: arguments.reference.clone(),
        territories: arguments.territory.clone(),
        action: arguments.action,
        priority: arguments.priority,
        contact: arguments.contact.clone(),
        deadline_minutes: arguments.deadline_minutes,
    };
    let folder = &arguments.at.folder;
    let store = Store::init(folder, &info, arguments.who.step(&arguments.why)?)?;
    let state = store.state_number()?;
    let mut output = Output::stdout(style.color);
    if style.json {
        output.json(&json!({"list": info.id, "folder": folder.display().to_string(), "state": state}))?;
    } else {
        output.line(format_args!("{}: an empty list in {}, state {state}", info.id, folder.display()))?;
    }
    Ok(Exit::Success)
}
