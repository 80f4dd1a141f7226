//! The head of an ICAP request: RFC 3507, section 4.3.

use super::encapsulated::Sections;
use super::framing::Malformed;

/// What a client asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// What a service can do.
    Options,
    /// To look at an HTTP request before it goes to its server.
    Reqmod,
    /// To look at an HTTP response before it goes to its client.
    Respmod,
}

/// The head of an ICAP request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// What is asked for.
    pub method: Method,
    /// The path of the service, without its first slash and without a query.
    pub service: String,
    /// How many bytes of the body come before the client waits, if it waits.
    pub preview_bytes: Option<u64>,
    /// Whether the client takes 204 (no modification) at any time: it keeps the message itself.
    pub allows_204: bool,
    /// Whether the client wants the connection closed afterwards.
    pub closes: bool,
    /// What is encapsulated.
    pub sections: Sections,
}

impl Head {
    /// Reads a head, up to and with its empty line.
    pub(crate) fn parse(head: &[u8], encapsulated_bytes_max: usize) -> Result<Self, Malformed> {
        let head = str::from_utf8(head).map_err(|_| Malformed::Head)?;
        let mut lines = head.strip_suffix("\r\n\r\n").ok_or(Malformed::Head)?.split("\r\n");
        let (method, service) = request_line(lines.next().unwrap_or_default())?;
        let mut parsed = Self {
            method,
            service,
            preview_bytes: None,
            allows_204: false,
            closes: false,
            sections: Sections::default(),
        };
        let (mut encapsulated, mut host_count) = (None, 0);
        for line in lines {
            let (name, value) = field(line)?;
            if name.eq_ignore_ascii_case("Encapsulated") {
                if encapsulated.replace(value).is_some() {
                    return Err(Malformed::Encapsulated);
                }
            } else if name.eq_ignore_ascii_case("Preview") {
                let is_number = value.len() <= 18 && value.bytes().all(|byte| byte.is_ascii_digit());
                let bytes = value.parse().ok().filter(|_| is_number).ok_or(Malformed::Head)?;
                if parsed.preview_bytes.replace(bytes).is_some() {
                    return Err(Malformed::Head);
                }
            } else if name.eq_ignore_ascii_case("Allow") {
                parsed.allows_204 |= value.split(',').any(|status| status.trim() == "204");
            } else if name.eq_ignore_ascii_case("Connection") {
                let mut tokens = value.split(',');
                parsed.closes |= tokens.any(|token| token.trim().eq_ignore_ascii_case("close"));
            } else if name.eq_ignore_ascii_case("Host") {
                host_count += 1;
            } else if name.eq_ignore_ascii_case("Transfer-Encoding")
                || name.eq_ignore_ascii_case("Content-Length")
            {
                // Encapsulated alone says what follows: whoever says it twice may mean two things.
                return Err(Malformed::Head);
            }
        }
        if host_count > 1 {
            return Err(Malformed::Head);
        }
        parsed.sections = match encapsulated {
            Some(value) => Sections::parse(value, method, encapsulated_bytes_max)?,
            None if method == Method::Options => Sections::default(),
            None => return Err(Malformed::Encapsulated),
        };
        Ok(parsed)
    }
}

fn request_line(line: &str) -> Result<(Method, String), Malformed> {
    let mut words = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::Head);
    };
    let is_token = |word: &str| !word.is_empty() && word.bytes().all(is_token_byte);
    if !is_token(method) || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Malformed::Head);
    }
    match version {
        "ICAP/1.0" => {}
        _ if version.starts_with("ICAP/") => return Err(Malformed::Version),
        _ => return Err(Malformed::Head),
    }
    let path = match uri.split_once("://") {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("icap") || scheme.eq_ignore_ascii_case("icaps") =>
        {
            rest.split_once('/').map_or("", |(_, path)| path)
        }
        Some(_) => return Err(Malformed::Head),
        None => uri.strip_prefix('/').ok_or(Malformed::Head)?,
    };
    let service = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let method = match method {
        "OPTIONS" => Method::Options,
        "REQMOD" => Method::Reqmod,
        "RESPMOD" => Method::Respmod,
        _ => return Err(Malformed::Method),
    };
    Ok((method, service))
}

/// Name and value of a header line. Lines that go on in the next one are of another time, and refused.
fn field(line: &str) -> Result<(&str, &str), Malformed> {
    let (name, value) = line.split_once(':').ok_or(Malformed::Head)?;
    let is_name = !name.is_empty() && name.bytes().all(is_token_byte);
    if !is_name || value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(Malformed::Head);
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[path = "head/tests.rs"]
mod tests;
