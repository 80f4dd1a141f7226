//! The Merkle tree of RFC 6962: roots, and proofs made and checked (RFC 9162, section 2.1).

use crate::Hash;

/// Gives the hash of a perfect subtree: of the 2^level entries from `index` × 2^level on.
pub(crate) trait Nodes {
    /// What may go wrong.
    type Error;
    /// The hash of the subtree.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The hash of the empty tree.
pub(crate) fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The hash over a number of neighbours that is a power of two.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    assert!(hashes.len().is_power_of_two(), "a perfect tree has a power of two of leaves");
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| Hash::of_node(&pair[0], &pair[1])).collect();
    }
    row[0]
}

/// The root over perfect subtrees that get smaller from left to right, told from the right.
#[derive(Default)]
pub(crate) struct RightToLeft(Option<Hash>);

impl RightToLeft {
    /// The next one on the left.
    pub(crate) fn push(&mut self, left: Hash) {
        self.0 = Some(self.0.map_or(left, |right| Hash::of_node(&left, &right)));
    }

    /// The root over all of them.
    pub(crate) fn root(self) -> Hash {
        self.0.unwrap_or_else(empty_root)
    }
}

/// The largest power of two below `size`, which is at least 2: where RFC 6962 splits a tree.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// `MTH(D[start..end])`, where `start` is a multiple of the power of two that is not less than the length.
fn subtree<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let mut root = RightToLeft::default();
    let mut size = end - start;
    while size > 0 {
        let level = size.trailing_zeros();
        size -= 1 << level;
        root.push(nodes.node(level, (start + size) >> level)?);
    }
    Ok(root.root())
}

/// The root of the tree of the first `size` entries.
pub(crate) fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    subtree(nodes, 0, size)
}

/// `PATH(index, D[size])` of RFC 6962, section 2.1.1: from the leaf's neighbour up. `index` is below `size`.
pub(crate) fn inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(index < size, "only what is in the tree can be proved");
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(old, D[size])` of RFC 6962, section 2.1.2. Empty where `old` is 0 or `size`.
pub(crate) fn consistency<N: Nodes>(nodes: &mut N, old: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(old <= size, "a tree only grows");
    if old == 0 || old == size {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    // The old tree ends within (start, end]. Once `start` has moved, the verifier cannot know the old subtree's hash.
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    if start > 0 {
        path.push(subtree(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` shows that the leaf stands at `index` in the tree (RFC 9162, section 2.1.3.2).
pub(crate) fn includes(leaf: Hash, index: u64, path: &[Hash], (size, root): (u64, Hash)) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = Hash::of_node(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether `path` shows that the tree grew from the old one (RFC 9162, section 2.1.4.2). Everything grew from the empty
/// tree, and a tree from itself, without a path.
pub(crate) fn is_consistent(path: &[Hash], old: (u64, Hash), new: (u64, Hash)) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return path.is_empty() && old_root == empty_root();
    }
    if old_size >= new_size {
        return path.is_empty() && old == new;
    }
    // A perfect old tree is a node of the new one, and the path leaves it out.
    let seed = if old_size.is_power_of_two() { Some(old_root) } else { None };
    let mut path = seed.into_iter().chain(path.iter().copied());
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let Some(first) = path.next() else { return false };
    let (mut from_old, mut from_new) = (first, first);
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = Hash::of_node(&step, &from_old);
            from_new = Hash::of_node(&step, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = Hash::of_node(&from_new, &step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == old_root && from_new == new_root
}

#[cfg(test)]
mod tests;
