//! One connection: requests in, replies out, one after the other.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::form::Form;
use super::framing::{Event, Parser, Request};
use super::head::{Head, Method};
use super::reply::{self, Common};
use super::spool::{Spool, SpoolError};
use super::{Parts, Service, http};
use crate::Connection;
use crate::scanner::{Received, Taken, Talk};

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Request,
    Close,
}

struct Session {
    door: Arc<Parts>,
    talk: Talk,
    parser: Parser,
    message: Option<Message>,
    /// When the head that is being read must be whole, or the next one must have begun.
    head_deadline: Instant,
}

/// A message whose body is coming.
struct Message {
    request: Request,
    upload: Taken,
    form: Option<Form>,
    /// Where the body is kept: if the client does not keep it itself.
    spool: Option<Spool>,
    /// Whether all that came so far was a preview: then the client has kept it all.
    is_preview: bool,
    deadline: Instant,
}

/// Serves a connection to its end. Its errors are the client's, and concern nobody else.
pub(super) async fn serve(door: Arc<Parts>, connection: Connection) {
    let head_deadline = Instant::now() + door.limits.idle_timeout;
    let (talk, parser) = (Talk::new(connection), Parser::default());
    let mut session = Session { door, talk, parser, message: None, head_deadline };
    if session.converse().await.is_ok() {
        // What is left of an upload leaves the desk before its client is waited for.
        drop(session.message);
        session.talk.close().await;
    }
}

