use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use hashward_core::{Algorithm, Digest};

use super::{KEY, LAYOUTS, any_digest, bytes_of, digest, key, scattered};
use crate::{Index, IndexError, Seal, SealKey, Sealer};
use proptest::collection::vec;
use proptest::prelude::proptest;
use proptest::prop_assert_eq;

/// The seal by the book: one block after another, for one digest.
fn seal_by_the_book(key: &SealKey, digest: &Digest) -> [u8; 16] {
    let cipher = Aes256::new(&Array(*key.derive(&format!("digests {}", digest.algorithm()))));
    let mut state = [0_u8; 16];
    for block in digest.as_bytes().chunks(16) {
        state.iter_mut().zip(block).for_each(|(state, byte)| *state ^= byte);
        let mut encrypted = state.into();
        cipher.encrypt_block(&mut encrypted);
        state = encrypted.into();
    }
    state
}

proptest! {
    #[test]
    fn batches_seal_as_single_digests_do(digests in vec(any_digest(), 0..150)) {
        let sealer = Sealer::new(&key());
        let mut seals = vec![Seal::default(); digests.len()];
        sealer.seal_batch(&digests, &mut seals);
        for (digest, seal) in digests.iter().zip(seals) {
            prop_assert_eq!(seal, sealer.seal(digest));
            prop_assert_eq!(seal.to_bytes(), seal_by_the_book(&key(), digest));
            prop_assert_eq!(Seal::from_bytes(seal.to_bytes()), seal);
        }
    }
}

#[test]
fn algorithms_and_keys_never_share_a_seal() {
    let same_bytes = |algorithm: &Algorithm| digest(*algorithm, &[0]);
    let keys = [key(), SealKey::generate().unwrap(), SealKey::generate().unwrap()];
    let mut seals = std::collections::HashSet::new();
    for key in &keys {
        let sealer = Sealer::new(key);
        for algorithm in Algorithm::ALL {
            assert!(seals.insert(sealer.seal(&same_bytes(algorithm))));
        }
    }
    assert_eq!(seals.len(), keys.len() * Algorithm::ALL.len());
}

#[test]
fn another_key_is_recognised() {
    for layout in LAYOUTS {
        let bytes = bytes_of(&[vec![scattered(1)]], layout);
        let error = Index::from_bytes(bytes, &SealKey::generate().unwrap()).unwrap_err();
        assert!(matches!(error, IndexError::WrongKey { .. }), "{error}");
    }
}

#[test]
fn no_byte_of_key_or_digest_is_in_an_index() {
    let digests: Vec<Digest> = (0..300).map(scattered).collect();
    for layout in LAYOUTS {
        let bytes = bytes_of(&digests.iter().map(|digest| vec![*digest]).collect::<Vec<_>>(), layout);
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        let raw_key: Vec<u8> = (0..32).collect();
        assert!(!holds(&raw_key[..8]) && !holds(&KEY.as_bytes()[..8]));
        for digest in &digests {
            assert!(!holds(&digest.as_bytes()[..8]) && !holds(&digest.to_hex().as_bytes()[..12]));
        }
    }
}

#[test]
fn keys_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = SealKey::generate().unwrap();
    key.write_new(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let back = SealKey::from_file(&path).unwrap();
    assert_eq!(Sealer::new(&back).seal(&scattered(1)), Sealer::new(&key).seal(&scattered(1)));
    let error = SealKey::generate().unwrap().write_new(&path).unwrap_err();
    assert!(matches!(error, IndexError::KeyFile { .. }), "{error}");

    fs::set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
    SealKey::from_file(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let error = SealKey::from_file(&path).unwrap_err().to_string();
    assert!(error.ends_with("mode 644 lets everybody read it: expected 600, 400, 640 or 440"), "{error}");
}

#[test]
fn texts_that_are_keys_and_that_are_not() {
    let seal =
        |text: &str| SealKey::from_text(text, "SEAL_KEY").map(|key| Sealer::new(&key).seal(&scattered(1)));
    let right = seal(KEY).unwrap();
    for text in [format!("{KEY}\n"), format!("{KEY}\r\n"), KEY.to_uppercase()] {
        assert_eq!(seal(&text).unwrap(), right);
    }
    let cases = [
        ("", "0 characters"),
        (&KEY[1..], "63 characters"),
        (&format!("{KEY} "), "65 characters"),
        (&format!("{KEY}\n\n"), "65 characters"),
        (&KEY.replace("10", "1x"), "another character at 5"),
        (&KEY.replace("10", "1é"), "another character at 5"),
    ];
    for (text, found) in cases {
        assert_eq!(
            seal(text).unwrap_err().to_string(),
            format!("SEAL_KEY: no key: expected 64 hexadecimal digits, found {found}")
        );
    }
}
