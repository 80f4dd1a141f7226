//! How the process ends.

use std::process::ExitCode;

/// The exit codes. Scripts rely on them: a number never changes its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done. `scan`, `explain`, `list find`: nothing matched. `run`: stopped, and everything in flight is
    /// finished.
    Success = 0,
    /// `scan`, `explain`, `list find`: something matched. `subscribe status`: something wants attention. `evidence verify`:
    /// see [`Exit::TAMPERED`].
    Matched = 1,
    /// Usage, configuration or a list is wrong; `list check` found damage; or `scan` could not read
    /// something, which then did not match nothing.
    Failed = 2,
    /// `run`: time ran out while finishing what was in flight, or a second signal came. What was not
    /// delivered is not committed, and is read again.
    DrainTimedOut = 3,
    /// `run`: the source or the destination stayed unavailable beyond `line.unavailable_max_ms`.
    Unavailable = 4,
    /// `run`: another instance with the same identity took over.
    Fenced = 5,
}

impl Exit {
    /// `evidence verify` and `evidence prove`: something is not what was signed.
    pub(crate) const TAMPERED: Self = Self::Matched;
}

/// The same table for `--help` and the manual.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; scan, explain, list find: nothing matched; run: stopped, everything in flight finished
  1  scan, explain, list find: something matched; subscribe status: something to see to; evidence verify: tampering
  2  usage, configuration or a list is wrong; list check: damage; scan: something could not be read
  3  run: time ran out while finishing what was in flight (line.drain_timeout_ms), or a second signal came
  4  run: source or destination unavailable for too long (line.unavailable_max_ms)
  5  run: another instance with the same identity took over";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code() {
        let all = [
            Exit::Success,
            Exit::Matched,
            Exit::Failed,
            Exit::DrainTimedOut,
            Exit::Unavailable,
            Exit::Fenced,
        ];
        let codes = EXIT_CODES.lines().skip(1).map(|line| line.trim().split(' ').next().unwrap_or_default());
        assert!(codes.eq(all.map(|exit| (exit as u8).to_string()).iter().map(String::as_str)));
    }
}
