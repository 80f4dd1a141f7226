//! Prints alerts as they leave.

use std::fmt::Display;
use std::io;
use std::time::{Duration, Instant};

use hashward_engine::{Delivery, Judged, Outgoing, PortError, outgoing};
use serde_json::Value;
use tracing::warn;

use crate::output::{Output, Paint, Style, tame, verdict_paint};

/// Writes alerts to standard output: readable lines, or JSON.
pub(crate) struct Printer {
    output: Output<io::Stdout>,
    json: bool,
    failed: bool,
}

impl Printer {
    /// A printer in this style.
    pub(crate) fn new(style: Style) -> Self {
        Self { output: Output::stdout(style.color), json: style.json, failed: false }
    }

    /// Prints an alert that is written as one JSON object.
    pub(crate) fn print_text(&mut self, event: &str) {
        match serde_json::from_str::<Value>(event) {
            Ok(value) if !self.json => self.print_line(line(&value, &self.output)),
            _ => self.print_line(event),
        }
    }

    /// Prints an alert.
    fn print(&mut self, event: &Value) {
        if self.json { self.print_line(event) } else { self.print_line(line(event, &self.output)) }
    }

    /// That standard output takes nothing more is told once, and stops nobody: the alert itself is delivered
    /// elsewhere.
    fn print_line(&mut self, line: impl Display) {
        if let Err(error) = self.output.line(line)
            && !std::mem::replace(&mut self.failed, true)
        {
            warn!(%error, "alerts cannot be printed; they are still delivered");
        }
    }
}

/// An alert, as one of CloudEvents, as one readable line.
pub(crate) fn line<W: io::Write>(event: &Value, output: &Output<W>) -> String {
    let data = &event["data"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let word = text(&data["action"]);
    let content = &data["content"];
    let name = content["subject"].as_str().or(content["id"].as_str()).unwrap_or_default();
    let reason = |found: &Value| {
        let digests = found["digests"].as_object().into_iter().flatten();
        let algorithms: Vec<&str> = digests.map(|(algorithm, _)| algorithm.as_str()).collect();
        let (list, entry, ground) = (text(&found["list"]), text(&found["entry"]), text(&found["ground"]));
        format!("{list} {entry} ({}, {ground})", algorithms.join(" "))
    };
    let reasons: Vec<String> = data["matches"].as_array().into_iter().flatten().map(reason).collect();
    let reasons = output.paint(Paint::Dim, reasons.join(", "));
    let action = output.paint(verdict_paint(&word), format!("{word:<8}"));
    format!("{action} {}  {reasons}", tame(name))
}

/// A delivery that prints what it took: for destinations that do not tell when an alert has arrived.
pub(crate) struct Printing<D> {
    delivery: D,
    printer: Option<Printer>,
    instance: String,
}

impl<D> Printing<D> {
    /// Prints what `delivery` took, if there is a printer.
    pub(crate) fn new(delivery: D, printer: Option<Printer>, instance: &str) -> Self {
        Self { delivery, printer, instance: instance.to_owned() }
    }
}

impl<D: Delivery> Delivery for Printing<D> {
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError> {
        self.delivery.deliver(judged)?;
        let Some(printer) = &mut self.printer else { return Ok(()) };
        for notable in &judged.notable {
            if let Outgoing::Alert(alert) = &notable.outgoing {
                printer.print(&outgoing::structured(alert, &self.instance));
            }
        }
        Ok(())
    }

    fn idle(&mut self, wait: Duration) -> Result<(), PortError> {
        self.delivery.idle(wait)
    }

    fn drain(&mut self, deadline: Instant) -> Result<bool, PortError> {
        self.delivery.drain(deadline)
    }
}
