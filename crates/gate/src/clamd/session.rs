//! One connection: commands in, replies out.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::framing::{Event, Malformed, Parser};
use super::{Command, Parts, Reach, reply, scan};
use crate::scanner::{Received, Taken, Talk, unnamed};
use crate::{Connection, DoorKind};

/// How long a client without prefix and newline is waited for before its command counts as whole.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Command,
    Close,
}

pub(super) struct Session {
    door: Arc<Parts>,
    talk: Talk,
    parser: Parser,
    /// The number of the last command, once the client asked for numbers.
    number: Option<u64>,
    stream: Option<Stream>,
    /// When the present command must be whole.
    command_deadline: Instant,
}

/// A stream on its way to the desk.
struct Stream {
    upload: Taken,
    deadline: Instant,
}

/// Serves a connection to its end. Its errors are the client's, and concern nobody else.
pub(super) async fn serve(door: Arc<Parts>, connection: Connection) {
    let parser = Parser::new(door.limits.stream_bytes_max);
    let command_deadline = Instant::now() + door.limits.command_timeout;
    let mut session =
        Session { door, talk: Talk::new(connection), parser, number: None, stream: None, command_deadline };
    if session.converse().await.is_ok() {
        // What is left of an upload leaves the desk before its client is waited for.
        drop(session.stream);
        session.talk.close().await;
    }
}

impl Session {
    async fn converse(&mut self) -> io::Result<()> {
        loop {
            let is_paused = self.parser.ends_at_pause();
            let deadline = if is_paused { Instant::now() + PAUSE } else { self.deadline() };
            let is_idle = self.parser.is_idle();
            match self.talk.receive(deadline.min(self.deadline()), is_idle).await? {
                Received::Bytes(bytes) => {
                    if self.take(&bytes).await? == Next::Close {
                        return Ok(());
                    }
                }
                Received::End | Received::TimedOut if is_paused => match self.parser.pause() {
                    Ok(Some(Event::Command(command))) => {
                        if self.command(command).await? == Next::Close {
                            return Ok(());
                        }
                    }
                    Ok(_) => {}
                    Err(malformed) => return self.refuse(malformed).await,
                },
                Received::End | Received::Closing => return Ok(()),
                Received::TimedOut => {
                    // clamd says this without a number, too: it is about no command.
                    self.number = None;
                    return self.reply(reply::TIMED_OUT.as_bytes()).await;
                }
            }
        }
    }

    /// A stream may take longer than a command, as long as something comes.
    fn deadline(&self) -> Instant {
        match &self.stream {
            Some(stream) => stream.deadline.min(Instant::now() + self.door.limits.command_timeout),
            None => self.command_deadline,
        }
    }

    /// Follows what came with one read.
    async fn take(&mut self, bytes: &Bytes) -> io::Result<Next> {
        let mut input = &bytes[..];
        // Small chunks go to the desk together.
        let mut chunks: Vec<&[u8]> = Vec::new();
        loop {
            let event = self.parser.next(&mut input);
            if let Ok(Some(Event::Data(data))) = event {
                chunks.push(data);
                continue;
            }
            self.push(bytes, &mut chunks).await;
            let next = match event {
                Ok(None) => break,
                Ok(Some(Event::Data(_))) => continue,
                Ok(Some(Event::DataEnd)) => self.stream_end().await?,
                Ok(Some(Event::Descriptor)) => self.descriptor().await?,
                Ok(Some(Event::Command(command))) => self.command(command).await?,
                Err(malformed) => {
                    self.refuse(malformed).await?;
                    Next::Close
                }
            };
            if next == Next::Close {
                return Ok(Next::Close);
            }
        }
        if self.talk.has_descriptor() && self.parser.is_idle() {
            self.reply(reply::STRAY_DESCRIPTOR.as_bytes()).await?;
            return Ok(Next::Close);
        }
        Ok(Next::Command)
    }