impl Session {
    async fn converse(&mut self) -> io::Result<()> {
        loop {
            let is_idle = self.message.is_none() && self.parser.is_idle();
            match self.talk.receive(self.deadline(), is_idle).await? {
                Received::End | Received::Closing => return Ok(()),
                Received::TimedOut if is_idle => return Ok(()),
                Received::TimedOut => return self.refuse("408 Request Timeout").await,
                Received::Bytes(bytes) => {
                    if is_idle {
                        self.head_deadline = Instant::now() + self.door.limits.silence_timeout;
                    }
                    if self.take(&bytes).await? == Next::Close {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        match &self.message {
            Some(message) => message.deadline.min(Instant::now() + self.door.limits.silence_timeout),
            None => self.head_deadline,
        }
    }

    /// Follows what came with one read.
    async fn take(&mut self, bytes: &Bytes) -> io::Result<Next> {
        let mut input = &bytes[..];
        loop {
            let next = match self.parser.next(&mut input) {
                Ok(None) => return Ok(Next::Request),
                Ok(Some(Event::Request(request))) => self.request(*request).await?,
                Ok(Some(Event::Data(data))) => self.data(bytes.slice_ref(data)).await?,
                Ok(Some(Event::PreviewEnd)) => self.preview_end().await?,
                Ok(Some(Event::BodyEnd)) => self.body_end().await?,
                Err(malformed) => {
                    self.refuse(reply::malformed(malformed)).await?;
                    Next::Close
                }
            };
            if next == Next::Close {
                return Ok(Next::Close);
            }
        }
    }

    async fn request(&mut self, request: Request) -> io::Result<Next> {
        let Head { method, service, closes, sections, .. } = &request.head;
        let Some(service) = Service::named(service) else {
            self.refuse("404 ICAP Service Not Found").await?;
            return Ok(Next::Close);
        };
        let common = self.common(*closes);
        match method {
            Method::Options => {
                let limits = self.door.limits;
                let options = common.options(service.methods(), limits.preview_bytes, limits.connections_max);
                self.talk.send(&options).await?;
                return Ok(self.done(&common));
            }
            method if !service.takes(*method) => {
                self.refuse("405 Method Not Allowed For Service").await?;
                return Ok(Next::Close);
            }
            Method::Reqmod | Method::Respmod if !sections.has_body => {
                let reply = if request.head.allows_204 {
                    common.unmodified()
                } else {
                    common.returned(*method, request.head_to_return(), false)
                };
                self.talk.send(&reply).await?;
                return Ok(self.done(&common));
            }
            Method::Reqmod | Method::Respmod => {}
        }
        let url = http::url(&request.request_head);
        let head = request.head_to_return();
        let content_type = http::content_type(head).map(str::to_owned);
        let form =
            http::boundary(head).map(|boundary| Form::open(Arc::clone(&self.door), boundary, url.clone()));
        let upload = self.door.open(url, content_type);
        let spool = (!request.head.allows_204).then(|| Spool::new(&self.door.spools));
        let is_preview = request.head.preview_bytes.is_some();
        let deadline = Instant::now() + self.door.limits.body_timeout;
        self.message = Some(Message { request, upload, form, spool, is_preview, deadline });
        Ok(Next::Request)
    }

    async fn data(&mut self, bytes: Bytes) -> io::Result<Next> {
        let Some(message) = &mut self.message else { return Ok(Next::Close) };
        if let Some(spool) = &mut message.spool
            && let Err(error) = spool.push(&bytes).await
        {
            return self.unreturnable(&error).await;
        }
        if let Some(form) = &message.form {
            form.push(bytes.clone()).await;
        }
        message.upload.push(bytes).await;
        Ok(Next::Request)
    }

    /// The client waits. A body that nobody can judge is answered now.
    async fn preview_end(&mut self) -> io::Result<Next> {
        let Some(message) = &mut self.message else { return Ok(Next::Close) };
        let is_over = message.upload.is_over() && message.form.is_none();
        if is_over {
            self.parser.abandon();
            return self.body_end().await;
        }
        message.is_preview = false;
        self.talk.send(reply::CONTINUE).await?;
        self.parser.go_on();
        Ok(Next::Request)
    }

    async fn body_end(&mut self) -> io::Result<Next> {
        let Some(message) = self.message.take() else { return Ok(Next::Close) };
        let mut ruling = message.upload.finish(&self.door.rules).await;
        if let Some(form) = message.form {
            ruling = ruling.or(form.finish(&self.door).await);
        }
        // The tag is that of the lists which judged, or of newer ones.
        let common = self.common(message.request.head.closes);
        if let Some(instead) = common.instead(&ruling) {
            self.talk.send(&instead).await?;
        } else if message.request.head.allows_204 || message.is_preview {
            self.talk.send(&common.unmodified()).await?;
        } else if let Some(spool) = message.spool {
            let head = message.request.head_to_return();
            self.talk.send(&common.returned(message.request.head.method, head, true)).await?;
            if self.give_back(&spool).await.is_err() {
                // The reply is cut off in the middle, which is all that can still be said.
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(self.done(&common))
    }

    async fn give_back(&mut self, spool: &Spool) -> Result<(), SpoolError> {
        let mut offset = 0;
        loop {
            let piece = spool.read(offset).await?;
            if piece.is_empty() {
                return Ok(self.talk.send(reply::LAST_CHUNK).await?);
            }
            offset += piece.len() as u64;
            self.talk.send(&reply::chunk(&piece)).await?;
        }
    }

    /// The body cannot be kept, so that it could not be given back: the client is to decide.
    async fn unreturnable(&mut self, error: &SpoolError) -> io::Result<Next> {
        if let SpoolError::Io(error) = error {
            tracing::warn!(%error, "a body could not be spooled");
        }
        self.door.rules.door.refused(error.word());
        self.refuse("503 Service Overloaded").await?;
        Ok(Next::Close)
    }

    /// A reply after which the connection is closed, since what follows cannot be told apart.
    async fn refuse(&mut self, status: &str) -> io::Result<()> {
        self.message = None;
        let refusal = self.common(true).bare(status);
        self.talk.send(&refusal).await
    }

    fn common(&self, closes: bool) -> Common {
        Common { tag: self.door.tag(), closes: closes || self.talk.is_closing() }
    }

    fn done(&mut self, common: &Common) -> Next {
        self.head_deadline = Instant::now() + self.door.limits.idle_timeout;
        if common.closes { Next::Close } else { Next::Request }
    }
}

impl Request {
    /// The head of the message that passes or does not.
    fn head_to_return(&self) -> &[u8] {
        match self.head.method {
            Method::Respmod => &self.response_head,
            Method::Reqmod | Method::Options => &self.request_head,
        }
    }
}
