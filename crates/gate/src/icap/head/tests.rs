use super::*;

fn parse(head: &str) -> Result<Head, Malformed> {
    Head::parse(head.replace('\n', "\r\n").as_bytes(), 1000)
}

#[test]
fn heads() {
    let head = parse(
        "REQMOD icap://icap.example.org:1344/reqmod?arg=1 ICAP/1.0\nHost: icap.example.org\n\
         aLLow: 206, 204\nPreview: 1024\nConnection: keep-alive, Close\nEncapsulated: req-hdr=0, req-body=9\n\n",
    );
    let sections = Sections { request_head_bytes: Some(9), response_head_bytes: None, has_body: true };
    let expected = Head {
        method: Method::Reqmod,
        service: "reqmod".to_owned(),
        preview_bytes: Some(1024),
        allows_204: true,
        closes: true,
        sections,
    };
    assert_eq!(head, Ok(expected));
    let options = parse("OPTIONS /a/b ICAP/1.0\n\n").unwrap();
    assert_eq!((options.method, options.service.as_str()), (Method::Options, "a/b"));
    assert_eq!((options.allows_204, options.closes, options.preview_bytes), (false, false, None));
    assert_eq!(parse("OPTIONS icap://host ICAP/1.0\n\n").unwrap().service, "");
}

#[test]
fn malformed_heads() {
    let encapsulated = "Encapsulated: req-hdr=0, null-body=9";
    for (head, expected) in [
        ("REQMOD /x ICAP/1.0\n\n".to_owned(), Malformed::Encapsulated),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\n{encapsulated}\n\n"), Malformed::Encapsulated),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\nPreview: 1\nPreview: 1\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\nPreview: -1\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\nPreview: 9999999999999999999\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\nContent-Length: 3\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\nHost: a\nHost: b\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\n goes-on\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\nA : b\n{encapsulated}\n\n"), Malformed::Head),
        (format!("REQMOD  /x ICAP/1.0\n{encapsulated}\n\n"), Malformed::Head),
        (format!("REQMOD x ICAP/1.0\n{encapsulated}\n\n"), Malformed::Head),
        (format!("REQMOD http://x/x ICAP/1.0\n{encapsulated}\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/2.0\n{encapsulated}\n\n"), Malformed::Version),
        (format!("reqmod /x ICAP/1.0\n{encapsulated}\n\n"), Malformed::Method),
        (format!("GET /x HTTP/1.1\n{encapsulated}\n\n"), Malformed::Head),
        (format!("REQMOD /x ICAP/1.0\n{encapsulated}\n"), Malformed::Head),
    ] {
        assert_eq!(parse(&head), Err(expected), "{head}");
    }
    let bare = Head::parse(b"OPTIONS /x ICAP/1.0\nHost: a\r\n\r\n", 1000);
    assert_eq!(bare, Err(Malformed::Head), "a line ends with CR LF");
}