    async fn command(&mut self, command: Command) -> io::Result<Next> {
        let is_in_session = self.number.is_some();
        if let Some(number) = &mut self.number {
            *number += 1;
        }
        match command {
            Command::End if is_in_session => return Ok(Next::Close),
            Command::Session | Command::Reload if is_in_session => {
                self.reply(reply::INVALID_IN_SESSION.as_bytes()).await?;
                return Ok(Next::Close);
            }
            Command::Session => {
                self.number = Some(0);
                self.command_deadline = Instant::now() + self.door.limits.command_timeout;
                return Ok(Next::Command);
            }
            Command::InStream => {
                let upload = Taken::open(&self.door.desk, unnamed(DoorKind::Clamd, None));
                let deadline = Instant::now() + self.door.limits.stream_timeout;
                self.stream = Some(Stream { upload, deadline });
                return Ok(Next::Command);
            }
            Command::Descriptor => return Ok(Next::Command),
            Command::End => self.reply(reply::UNKNOWN.as_bytes()).await?,
            Command::Ping => self.reply(reply::PONG.as_bytes()).await?,
            Command::Reload => self.reply(reply::RELOADING.as_bytes()).await?,
            Command::Version => self.reply(reply::version(self.door.generation()).as_bytes()).await?,
            Command::VersionCommands => {
                self.reply(reply::version_commands(self.door.generation()).as_bytes()).await?;
            }
            Command::Stats => {
                let desk = self.door.desk.desk();
                let stats = reply::stats(desk.uploads_open(), desk.options().uploads_max);
                self.reply(stats.as_bytes()).await?;
            }
            Command::Scan { path, reach } => self.scan(path, reach).await?,
        }
        Ok(self.done())
    }

    /// A command was answered: only a session has more than one.
    fn done(&mut self) -> Next {
        self.command_deadline = Instant::now() + self.door.limits.command_timeout;
        if self.number.is_some() { Next::Command } else { Next::Close }
    }

    /// Chunks of one read go on to the desk, as one piece.
    async fn push(&mut self, bytes: &Bytes, chunks: &mut Vec<&[u8]>) {
        let piece = match chunks.as_slice() {
            [] => return,
            [chunk] => bytes.slice_ref(chunk),
            chunks => chunks.concat().into(),
        };
        chunks.clear();
        if let Some(stream) = &mut self.stream {
            stream.upload.push(piece).await;
        }
    }

    async fn stream_end(&mut self) -> io::Result<Next> {
        let Some(stream) = self.stream.take() else { return Ok(Next::Close) };
        let ruling = stream.upload.finish(&self.door.rules).await;
        self.reply(&reply::ruled(b"stream", &ruling)).await?;
        Ok(self.done())
    }

    async fn descriptor(&mut self) -> io::Result<Next> {
        let Some(descriptor) = self.talk.descriptor() else {
            self.reply(reply::NO_DESCRIPTOR.as_bytes()).await?;
            return Ok(Next::Close);
        };
        let reply = scan::descriptor(&self.door, descriptor).await;
        self.reply(&reply).await?;
        Ok(self.done())
    }

    async fn scan(&mut self, path: PathBuf, reach: Reach) -> io::Result<()> {
        let deadline = Instant::now() + self.door.limits.scan_timeout;
        let shown = reply::shown(&path);
        let mut replies = scan::scan(Arc::clone(&self.door), path, reach);
        loop {
            match timeout_at(deadline, replies.recv()).await {
                Ok(Some(reply)) => self.reply(&reply).await?,
                Ok(None) => return Ok(()),
                Err(_) => return self.reply(&reply::failed(&shown, "Time limit reached")).await,
            }
        }
    }

    async fn refuse(&mut self, malformed: Malformed) -> io::Result<()> {
        // A stream's command has been counted already.
        if let (Some(number), Malformed::UnknownCommand) = (&mut self.number, malformed) {
            *number += 1;
        }
        self.stream = None;
        self.reply(reply::malformed(malformed, self.number.is_some()).as_bytes()).await
    }

    async fn reply(&mut self, text: &[u8]) -> io::Result<()> {
        self.talk.send(&reply::framed(self.number, text, self.parser.terminator())).await
    }
}
