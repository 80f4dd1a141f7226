//! Replies: RFC 3507, sections 4.3.3 and 4.10.

use super::framing::Malformed;
use super::head::Method;
use super::page;
use crate::scanner::{Ruling, threat_name};

/// How long a client may remember what a service can do, in seconds; `ISTag` tells it earlier when lists have changed.
const OPTIONS_TTL_SECONDS: u32 = 3600;

/// What is the same in each reply.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// The state of the service (RFC 3507, section 4.7): another with each generation, and with each start.
    pub(super) tag: String,
    /// Whether the connection is closed behind the reply.
    pub(super) closes: bool,
}

impl Common {
    fn begin(&self, status: &str, more: &str, encapsulated: &str) -> Vec<u8> {
        let Self { tag, closes } = self;
        let connection = if *closes { "close" } else { "keep-alive" };
        format!(
            "ICAP/1.0 {status}\r\nISTag: \"{tag}\"\r\nService: Hashward/{}\r\nConnection: {connection}\r\n\
             {more}Encapsulated: {encapsulated}\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )
        .into_bytes()
    }

    /// A status without content.
    pub(super) fn bare(&self, status: &str) -> Vec<u8> {
        self.begin(status, "", "null-body=0")
    }

    /// The message passes as it came, and the client has kept it.
    pub(super) fn unmodified(&self) -> Vec<u8> {
        self.bare("204 No Content")
    }

    /// The message passes as it came; these are its head, and whether its body follows in chunks.
    pub(super) fn returned(&self, method: Method, head: &[u8], has_body: bool) -> Vec<u8> {
        let (name, body) = match method {
            Method::Respmod => ("res-hdr", "res-body"),
            Method::Reqmod | Method::Options => ("req-hdr", "req-body"),
        };
        let body = if has_body { body } else { "null-body" };
        let encapsulated = match head.len() {
            0 => format!("{body}=0"),
            length => format!("{name}=0, {body}={length}"),
        };
        let mut reply = self.begin("200 OK", "", &encapsulated);
        reply.extend_from_slice(head);
        reply
    }

    /// What a service can do.
    pub(super) fn options(&self, methods: &str, preview_bytes: u64, connections_max: usize) -> Vec<u8> {
        let more = format!(
            "Methods: {methods}\r\nAllow: 204\r\nPreview: {preview_bytes}\r\nTransfer-Preview: *\r\n\
             Max-Connections: {connections_max}\r\nOptions-TTL: {OPTIONS_TTL_SECONDS}\r\n"
        );
        self.begin("200 OK", &more, "null-body=0")
    }

    /// What is sent instead of a message that does not pass; None if it passes.
    pub(super) fn instead(&self, ruling: &Ruling) -> Option<Vec<u8>> {
        let (status, more, page) = match ruling {
            Ruling::Pass => return None,
            Ruling::Block(matches) => {
                // One name for each list, the decisive one first.
                let threat = matches.first().map(threat_name).unwrap_or_default();
                let more = format!(
                    "X-Infection-Found: Type=0; Resolution=2; Threat={threat};\r\nX-Virus-ID: {threat}\r\n"
                );
                ("403 Forbidden", more, page::blocked(matches))
            }
            Ruling::Unjudged(why) => ("503 Service Unavailable", String::new(), page::unjudged(why)),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\n\r\n",
            page.len()
        );
        let mut reply = self.begin("200 OK", &more, &format!("res-hdr=0, res-body={}", head.len()));
        reply.extend_from_slice(head.as_bytes());
        reply.extend(chunk(page.as_bytes()));
        reply.extend_from_slice(LAST_CHUNK);
        Some(reply)
    }
}

/// Behind the last chunk of a body.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The client is to send the rest of its body.
pub(super) const CONTINUE: &[u8] = b"ICAP/1.0 100 Continue\r\n\r\n";

/// Bytes of a body, framed.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The status for what cannot be understood.
pub(super) fn malformed(malformed: Malformed) -> &'static str {
    match malformed {
        Malformed::Version => "505 ICAP Version Not Supported",
        Malformed::Method => "501 Method Not Implemented",
        Malformed::Head
        | Malformed::HeadTooLarge
        | Malformed::Encapsulated
        | Malformed::Chunk
        | Malformed::PreviewTooLong => "400 Bad Request",
    }
}
