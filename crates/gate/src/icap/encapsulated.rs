use super::framing::Malformed;
use super::head::Method;

/// Which parts of an HTTP message a request carries, and how long the heads are: RFC 3507, section 4.4.1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sections {
    /// The length of the HTTP request's head, in bytes, if it is there.
    pub request_head_bytes: Option<usize>,
    /// The length of the HTTP response's head, in bytes, if it is there.
    pub response_head_bytes: Option<usize>,
    /// Whether a body follows.
    pub has_body: bool,
}

impl Sections {
    /// The length of both heads together, in bytes.
    pub(crate) fn heads_bytes(&self) -> usize {
        self.request_head_bytes.unwrap_or_default() + self.response_head_bytes.unwrap_or_default()
    }

    /// Reads the value of an `Encapsulated` header, for a request of this method. Both heads together may have `heads_bytes_max`.
    pub(crate) fn parse(value: &str, method: Method, heads_bytes_max: usize) -> Result<Self, Malformed> {
        let mut sections = Self::default();
        let mut begun: Option<(&str, usize)> = None;
        let mut is_ended = false;
        for part in value.split(',') {
            let (name, offset) = part.trim().split_once('=').ok_or(Malformed::Encapsulated)?;
            let is_number = !offset.is_empty() && offset.bytes().all(|byte| byte.is_ascii_digit());
            let offset: usize = offset.parse().ok().filter(|_| is_number).ok_or(Malformed::Encapsulated)?;
            if offset > heads_bytes_max {
                return Err(Malformed::HeadTooLarge);
            }
            match begun {
                _ if is_ended => return Err(Malformed::Encapsulated),
                None if offset != 0 => return Err(Malformed::Encapsulated),
                None => {}
                Some((head, from)) => {
                    let bytes = offset.checked_sub(from).filter(|&bytes| bytes > 0);
                    let bytes = bytes.ok_or(Malformed::Encapsulated)?;
                    match head {
                        "req-hdr" => sections.request_head_bytes = Some(bytes),
                        _ => sections.response_head_bytes = Some(bytes),
                    }
                }
            }
            let before = begun.map(|(head, _)| head);
            match (method, name, before) {
                (Method::Reqmod | Method::Respmod, "req-hdr", None)
                | (Method::Respmod, "res-hdr", None | Some("req-hdr")) => begun = Some((name, offset)),
                (Method::Reqmod, "req-body", _) | (Method::Respmod, "res-body", _) => {
                    sections.has_body = true;
                    is_ended = true;
                }
                (_, "null-body", _) => is_ended = true,
                _ => return Err(Malformed::Encapsulated),
            }
        }
        if is_ended { Ok(sections) } else { Err(Malformed::Encapsulated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str, method: Method) -> Result<(Option<usize>, Option<usize>, bool), Malformed> {
        let sections = Sections::parse(value, method, 1000)?;
        Ok((sections.request_head_bytes, sections.response_head_bytes, sections.has_body))
    }

    #[test]
    fn what_the_rfc_allows() {
        use Method::{Options, Reqmod, Respmod};
        for (value, method, expected) in [
            ("req-hdr=0, null-body=170", Reqmod, (Some(170), None, false)),
            ("req-hdr=0, req-body=147", Reqmod, (Some(147), None, true)),
            ("req-body=0", Reqmod, (None, None, true)),
            ("req-hdr=0, res-hdr=137, res-body=296", Respmod, (Some(137), Some(159), true)),
            ("res-hdr=0,res-body=296", Respmod, (None, Some(296), true)),
            ("req-hdr=0,  res-body=9", Respmod, (Some(9), None, true)),
            ("res-body=0", Respmod, (None, None, true)),
            ("req-hdr=0, res-hdr=137, null-body=296", Respmod, (Some(137), Some(159), false)),
            ("null-body=0", Options, (None, None, false)),
        ] {
            assert_eq!(parse(value, method), Ok(expected), "{value}");
        }
    }

    #[test]
    fn everything_else_is_malformed() {
        use Method::{Options, Reqmod, Respmod};
        for (value, method) in [
            ("", Reqmod),
            ("req-hdr", Reqmod),
            ("req-hdr=0", Reqmod),
            ("req-hdr=1, null-body=170", Reqmod),
            ("req-hdr=0, null-body=0", Reqmod),
            ("req-hdr=0, req-hdr=3, null-body=5", Reqmod),
            ("req-hdr=0, req-body=3, null-body=5", Reqmod),
            ("null-body=0, req-hdr=0", Reqmod),
            ("req-hdr=0, res-hdr=3, req-body=9", Reqmod),
            ("req-hdr=0, res-body=3", Reqmod),
            ("res-hdr=0, req-hdr=3, res-body=9", Respmod),
            ("res-hdr=0, req-body=3", Respmod),
            ("req-hdr=0, res-hdr=5, res-body=3", Respmod),
            ("req-hdr=0, null-body=+3", Reqmod),
            ("req-hdr=0, null-body=-3", Reqmod),
            ("req-hdr=0, null-body=99999999999999999999999", Reqmod),
            ("REQ-HDR=0, null-body=3", Reqmod),
            ("req-hdr=0; null-body=3", Reqmod),
            ("opt-body=0", Options),
            ("null-body=0,", Options),
        ] {
            assert_eq!(parse(value, method), Err(Malformed::Encapsulated), "{value}");
        }
        assert_eq!(parse("req-hdr=0, null-body=1001", Reqmod), Err(Malformed::HeadTooLarge));
    }
}
