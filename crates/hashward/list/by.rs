//! Who makes a change, why and when.

use anyhow::{Context as _, Result};
use clap::Args;
use hashward_list::store::StepInfo;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Who makes a change.
#[derive(Args, Debug)]
pub(crate) struct Who {
    /// Who makes the change. Else the user's name, from USER
    #[arg(long, value_name = "NAME", env = "HASHWARD_WHO")]
    who: Option<String>,
}

impl Who {
    /// A step of theirs, now.
    pub(crate) fn step(&self, why: impl Into<String>) -> Result<StepInfo> {
        let said = |name: &String| !name.is_empty();
        let who = self.who.clone().filter(said).or_else(|| std::env::var("USER").ok().filter(said));
        let who = who.context("nobody is named who makes the change: say --who NAME, or set HASHWARD_WHO")?;
        Ok(StepInfo { who, why: why.into(), when: Timestamp::now() })
    }
}

/// Reads a moment: a day, which begins at midnight UTC, or as in RFC 3339.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let expected = "expected a day, such as 2026-01-31, or a moment, such as 2026-01-31T12:00:00Z";
    let midnight = |day: Date| {
        day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
    };
    // A day is also the beginning of a moment: `Date` would read both.
    if text.len() == "2026-01-31".len() {
        return text.parse().map_err(|_| expected.to_owned()).and_then(midnight);
    }
    text.parse().map_err(|_| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ] {
            assert_eq!(moment(text).map(|moment| moment.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "tomorrow", "2026-02-30", "2026-1-31", "2026-01-31T12:00:00", "31.01.2026"] {
            assert!(moment(text).is_err_and(|problem| problem.contains("expected")), "{text}");
        }
    }
}
