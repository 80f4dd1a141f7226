use hashward_core::Algorithm::{Blake3, Md5, Sha1, Sha256, Sha512, Xxh3};
use hashward_core::EntryId;

use super::digest;
use crate::store::{BadSelector, KEY_BYTES_MAX, Selector};

#[test]
fn selectors_are_told_by_their_form() {
    let digests = [Md5, Sha1, Sha256, Sha512].map(|algorithm| digest(algorithm, 0xab));
    for digest in digests {
        assert_eq!(digest.to_hex().to_uppercase().parse(), Ok(Selector::Digest(digest)));
    }
    for digest in [Blake3, Xxh3, Sha256].map(|algorithm| digest(algorithm, 0xab)) {
        let text = format!("{}:{}", digest.algorithm(), digest.to_hex());
        assert_eq!(text.parse(), Ok(Selector::Digest(digest)));
    }
    let id = EntryId(0x00ab_cdef_0123_4567);
    assert_eq!(id.to_string().parse(), Ok(Selector::Id(id)));
    let keys = ["photo.jpg", "e-12", "e-zzzzzzzzzzzzzzzz", "e-+123456789abcde", "esp:4711", &"z".repeat(32)];
    for key in keys {
        assert_eq!(key.parse(), Ok(Selector::Key(key.to_owned())));
    }
    let hex = digest(Md5, 1).to_hex();
    assert_eq!(format!("key:{hex}").parse(), Ok(Selector::Key(hex)));
    for bad in ["", "key:", "md5:1234", "sha256:zz", &"k".repeat(KEY_BYTES_MAX + 1)] {
        assert_eq!(bad.parse::<Selector>(), Err(BadSelector), "{bad}");
    }
}
