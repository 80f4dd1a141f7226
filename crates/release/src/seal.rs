//! What of a list lies on a disk: in clear at the maintainer's, sealed at the provider's.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hashward_core::ListId;
use zeroize::Zeroizing;

use crate::fault::Fault;

/// What the subkey for replicas is derived for: to be handed to the deployment's key.
pub const REPLICA_PURPOSE: &str = "replicas of subscribed lists v1";

const NONCE_BYTES: usize = 24;

/// The key under which a provider's replicas are sealed: derived from the deployment's key for [`REPLICA_PURPOSE`].
/// Overwritten in memory when dropped.
#[derive(Clone)]
pub struct ReplicaKey(Zeroizing<[u8; 32]>);

impl ReplicaKey {
    /// From a derived key.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }
}

impl fmt::Debug for ReplicaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplicaKey(…)")
    }
}

/// Whose place some bytes have, so that they open nowhere else.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// A bucket's rows.
    Bucket(u32),
    /// The hashes of a group's buckets.
    Group(u32),
    /// The hashes of the groups.
    Top,
    /// The header of a release.
    Header(u64),
    /// A part of the changes that a release made.
    Changes(u64, u32),
}

/// How bytes are kept: sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a random nonce, which stands
/// before them; or in clear.
pub(crate) struct Seal {
    cipher: Option<XChaCha20Poly1305>,
    list: ListId,
}

impl Seal {
    pub(crate) fn new(list: &ListId, key: Option<&ReplicaKey>) -> Self {
        let cipher = key.map(|key| XChaCha20Poly1305::new(key.0.as_slice().into()));
        Self { cipher, list: list.clone() }
    }

    pub(crate) fn list(&self) -> &ListId {
        &self.list
    }

    pub(crate) fn close(&self, place: Place, clear: &[u8]) -> Vec<u8> {
        let Some(cipher) = &self.cipher else { return clear.to_vec() };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        let payload = Payload { msg: clear, aad: &self.bound_to(place) };
        let sealed =
            cipher.encrypt(XNonce::from_slice(&nonce), payload).expect("what is sealed fits in memory");
        [&nonce, sealed.as_slice()].concat()
    }

    pub(crate) fn open(&self, place: Place, kept: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let Some(cipher) = &self.cipher else { return Ok(kept) };
        let bad = || Fault::Damaged("what is sealed does not open");
        let (nonce, sealed) = kept.split_at_checked(NONCE_BYTES).ok_or_else(bad)?;
        let payload = Payload { msg: sealed, aad: &self.bound_to(place) };
        cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| bad())
    }

    fn bound_to(&self, place: Place) -> Vec<u8> {
        let (kind, number, part) = match place {
            Place::Bucket(bucket) => (0, bucket.into(), 0),
            Place::Group(group) => (1, group.into(), 0),
            Place::Top => (2, 0, 0),
            Place::Header(release) => (3, release, 0),
            Place::Changes(release, part) => (4, release, part),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&u64::to_be_bytes(number));
        bytes.extend_from_slice(&u32::to_be_bytes(part));
        bytes.extend_from_slice(self.list.as_str().as_bytes());
        bytes
    }
}
