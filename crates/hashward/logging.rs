//! The log: lines on standard error, for people on a terminal and as JSON elsewhere.

use std::io::{IsTerminal, stderr};

use anyhow::{Context as _, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::LogFormat;
use crate::nearest::nearest;
use crate::output::Color;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Whether `level` is a level or filter directives; else what would be right.
pub(crate) fn check_level(level: &str) -> Result<(), String> {
    // A bare word that is no level would be taken for the name of a module, and silence everything.
    for directive in level.split(',') {
        let word = directive.rsplit('=').next().unwrap_or_default().trim().to_lowercase();
        if !LEVELS.contains(&word.as_str()) {
            let near =
                nearest(&word, LEVELS).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(format!("expected one of {}{near}", LEVELS.join(", ")));
        }
    }
    level.parse::<EnvFilter>().map(drop).map_err(|error| error.to_string())
}

/// Starts the log. Once in a process. Says whether it is for people.
pub(crate) fn start(level: &str, format: LogFormat, color: Color) -> Result<bool> {
    let filter: EnvFilter = level.parse().context("log.level")?;
    let human = match format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_span_events(FmtSpan::NONE);
    let started = if human {
        builder.with_ansi(color.on(&stderr())).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))?;
    Ok(human)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        for level in ["info", "DEBUG", "info,hashward_kafka=debug", "off"] {
            assert_eq!(check_level(level), Ok(()), "{level}");
        }
        let error = check_level("inof").unwrap_err();
        assert!(error.ends_with("did you mean info?"), "{error}");
        assert!(check_level("").is_err());
    }
}
