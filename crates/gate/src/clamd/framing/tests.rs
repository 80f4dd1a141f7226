use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::Reach;
use super::*;

/// An event that owns its bytes; what stands side by side is one.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Told {
    Command(Command, Terminator),
    Data(Vec<u8>),
    DataEnd,
    Descriptor,
    Malformed(Malformed, Terminator),
}

const STREAM_BYTES_MAX: u64 = 40;

/// What a parser tells of `pieces`, up to the first malformed one.
fn told<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let mut parser = Parser::new(STREAM_BYTES_MAX);
    let mut all: Vec<Told> = Vec::new();
    for mut piece in pieces {
        loop {
            let told = match parser.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(Event::Command(command))) => Told::Command(command, parser.terminator()),
                Ok(Some(Event::Data(data))) => {
                    if let Some(Told::Data(before)) = all.last_mut() {
                        before.extend_from_slice(data);
                        continue;
                    }
                    Told::Data(data.to_vec())
                }
                Ok(Some(Event::DataEnd)) => Told::DataEnd,
                Ok(Some(Event::Descriptor)) => Told::Descriptor,
                Err(malformed) => {
                    all.push(Told::Malformed(malformed, parser.terminator()));
                    return all;
                }
            };
            all.push(told);
        }
        assert!(piece.is_empty(), "bytes are left and no event comes");
    }
    all
}

fn scan(path: &str, reach: Reach) -> Command {
    Command::Scan { path: PathBuf::from(path), reach }
}

#[test]
fn commands_in_each_framing() {
    use Terminator::{Newline, Zero};
    let command = |command, terminator| Told::Command(command, terminator);
    let unknown = |terminator| Told::Malformed(Malformed::UnknownCommand, terminator);
    for (sent, expected) in [
        (&b"nPING\n"[..], command(Command::Ping, Newline)),
        (b"nPING\r\n", command(Command::Ping, Newline)),
        (b"zPING\0", command(Command::Ping, Zero)),
        (b"PING\n", command(Command::Ping, Newline)),
        (b"PING\r\n", command(Command::Ping, Newline)),
        (b"zVERSIONCOMMANDS\0", command(Command::VersionCommands, Zero)),
        (b"VERSIONCOMMANDS\n", unknown(Newline)),
        (b"INSTREAM\n", unknown(Newline)),
        (b"SCAN /a b\n", command(scan("/a b", Reach::First), Newline)),
        (b"zCONTSCAN /a\nb\0", command(scan("/a\nb", Reach::All), Zero)),
        (b"nMULTISCAN /\n", command(scan("/", Reach::Together), Newline)),
        (b"nSCAN \n", command(scan("", Reach::First), Newline)),
        (b"nSCAN\n", unknown(Newline)),
        (b"nping\n", unknown(Newline)),
        (b"zPING \0", unknown(Zero)),
        (b"zPING\r\0", unknown(Zero)),
        (b"n\n", unknown(Newline)),
        (b"z\0", unknown(Zero)),
        (b"\n", unknown(Newline)),
        (b"zSHUTDOWN\0", unknown(Zero)),
        (b"GET / HTTP/1.1\r\n", unknown(Newline)),
    ] {
        assert_eq!(told([sent]), [expected], "{}", String::from_utf8_lossy(sent));
    }
    assert_eq!(told([&b"nPING"[..]]), []);
    let endless = vec![b'n'; COMMAND_BYTES_MAX + 1];
    assert_eq!(told([endless.as_slice()]), [unknown(Newline)]);
    assert_eq!(told([&endless[1..]]), []);
}

#[test]
fn a_command_without_prefix_needs_no_end() {
    let paused = |sent: &[u8]| {
        let (mut parser, mut input) = (Parser::new(STREAM_BYTES_MAX), sent);
        assert_eq!(parser.next(&mut input), Ok(None));
        parser.pause()
    };
    assert_eq!(paused(b"PING"), Ok(Some(Event::Command(Command::Ping))));
    assert_eq!(paused(b"SCAN /x"), Ok(Some(Event::Command(scan("/x", Reach::First)))));
    assert_eq!(paused(b"HELO"), Err(Malformed::UnknownCommand));
    for waiting in [&b""[..], b"nPING", b"zPING", b"nINSTREAM\n\0\0", b"zFILDES\0"] {
        let (mut parser, mut input) = (Parser::new(STREAM_BYTES_MAX), waiting);
        while parser.next(&mut input).unwrap().is_some() {}
        assert_eq!(parser.pause(), Ok(None));
    }
}

#[test]
fn streams_are_bounded_by_what_they_announce() {
    let stream = Told::Command(Command::InStream, Terminator::Zero);
    let sent = b"zINSTREAM\0\0\0\0\x03abc\0\0\0\x01d\0\0\0\0zPING\0";
    let expected = [
        stream.clone(),
        Told::Data(b"abcd".to_vec()),
        Told::DataEnd,
        Told::Command(Command::Ping, Terminator::Zero),
    ];
    assert_eq!(told([&sent[..]]), expected);
    let too_large = Told::Malformed(Malformed::StreamTooLarge, Terminator::Zero);
    assert_eq!(told([&b"zINSTREAM\0\xff\xff\xff\xff"[..]]), [stream.clone(), too_large.clone()]);
    let mut sent = b"zINSTREAM\0\0\0\0\x28".to_vec();
    sent.extend([7; 40]);
    assert_eq!(told([sent.as_slice()]), [stream.clone(), Told::Data(vec![7; 40])]);
    sent.extend(b"\0\0\0\x01");
    assert_eq!(told([sent.as_slice()]), [stream, Told::Data(vec![7; 40]), too_large]);
}

/// Pieces of a conversation, some of them wrong.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let known: &[&[u8]] = &[
        b"nPING\n",
        b"zSTATS\0",
        b"PING\n",
        b"nIDSESSION\n",
        b"zINSTREAM\0",
        b"nINSTREAM\n",
        b"\0\0\0\x05hello",
        b"\0\0\0\x01x",
        b"\0\0\0\0",
        b"zFILDES\0",
        b"\0",
        b"nSCAN /a/b\r\n",
        b"zEND\0",
    ];
    let part = prop_oneof![
        9 => select(known).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..6),
    ];
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
