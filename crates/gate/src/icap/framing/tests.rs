use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::head::Method;
use super::*;

/// An event that owns its bytes; what stands side by side is one.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Told {
    Request(Box<Request>),
    Data(Vec<u8>),
    PreviewEnd,
    BodyEnd,
    Malformed(Malformed),
}

/// What a parser tells of `pieces`, up to the first malformed one, to somebody who wants the rest of every second preview.
fn told<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let (mut parser, mut goes_on) = (Parser::default(), false);
    let mut all: Vec<Told> = Vec::new();
    for mut piece in pieces {
        loop {
            let told = match parser.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Event::Request(request))) => Told::Request(request),
                Ok(Some(Event::Data(data))) => {
                    if let Some(Told::Data(before)) = all.last_mut() {
                        before.extend_from_slice(data);
                        continue;
                    }
                    Told::Data(data.to_vec())
                }
                Ok(Some(Event::PreviewEnd)) => {
                    goes_on = !goes_on;
                    if goes_on {
                        parser.go_on();
                    } else {
                        parser.abandon();
                    }
                    Told::PreviewEnd
                }
                Ok(Some(Event::BodyEnd)) => Told::BodyEnd,
                Err(malformed) => {
                    // Of data beyond a preview, some may have been told before, depending on the pieces.
                    if malformed == Malformed::PreviewTooLong && matches!(all.last(), Some(Told::Data(_))) {
                        all.pop();
                    }
                    all.push(Told::Malformed(malformed));
                    return all;
                }
            };
            all.push(told);
        }
        assert!(piece.is_empty(), "bytes are left and no event comes");
    }
    all
}

const POST: &str = "POST /up HTTP/1.1\r\nHost: a\r\n\r\n";

fn reqmod(more: &str, body: &str) -> Vec<u8> {
    let offset = POST.len();
    format!(
        "REQMOD icap://h/reqmod ICAP/1.0\r\nHost: h\r\n{more}Encapsulated: req-hdr=0, req-body={offset}\r\n\r\n{POST}{body}"
    )
    .into_bytes()
}

/// What is told, without the requests.
fn body_of(sent: &[u8]) -> Vec<Told> {
    let mut all = told([sent]);
    all.retain(|told| !matches!(told, Told::Request(_)));
    all
}

#[test]
fn a_request_and_its_body() {
    let all = told([reqmod("", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").as_slice()]);
    let Told::Request(request) = &all[0] else { panic!("{all:?}") };
    assert_eq!((request.head.method, request.request_head.as_slice()), (Method::Reqmod, POST.as_bytes()));
    assert!(request.response_head.is_empty());
    assert_eq!(all[1..], [Told::Data(b"abcde".to_vec()), Told::BodyEnd]);

    let get = "GET / HTTP/1.1\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let sent = format!(
        "RESPMOD /respmod ICAP/1.0\r\nEncapsulated: req-hdr=0, res-hdr={}, null-body={}\r\n\r\n{get}{ok}OPTIONS /x ICAP/1.0\r\n\r\n",
        get.len(),
        get.len() + ok.len()
    );
    let all = told([sent.as_bytes()]);
    let [Told::Request(first), Told::Request(second)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(first.request_head, get.as_bytes());
    assert_eq!(first.response_head, ok.as_bytes());
    assert_eq!(second.head.method, Method::Options);
}

#[test]
fn previews() {
    let data = |text: &str| Told::Data(text.as_bytes().to_vec());
    let whole = reqmod("Preview: 4\r\n", "2\r\nab\r\n0; ieof\r\n\r\n");
    assert_eq!(body_of(&whole), [data("ab"), Told::BodyEnd]);
    let whole_empty = reqmod("Preview: 0\r\n", "0; ieof\r\n\r\n");
    assert_eq!(body_of(&whole_empty), [Told::BodyEnd]);
    let mut more = reqmod("Preview: 2\r\n", "2\r\nab\r\n0\r\n\r\n");
    assert_eq!(body_of(&more), [data("ab"), Told::PreviewEnd]);
    // The rest, then a request that is answered at its preview, then another request.
    more.extend(b"1\r\nc\r\n0\r\n\r\n");
    more.extend(reqmod("Preview: 0\r\n", "0\r\n\r\n"));
    more.extend(reqmod("", "0\r\n\r\n"));
    let expected = [data("ab"), Told::PreviewEnd, data("c"), Told::BodyEnd, Told::PreviewEnd, Told::BodyEnd];
    assert_eq!(body_of(&more), expected);
    let too_long = reqmod("Preview: 2\r\n", "3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(body_of(&too_long), [Told::Malformed(Malformed::PreviewTooLong)]);
}

#[test]
fn a_client_that_does_not_wait_behind_its_preview_is_not_read() {
    let mut parser = Parser::default();
    let sent = reqmod("Preview: 0\r\n", "0\r\n\r\nOPTIONS");
    let mut input = sent.as_slice();
    while parser.next(&mut input).unwrap().is_some() {}
    assert_eq!(input, b"OPTIONS");
    parser.abandon();
    assert_eq!(parser.next(&mut input), Ok(None));
    assert!(input.is_empty());
}

#[test]
fn malformed_chunks() {
    for body in [
        "\r\n",
        "3\nabc\r\n",
        "3\r\nabcd\r\n",
        "3\r\nabc\n",
        "-1\r\n",
        "0x3\r\nabc\r\n",
        "g\r\n",
        " 3\r\nabc\r\n",
        "1000000000000000\r\n",
        "0\r\n\n",
    ] {
        let all = body_of(&reqmod("", body));
        assert_eq!(all.last(), Some(&Told::Malformed(Malformed::Chunk)), "{body:?}: {all:?}");
    }
    let endless = [reqmod("", "1;"), vec![b'x'; 2000]].concat();
    assert_eq!(body_of(&endless), [Told::Malformed(Malformed::Chunk)]);
    let trailers = [reqmod("", "0\r\n"), b"a: b\r\n".repeat(400)].concat();
    assert_eq!(body_of(&trailers), [Told::Malformed(Malformed::Chunk)]);
    assert_eq!(body_of(&reqmod("", "0\r\na: b\r\n\r\n")), [Told::BodyEnd]);
}

#[test]
fn heads_are_bounded() {
    let endless = vec![b'x'; HEAD_BYTES_MAX];
    assert_eq!(told([endless.as_slice()]), [Told::Malformed(Malformed::HeadTooLarge)]);
}

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        reqmod("", ""),
        reqmod("Preview: 3\r\n", ""),
        reqmod("Preview: 3\r\n", "0; ieof\r\n\r\n"),
        b"3\r\nabc\r\n".to_vec(),
        b"1;x\r\n\r\r\n".to_vec(),
        b"0\r\n\r\n".to_vec(),
        b"0; ieof\r\n\r\n".to_vec(),
        b"OPTIONS /reqmod ICAP/1.0\r\n\r\n".to_vec(),
    ];
    let part = prop_oneof![12 => select(known), 1 => vec(any::<u8>(), 0..6)];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(sent in conversation(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        cuts.extend([0, sent.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &sent[cut[0]..cut[1]]);
        let whole = told([sent.as_slice()]);
        prop_assert_eq!(&told(pieces), &whole);
        prop_assert_eq!(&told(sent.chunks(1)), &whole);
    }
}
