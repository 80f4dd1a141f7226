//! How content is cut, how much of it is allowed, and readers that fail.

use std::error::Error as _;
use std::io::{self, Read};

use hashward_core::{Algorithm, AlgorithmSet};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, proptest};
use proptest::sample::Index;
use proptest::{prop_assert, prop_assert_eq};

use super::Stepwise;
use crate::{CHUNK_BYTES, Digester, ReadError, digest_bytes, digest_reader};

/// Content of any length up to a few chunks, from little input.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let length = proptest::prop_oneof![0..300_usize, 0..3 * CHUNK_BYTES, CHUNK_BYTES - 2..CHUNK_BYTES + 3];
    (length, any::<u64>()).prop_map(|(length, seed)| {
        let words = (0..).map(|i: u64| (seed ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        words.flat_map(|word| [word.to_le_bytes()[7], word.to_le_bytes()[5]]).take(length).collect()
    })
}

fn wanted() -> impl Strategy<Value = AlgorithmSet> {
    vec(0..Algorithm::ALL.len(), 0..=6)
        .prop_map(|numbers| numbers.into_iter().map(|number| Algorithm::ALL[number]).collect())
}

proptest! {
    #[test]
    fn any_cut_gives_the_digests_of_the_whole(
        content in content(),
        wanted in wanted(),
        cuts in vec(any::<Index>(), 0..8),
        buffer_bytes in 1..40_000_usize,
        step in 1..50_000_usize,
    ) {
        let whole = digest_bytes(wanted, &content);
        prop_assert_eq!(whole.algorithms(), wanted);

        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(content.len() + 1)).collect();
        cuts.sort_unstable();
        let mut digester = Digester::new(wanted);
        let mut start = 0;
        for end in cuts.into_iter().chain([content.len()]) {
            digester.update(&content[start..end]);
            start = end;
        }
        prop_assert!(digester.finish() == whole);

        let mut reader = Stepwise::new(&content, step);
        let read = digest_reader(wanted, &mut reader, &mut vec![0; buffer_bytes], u64::MAX);
        prop_assert!(read.unwrap() == (whole, content.len() as u64));
    }

    #[test]
    fn the_limit_is_exact(length in 0..5_000_u64, limit in 0..5_000_u64, buffer_bytes in 1..3_000_usize) {
        let mut reader = io::repeat(7).take(length);
        match digest_reader(AlgorithmSet::ALL, &mut reader, &mut vec![0; buffer_bytes], limit) {
            Ok((_, bytes)) => prop_assert!(bytes == length && length <= limit),
            Err(ReadError::TooLarge { content_bytes_max }) => {
                prop_assert!(length > limit && content_bytes_max == limit);
                prop_assert_eq!(length - reader.limit(), limit + 1, "one byte beyond the limit was read");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn content_without_end_is_too_large() {
    let result = digest_reader(AlgorithmSet::ALL, &mut io::repeat(0), &mut [0; 1_000], 1_000_000);
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "content is larger than the limit of 1000000 bytes");
    assert!(error.source().is_none());
}

#[test]
fn a_limit_of_zero_allows_empty_content_alone() {
    let read = |mut content: &[u8]| digest_reader(AlgorithmSet::ALL, &mut content, &mut [0; 8], 0);
    assert!(read(b"").is_ok_and(|(_, bytes)| bytes == 0));
    assert!(matches!(read(b"x"), Err(ReadError::TooLarge { content_bytes_max: 0 })));
}

#[test]
fn a_failing_reader_is_an_error_and_never_a_digest() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "the peer went away"))
        }
    }
    for bytes_before in [0, 10, 100] {
        let mut reader = io::repeat(1).take(bytes_before).chain(Failing);
        let error = digest_reader(AlgorithmSet::ALL, &mut reader, &mut [0; 50], u64::MAX).unwrap_err();
        assert_eq!(error.to_string(), "reading the content failed");
        assert_eq!(error.source().unwrap().to_string(), "the peer went away");
    }
}

#[test]
fn any_reader_will_do() {
    let mut content: &[u8] = b"abc";
    let reader: &mut dyn Read = &mut content;
    let (digests, bytes) = digest_reader(AlgorithmSet::ALL, reader, &mut [0; 2], 3).unwrap();
    assert!(digests == digest_bytes(AlgorithmSet::ALL, b"abc") && bytes == 3);
}

#[test]
#[should_panic(expected = "the buffer must hold at least one byte")]
fn an_empty_buffer_is_refused() {
    let _ = digest_reader(AlgorithmSet::ALL, &mut io::empty(), &mut [], 1);
}
