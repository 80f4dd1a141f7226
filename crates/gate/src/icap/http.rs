//! What is of interest in the heads of encapsulated HTTP messages. They belong to others, and are passed on as they came.

/// The longest name of an object that is told in an alert, in bytes.
const URL_BYTES_MAX: usize = 4096;

/// The URL that a request's head asks for: the target if it is absolute, else with the host before it. Without the query,
/// which may hold secrets.
pub(super) fn url(head: &[u8]) -> Option<String> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let target = str::from_utf8(line.split(|&byte| byte == b' ').nth(1)?).ok()?;
    let target = target.split(['?', '#']).next().filter(|target| target.len() <= URL_BYTES_MAX)?;
    let is_absolute = target.contains("://");
    match field(head, "host") {
        Some(host) if !is_absolute && host.len() <= 255 => Some(format!("http://{host}{target}")),
        _ => Some(target.to_owned()),
    }
}

/// The media type of a message.
pub(super) fn content_type(head: &[u8]) -> Option<&str> {
    field(head, "content-type")
}

/// The boundary between the parts of a form, if the message is one.
pub(super) fn boundary(head: &[u8]) -> Option<String> {
    multer::parse_boundary(content_type(head)?).ok()
}

/// The value of the first header line of this name.
fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|&byte| byte == b'\n').skip(1);
    let value = lines.find_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| &line[colon + 1..])
    })?;
    str::from_utf8(value).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let head = b"POST /up/a.bin?token=x HTTP/1.1\r\nhost: example.org:8080\r\n\
            Content-Type: multipart/form-data; boundary=\"a b\"\r\n\r\n";
        assert_eq!(url(head).as_deref(), Some("http://example.org:8080/up/a.bin"));
        assert_eq!(boundary(head).as_deref(), Some("a b"));
        let absolute =
            b"PUT http://example.org/x#y HTTP/1.1\r\nHost: other\r\nContent-Type: text/plain\r\n\r\n";
        assert_eq!(url(absolute).as_deref(), Some("http://example.org/x"));
        assert_eq!((content_type(absolute), boundary(absolute)), (Some("text/plain"), None));
        for broken in [&b""[..], b"\r\n", b"GET", b"\xff \xff \xff\r\n: x\r\n:\r\n\r\n"] {
            assert_eq!((url(broken), boundary(broken)), (None, None));
        }
        assert_eq!(url(&[b"GET /".as_slice(), &[b'x'; 5000]].concat()), None);
    }
}
