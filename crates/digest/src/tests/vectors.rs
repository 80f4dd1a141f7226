//! Published vectors, each run through every entry point.

use hashward_core::{Algorithm, AlgorithmSet, Digest};

use super::by_every_way;
use crate::digest_bytes;

/// The content of a vector.
#[derive(Clone, Copy, Debug)]
enum Content {
    Text(&'static str),
    /// The letter `a`, one million times.
    MillionA,
    /// So many bytes of the pattern 0, 1, …, 250, 0, 1, … of BLAKE3's `test_vectors.json`.
    Blake3Pattern(usize),
    /// So many bytes of the buffer that xxHash's `xsum_sanity_check.c` fills.
    XxhashPattern(usize),
}

impl Content {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into(),
            Self::MillionA => vec![b'a'; 1_000_000],
            Self::Blake3Pattern(bytes) => (0..=250).cycle().take(bytes).collect(),
            Self::XxhashPattern(bytes) => {
                let mut state = 2_654_435_761_u64;
                let mut next = || {
                    let byte = state.to_be_bytes()[0];
                    state = state.wrapping_mul(11_400_714_785_074_694_797);
                    byte
                };
                (0..bytes).map(|_| next()).collect()
            }
        }
    }
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const LETTERS_AND_DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const EIGHTY_DIGITS: &str =
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
/// 448 bits: the two-block message of FIPS 180 for SHA-1 and SHA-256.
const BITS_448: &str = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
/// 896 bits: the two-block message of FIPS 180 for SHA-512.
const BITS_896: &str = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq\
    klmnopqrlmnopqrsmnopqrstnopqrstu";

use Algorithm::{Blake3, Md5, Sha1, Sha256, Sha512, Xxh3};
use Content::{Blake3Pattern, MillionA, Text, XxhashPattern};

const VECTORS: &[(Algorithm, Content, &str)] = &[
    // RFC 1321, appendix A.5
    (Md5, Text(""), "d41d8cd98f00b204e9800998ecf8427e"),
    (Md5, Text("a"), "0cc175b9c0f1b6a831c399e269772661"),
    (Md5, Text("abc"), "900150983cd24fb0d6963f7d28e17f72"),
    (Md5, Text("message digest"), "f96b697d7cb7938d525a2f31aaf161d0"),
    (Md5, Text(LOWER), "c3fcd3d76192e4007dfb496cca67e13b"),
    (Md5, Text(LETTERS_AND_DIGITS), "d174ab98d277d9f5a5611c2c9f419d9f"),
    (Md5, Text(EIGHTY_DIGITS), "57edf4a22be3c955ac49da2e2107b67a"),
    // FIPS 180-4, the examples that NIST publishes with it
    (Sha1, Text(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (Sha1, Text("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (Sha1, Text(BITS_448), "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    (Sha1, Text(BITS_896), "a49b2446a02c645bf419f995b67091253a04a259"),
    (Sha1, MillionA, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    (Sha256, Text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Sha256, Text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (Sha256, Text(BITS_448), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    (Sha256, Text(BITS_896), "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
    (Sha256, MillionA, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    (
        Sha512,
        Text(""),
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (
        Sha512,
        Text("abc"),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        Sha512,
        Text(BITS_448),
        "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335\
         96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
    ),
    (
        Sha512,
        Text(BITS_896),
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018\
         501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
    ),
    (
        Sha512,
        MillionA,
        "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb\
         de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
    ),
    // BLAKE3's test_vectors.json: the first 32 bytes of "hash"
    (Blake3, Blake3Pattern(0), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    (Blake3, Blake3Pattern(1), "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
    (Blake3, Blake3Pattern(1_023), "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
    (Blake3, Blake3Pattern(1_024), "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
    (Blake3, Blake3Pattern(1_025), "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
    (Blake3, Blake3Pattern(2_048), "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
    (Blake3, Blake3Pattern(2_049), "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
    (Blake3, Blake3Pattern(31_744), "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"),
    (Blake3, Blake3Pattern(102_400), "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
    // xxHash's sanity check, XXH3 64 bits, seed 0
    (Xxh3, XxhashPattern(0), "2d06800538d394c2"),
    (Xxh3, XxhashPattern(1), "c44bdff4074eecdb"),
    (Xxh3, XxhashPattern(6), "27b56a84cd2d7325"),
    (Xxh3, XxhashPattern(12), "a713daf0dfbb77e7"),
    (Xxh3, XxhashPattern(24), "a3fe70bf9d3510eb"),
    (Xxh3, XxhashPattern(48), "397da259ecba1f11"),
    (Xxh3, XxhashPattern(80), "bcdefbbb2c47c90a"),
    (Xxh3, XxhashPattern(195), "cd94217ee362ec3a"),
    (Xxh3, XxhashPattern(512), "617e49599013cb6b"),
    (Xxh3, XxhashPattern(2_048), "dd59e2c3a5f038e0"),
];

#[test]
fn published_vectors_by_every_way() {
    for (algorithm, content, hex) in VECTORS {
        let bytes = content.bytes();
        for wanted in [AlgorithmSet::EMPTY.with(*algorithm), AlgorithmSet::ALL] {
            for (way, digests) in by_every_way(wanted, &bytes) {
                let digest = digests.get(*algorithm).unwrap();
                assert_eq!(digest.to_hex(), *hex, "{algorithm} of {content:?} by {way}");
                assert_eq!(digests.algorithms(), wanted, "{way} computes what is wanted and no more");
            }
        }
    }
}

#[test]
fn every_algorithm_has_vectors() {
    for algorithm in Algorithm::ALL {
        assert!(VECTORS.iter().any(|(covered, ..)| covered == algorithm), "{algorithm} has no vector");
    }
}

#[test]
fn empty_content_has_the_digests_that_core_knows() {
    let digests = digest_bytes(AlgorithmSet::ALL, b"");
    for algorithm in Algorithm::ALL {
        assert!(digests.get(*algorithm) == Some(Digest::of_empty_content(*algorithm)), "{algorithm}");
    }
}

#[test]
fn nothing_wanted_is_nothing_computed() {
    for (way, digests) in by_every_way(AlgorithmSet::EMPTY, b"abc") {
        assert!(digests.algorithms().is_empty(), "{way}");
    }
}
