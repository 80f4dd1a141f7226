//! Alerts and quarantined records as files of JSON objects, one a line.
//!
//! What was sent is written and synced when acknowledgements are asked for, all at once (group commit):
//! nothing is acknowledged before it is on the disk. A write that fails is cut off again, so that a reader
//! never sees half a line and the next attempt writes nothing twice. After a crash the ids at the end of the
//! files tell what was written, and a replay of it is acknowledged without being written again.

mod append;
mod line;
mod recent;

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use hashward_engine::{AlertSink, Metrics, Outgoing, PortError, Ticket, outgoing};

use self::append::AppendFile;
use self::recent::Recent;
use crate::LocalError;

/// Called with each alert's line, without its line feed, once it is on the disk.
pub type OnDurable = Box<dyn FnMut(&str) + Send>;

/// Where alerts and quarantined records are written.
#[derive(Clone, Debug)]
pub struct NdjsonOptions {
    /// The file of alerts, in the structured mode of CloudEvents.
    pub alerts: PathBuf,
    /// The file of records that could not be judged.
    pub quarantine: PathBuf,
    /// The name of this instance in the alerts' `source`.
    pub instance: String,
    /// The most bytes that wait to be written, for each of the files. When there are as many, sending waits
    /// for the disk. One line alone may be longer.
    pub pending_bytes_max: usize,
}

/// The limit on waiting bytes that [`NdjsonOptions`] had better start from: 16 MiB.
pub const PENDING_BYTES_DEFAULT: usize = 16 << 20;

/// The files as an alert sink. No two sinks, in this process or another, can have the same file.
pub struct NdjsonSink {
    alerts: Output,
    quarantine: Output,
    instance: String,
    /// What was written before it was sent, and waits to be told.
    acknowledged: Vec<Ticket>,
    on_durable: Option<OnDurable>,
    metrics: Metrics,
}

/// A file, and what waits to be written to it.
struct Output {
    file: AppendFile,
    port: &'static str,
    recent: Recent,
    pending: Vec<u8>,
    tickets: Vec<Ticket>,
    pending_bytes_max: usize,
}

impl NdjsonSink {
    /// Opens both files, creating what is missing with mode 0600, and reads the ids at their ends.
    ///
    /// Half a line at the end of a file, which a crash left, is cut off. Fails if a file is in use by another
    /// sink, is no regular file, or holds something else.
    pub fn open(
        options: NdjsonOptions,
        metrics: Metrics,
        on_durable: Option<OnDurable>,
    ) -> Result<Self, LocalError> {
        if options.alerts == options.quarantine {
            return Err(LocalError::SameFile { path: options.alerts });
        }
        let output = |path: &Path, port| Output::open(path, port, options.pending_bytes_max);
        Ok(Self {
            alerts: output(&options.alerts, "alerts.file")?,
            quarantine: output(&options.quarantine, "quarantine.file")?,
            instance: options.instance,
            acknowledged: Vec::new(),
            on_durable,
            metrics,
        })
    }

    /// Writes and syncs what waits for either file. The other is also tried if the first fails.
    fn flush(&mut self) -> Result<(), PortError> {
        let on_durable = &mut self.on_durable;
        let alerts = self.alerts.flush(&mut self.acknowledged, |lines| {
            if let Some(on_durable) = on_durable {
                lines.lines().for_each(on_durable);
            }
        });
        let quarantine = self.quarantine.flush(&mut self.acknowledged, |_| {});
        alerts.and(quarantine)
    }
}

impl Output {
    fn open(path: &Path, port: &'static str, pending_bytes_max: usize) -> Result<Self, LocalError> {
        let (file, ids) = AppendFile::open(path)?;
        let mut recent = Recent::default();
        for id in ids {
            recent.insert(&id);
        }
        Ok(Self { file, port, recent, pending: Vec::new(), tickets: Vec::new(), pending_bytes_max })
    }

    /// Takes a line, unless one of the same id was written lately. Whether it was.
    fn take(&mut self, ticket: Ticket, id: &str, line: impl FnOnce() -> Vec<u8>) -> bool {
        let is_repeat = !self.recent.insert(id);
        if !is_repeat {
            self.pending.append(&mut line());
            self.pending.push(b'\n');
        }
        // A repeat of what is not on the disk yet must not be acknowledged before it is.
        self.tickets.push(ticket);
        is_repeat
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= self.pending_bytes_max
    }

    /// Makes everything that waits durable, and acknowledges it. If that fails everything goes on waiting.
    fn flush(&mut self, acknowledged: &mut Vec<Ticket>, durable: impl FnOnce(&str)) -> Result<(), PortError> {
        if !self.pending.is_empty() {
            let written = self.file.append(&self.pending);
            written.map_err(|error| PortError::Unavailable {
                port: self.port,
                detail: format!("writing {}: {error}", self.file.path().display()),
            })?;
            durable(std::str::from_utf8(&self.pending).expect("JSON is UTF-8"));
            self.pending.clear();
            self.pending.shrink_to(self.pending_bytes_max);
        }
        acknowledged.append(&mut self.tickets);
        Ok(())
    }
}

impl AlertSink for NdjsonSink {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        // Asked before anything is taken, so that what is refused can be sent again.
        if self.alerts.is_full() || self.quarantine.is_full() {
            self.flush()?;
        }
        let is_repeat = match outgoing {
            Outgoing::Alert(alert) => {
                let line = || outgoing::structured(alert, &self.instance).to_string().into_bytes();
                self.alerts.take(ticket, &alert.alert_id.to_string(), line)
            }
            Outgoing::Quarantined(record) => {
                let id = line::quarantine_id(record);
                self.quarantine.take(ticket, &id, || line::quarantined(&id, record).to_string().into_bytes())
            }
        };
        if is_repeat {
            self.metrics.repeat_dropped();
        }
        Ok(())
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        let flushed = self.flush();
        if flushed.is_ok() && self.acknowledged.is_empty() {
            // Nothing was sent, and nothing will be while the caller waits here.
            thread::sleep(wait);
        }
        acknowledged.append(&mut self.acknowledged);
        flushed
    }
}

impl fmt::Debug for NdjsonSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = (self.alerts.file.path(), self.quarantine.file.path());
        f.debug_tuple("NdjsonSink").field(&paths.0).field(&paths.1).finish()
    }
}

#[cfg(test)]
mod tests;
