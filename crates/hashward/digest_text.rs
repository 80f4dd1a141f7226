//! Digests as people write them.

use hashward_core::{Algorithm, Digest};

use crate::nearest::nearest;

/// Reads `HEX`, whose length tells the algorithm, or `ALGORITHM:HEX`.
pub(crate) fn parse_digest(text: &str) -> Result<Digest, String> {
    let text = text.trim();
    if let Some((name, hex)) = text.split_once(':') {
        let algorithm = Algorithm::from_tool_name(name).ok_or_else(|| {
            let near = nearest(name, Algorithm::WORDS.iter().copied());
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            format!("unknown algorithm {name:?}: expected one of {}{near}", Algorithm::WORDS.join(", "))
        })?;
        return Digest::from_hex(algorithm, hex.trim()).map_err(|error| error.to_string());
    }
    let algorithm = match text.len() {
        32 => Algorithm::Md5,
        40 => Algorithm::Sha1,
        // A digest of BLAKE3 is as long; it must be named.
        64 => Algorithm::Sha256,
        128 => Algorithm::Sha512,
        16 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            return Err("16 digits: if it is XXH3, write xxh3:HEX".to_owned());
        }
        digits => {
            let known = "32 (MD5), 40 (SHA-1), 64 (SHA-256) or 128 (SHA-512) digits, or ALGORITHM:HEX";
            return Err(format!("{digits} characters: expected {known}"));
        }
    };
    Digest::from_hex(algorithm, text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_by_length_and_by_name() {
        for (text, algorithm) in [
            ("D41D8CD98F00B204E9800998ECF8427E".to_owned(), Algorithm::Md5),
            ("0".repeat(40), Algorithm::Sha1),
            ("0".repeat(64), Algorithm::Sha256),
            ("0".repeat(128), Algorithm::Sha512),
            (format!("blake3:{}", "0".repeat(64)), Algorithm::Blake3),
            (format!("SHA2-256: {}", "0".repeat(64)), Algorithm::Sha256),
            ("xxh3:2d06800538d394c2".to_owned(), Algorithm::Xxh3),
        ] {
            assert_eq!(parse_digest(&text).map(|digest| digest.algorithm()), Ok(algorithm), "{text}");
        }
    }

    #[test]
    fn errors_say_what_would_be_right() {
        for (text, expected) in [
            ("photo.jpg", "9 characters: expected 32 (MD5)"),
            ("2d06800538d394c2", "write xxh3:HEX"),
            ("sha265:00", "did you mean sha256?"),
            ("md5:00", "2 hexadecimal digits: a digest of md5 has 32"),
            ("g41d8cd98f00b204e9800998ecf8427e", "character 1 is no hexadecimal digit"),
        ] {
            let error = parse_digest(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
