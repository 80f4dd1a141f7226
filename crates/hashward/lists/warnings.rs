//! What is to be said of lists that were loaded.

use hashward_engine::LoadedList;
use hashward_engine::lists::Quarantined;
use hashward_list::BadLines;

/// Each bad line that is known, as `file:line: what is wrong`.
pub(super) fn skipped(path: &str, bad: &BadLines) -> Vec<String> {
    let told = bad.first.iter().map(|line| format!("{path}:{}: skipped: {}", line.line, line.problem));
    let mut warnings: Vec<String> = told.collect();
    let more = bad.count - bad.first.len() as u64;
    if more > 0 {
        warnings.push(format!("{path}: and {more} more bad lines skipped"));
    }
    warnings
}

/// Which entries of a list are held back.
pub(super) fn held_back(list: &LoadedList) -> String {
    let Quarantined { count, first } = &list.quarantined;
    let named: Vec<String> = first.iter().map(ToString::to_string).collect();
    let more = if *count > first.len() as u64 { ", …" } else { "" };
    format!(
        "list {}: {count} entries are known as good and held back from matching: {}{more}",
        list.info.id,
        named.join(", ")
    )
}
