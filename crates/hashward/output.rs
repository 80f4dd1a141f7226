//! Standard output: whole lines, colour where it helps, and a quiet end when nobody reads any more.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to use colour on `stream`.
    pub(crate) fn on(self, stream: &impl IsTerminal) -> bool {
        // https://no-color.org: set and not empty.
        let refused = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && !refused(),
        }
    }
}

/// How results are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// When to use colour.
    pub(crate) color: Color,
}

/// The colours in use, each with one meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// Content must go.
    Red,
    /// Somebody should look.
    Yellow,
    /// All is well.
    Green,
    /// Less important.
    Dim,
    /// More important.
    Bold,
}

/// Standard output. A reader that is gone is no error: what is left to say is dropped.
pub(crate) struct Output<W: Write> {
    writer: W,
    colored: bool,
    closed: bool,
}

impl Output<io::Stdout> {
    /// The process's standard output.
    pub(crate) fn stdout(color: Color) -> Self {
        let writer = io::stdout();
        let colored = color.on(&writer);
        Self { writer, colored, closed: false }
    }
}

impl<W: Write> Output<W> {
    /// Writes a line and flushes it, so that a reader never sees half of one. Fails if the writer has no
    /// room.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.text(&text)
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes one JSON object as a line.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        self.line(value)
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Text in colour, if this output has any.
    pub(crate) fn paint(&self, paint: Paint, text: impl fmt::Display) -> String {
        painted(self.colored, paint, text)
    }
}

/// Text in colour if `colored`.
pub(crate) fn painted(colored: bool, paint: Paint, text: impl fmt::Display) -> String {
    if !colored {
        return text.to_string();
    }
    let code = match paint {
        Paint::Red => "31",
        Paint::Yellow => "33",
        Paint::Green => "32",
        Paint::Dim => "2",
        Paint::Bold => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// The colour of a verdict's word.
pub(crate) fn verdict_paint(word: &str) -> Paint {
    match word {
        "block" | "takedown" => Paint::Red,
        "review" | "unreadable" => Paint::Yellow,
        "allow" => Paint::Green,
        _ => Paint::Dim,
    }
}

/// Text from outside, made harmless for a terminal: control characters and what reorders text are escaped.
pub(crate) fn tame(text: &str) -> String {
    let reorders =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || reorders(c) { tamed.extend(c.escape_default()) } else { tamed.push(c) }
    }
    tamed
}

/// A number with thousands apart: `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// How many there were in a second; a moment counts as a millisecond.
pub(crate) fn per_second(number: u64, took: Duration) -> u64 {
    let rate = u128::from(number) * 1000 / took.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// `1 file`, `2 files`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        let mut output = Output { writer: Closed, colored: false, closed: false };
        output.line("one").unwrap();
        assert!(output.is_closed());
        output.line("two").unwrap();
    }

    #[test]
    fn numbers_and_names() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(per_second(3000, Duration::from_millis(1500)), 2000);
        assert_eq!(per_second(7, Duration::ZERO), 7000);
        assert_eq!(counted(1, "file", "files"), "1 file");
        assert_eq!(tame("a\x1b[31m\u{202e}\nü"), "a\\u{1b}[31m\\u{202e}\\nü");
    }
}
