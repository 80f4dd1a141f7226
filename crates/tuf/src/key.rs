//! Public keys, and what makes two of them the same.

use std::collections::BTreeMap;

use pkcs8::der::{Decode, Document};
use pkcs8::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::canonical;
use crate::hashes::{hex, unhex};

// RFC 3279 and RFC 8410.
const OID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const OID_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const OID_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const OID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A public key as metadata states it (section 4.2).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// `ed25519`, `ecdsa` or `rsa`.
    pub keytype: String,
    /// `ed25519`, `ecdsa-sha2-nistp256` or `rsassa-pss-sha256`; signatures of other schemes count for nothing.
    pub scheme: String,
    /// The key itself.
    pub keyval: KeyVal,
    /// What else stands there. It is signed and has no meaning here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The key itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct KeyVal {
    /// 32 bytes in hexadecimal digits for `ed25519`, PEM for the others.
    pub public: String,
    /// What else stands there.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A key that can be verified with.
pub(crate) struct Verifier {
    algorithm: &'static dyn VerificationAlgorithm,
    material: Material,
}

/// What a key is, whatever it is called: the bits of the public key.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Material(Vec<u8>);

impl Key {
    /// An ed25519 key.
    pub fn ed25519(public: &[u8; 32]) -> Self {
        let keyval = KeyVal { public: hex(public), other: BTreeMap::new() };
        Self { keytype: "ed25519".into(), scheme: "ed25519".into(), keyval, other: BTreeMap::new() }
    }

    /// The id under which we list a key: SHA-256 over its canonical form, as section 4.2 has it. Of others' keys the
    /// id is whatever they are listed under.
    pub fn id(&self) -> String {
        let value = serde_json::to_value(self).expect("a key is text");
        let bytes = canonical(&value).unwrap_or_default();
        hex(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref())
    }

    /// What signatures are verified with. `None` if this scheme is not known, or the key is no such key.
    pub(crate) fn verifier(&self) -> Option<Verifier> {
        let (algorithm, material): (&'static dyn VerificationAlgorithm, _) =
            match (self.keytype.as_str(), self.scheme.as_str()) {
                ("ed25519", "ed25519") => (&ED25519, self.ed25519_bytes()?),
                // Section 4.2 names the first; the second is how the key type was called before.
                ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                    (&ECDSA_P256_SHA256_ASN1, self.spki_bits(OID_EC, Some(OID_P256))?)
                }
                ("rsa", "rsassa-pss-sha256") => (&RSA_PSS_2048_8192_SHA256, self.spki_bits(OID_RSA, None)?),
                _ => return None,
            };
        Some(Verifier { algorithm, material: Material(material) })
    }

    fn ed25519_bytes(&self) -> Option<Vec<u8>> {
        let bytes = unhex(&self.keyval.public).or_else(|| self.spki_bits(OID_ED25519, None))?;
        (bytes.len() == 32).then_some(bytes)
    }

    /// The bits of a PEM public key of this algorithm.
    fn spki_bits(&self, algorithm: ObjectIdentifier, curve: Option<ObjectIdentifier>) -> Option<Vec<u8>> {
        let (label, document) = Document::from_pem(self.keyval.public.trim()).ok()?;
        let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).ok()?;
        let named = curve.is_none_or(|curve| info.algorithm.parameters_oid() == Ok(curve));
        let is_such = label == "PUBLIC KEY" && info.algorithm.oid == algorithm && named;
        is_such.then(|| info.subject_public_key.as_bytes().map(<[u8]>::to_vec)).flatten()
    }
}

impl Verifier {
    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    pub(crate) fn is_right(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.material.0).verify(message, signature).is_ok()
    }
}
