//! Against a twin that is RFC 6962 word for word, and knows nothing of tiles or sizes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;

use proptest::prelude::*;

use super::*;

/// The largest tree that is tried in every way.
const SIZE_MAX: usize = 300;

/// Leaves, and every hash over some of them that was asked for.
struct Leaves {
    leaves: Vec<Hash>,
    known: HashMap<Range<usize>, Hash>,
}

impl Nodes for Leaves {
    type Error = Infallible;
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let start = usize::try_from(index << level).unwrap();
        Ok(self.mth(start..start + (1 << level)))
    }
}

/// Where RFC 6962 splits.
fn k(d: &Range<usize>) -> usize {
    let powers = std::iter::successors(Some(1), |power| Some(2 * power));
    d.start + powers.take_while(|power| *power < d.len()).last().unwrap()
}

impl Leaves {
    fn new(size: usize) -> Self {
        let leaves = (0..size).map(|n| Hash::of_leaf(&n.to_be_bytes())).collect();
        Self { leaves, known: HashMap::new() }
    }

    fn mth(&mut self, d: Range<usize>) -> Hash {
        if let Some(known) = self.known.get(&d) {
            return *known;
        }
        let hash = match d.len() {
            0 => Hash::of(b""),
            1 => self.leaves[d.start],
            _ => Hash::of_node(&self.mth(d.start..k(&d)), &self.mth(k(&d)..d.end)),
        };
        self.known.insert(d, hash);
        hash
    }

    fn path(&mut self, m: usize, d: Range<usize>) -> Vec<Hash> {
        if d.len() == 1 {
            return Vec::new();
        }
        let (left, right) = (d.start..k(&d), k(&d)..d.end);
        let (mut path, other) = if m < left.end {
            (self.path(m, left), self.mth(right))
        } else {
            (self.path(m, right), self.mth(left))
        };
        path.push(other);
        path
    }

    /// `m` is where the old tree ends.
    fn subproof(&mut self, m: usize, d: Range<usize>, b: bool) -> Vec<Hash> {
        if m == d.end {
            return if b { Vec::new() } else { vec![self.mth(d)] };
        }
        let (left, right) = (d.start..k(&d), k(&d)..d.end);
        let (mut proof, other) = if m <= left.end {
            (self.subproof(m, left, b), self.mth(right))
        } else {
            (self.subproof(m, right, false), self.mth(left))
        };
        proof.push(other);
        proof
    }

    fn head(&mut self, n: usize) -> (u64, Hash) {
        (n as u64, self.mth(0..n))
    }
}

#[test]
fn the_vectors_of_the_transparency_projects() {
    let root = |entries: &[&[u8]]| {
        let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
        let size = leaves.len() as u64;
        root(&mut Leaves { leaves, known: HashMap::new() }, size).unwrap().to_string()
    };
    assert_eq!(root(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(root(&[b""]), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(root(&[b"", b"\0"]), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

#[test]
fn every_root_and_inclusion() {
    let mut all = Leaves::new(SIZE_MAX + 1);
    for n in 0..=SIZE_MAX {
        let head = all.head(n);
        assert_eq!(root(&mut all, head.0).unwrap(), head.1, "{n}");
        for m in 0..n {
            let proof = inclusion(&mut all, m as u64, head.0).unwrap();
            assert_eq!(proof, all.path(m, 0..n), "{m} in {n}");
            let (leaf, other) = (all.leaves[m], all.leaves[m + 1]);
            assert!(includes(leaf, m as u64, &proof, head), "{m} in {n}");
            assert!(!includes(other, m as u64, &proof, head), "another leaf: {m} in {n}");
            assert!(!includes(leaf, m as u64 + 1, &proof, head), "another place: {m} in {n}");
        }
    }
}

#[test]
fn every_consistency() {
    let mut all = Leaves::new(SIZE_MAX);
    for n in 0..=SIZE_MAX {
        let new = all.head(n);
        for m in 0..=n {
            let old = all.head(m);
            let proof = consistency(&mut all, old.0, new.0).unwrap();
            let expected = if m == 0 { Vec::new() } else { all.subproof(m, 0..n, true) };
            assert_eq!(proof, expected, "{m} to {n}");
            assert!(is_consistent(&proof, old, new), "{m} to {n}");
            let forked = Hash::of(b"another history");
            assert!(!is_consistent(&proof, (old.0, forked), new), "a fork before {m} of {n}");
            assert!(m == 0 || !is_consistent(&proof, old, (new.0, forked)), "a fork of {n} after {m}");
            assert!(m == n || !is_consistent(&proof, new, old), "a tree does not shrink from {n} to {m}");
        }
    }
}

proptest! {
    #[test]
    fn no_path_but_the_right_one(
        n in 1..2000_usize, at in any::<prop::sample::Index>(), change in 0..4_u8, place in any::<prop::sample::Index>(),
    ) {
        let mut nodes = Leaves::new(n);
        let m = at.index(n);
        let (new, old, leaf) = (nodes.head(n), nodes.head(m), nodes.leaves[m]);
        for is_inclusion in [true, false] {
            let right = if is_inclusion {
                inclusion(&mut nodes, m as u64, new.0).unwrap()
            } else {
                consistency(&mut nodes, old.0, new.0).unwrap()
            };
            let holds = |path: &[Hash]| {
                if is_inclusion { includes(leaf, m as u64, path, new) } else { is_consistent(path, old, new) }
            };
            prop_assert!(holds(&right));
            let mut wrong = right.clone();
            match change {
                0 if !wrong.is_empty() => {
                    let at = place.index(wrong.len());
                    wrong[at].0[3] ^= 4;
                }
                1 => wrong.push(Hash::of(b"one more")),
                2 if !wrong.is_empty() => {
                    wrong.remove(place.index(right.len()));
                }
                _ => wrong.insert(place.index(right.len() + 1), Hash::of(b"one more")),
            }
            prop_assert!(wrong == right || !holds(&wrong));
        }
    }
}
