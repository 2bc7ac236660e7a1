"""Merkle trees of RFC 6962 section 2.1 over SHA-256: roots, proofs, and the refusal of wrong proofs.

Proofs are built from *nodes*: ``node(level, index)`` is the hash of the perfect subtree over the
leaves ``index * 2**level`` to ``(index + 1) * 2**level``. Who keeps the nodes (a batch in memory,
the tiles of a log) is no concern of the arithmetic.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from gateway.errors import IntegrityBroken, InvariantBroken

__all__ = [
    "BATCH_LEAVES_MAX",
    "EMPTY_ROOT",
    "HASH_BYTES",
    "BatchTree",
    "NodeReader",
    "ProofInvalid",
    "consistency_proof",
    "fold_level",
    "inclusion_proof",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "root_of",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
BATCH_LEAVES_MAX: Final = 131_072  # a batch tree of this size takes 8 MiB of memory

NodeReader = Callable[[int, int], bytes]


class ProofInvalid(IntegrityBroken):
    """A Merkle proof does not lead to the root that was signed."""

    code = "proof-invalid"
    remedy = (
        "do not rely on it; ask the log for the proof again, and keep this one as evidence if it persists"
    )


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of many leaves."""
    fresh = sha256(b"\x00").copy
    hashes = []
    for entry in entries:
        leaf = fresh()
        leaf.update(entry)
        hashes.append(leaf.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def fold_level(hashes: bytes) -> bytes:
    """Hash the concatenated hashes of one level pairwise into the next; an odd last one is left out."""
    return b"".join(
        [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes) // 64 * 64, 64)]
    )


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes that are read once, keeping only one hash per level."""
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaf_hashes):
        peak, merges = leaf, count
        while merges & 1:
            peak, merges = node_hash(peaks.pop(), peak), merges >> 1
        peaks.append(peak)
    return _fold_peaks(peaks)


def subtree_root(node: NodeReader, start: int, *, end: int) -> bytes:
    """Return the root over the leaves from start to end, where start is a split point of the tree."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(node(level, start >> level))
        start += 1 << level
    return _fold_peaks(peaks)


def inclusion_proof(node: NodeReader, index: int, *, size: int) -> list[bytes]:
    """Build the proof that the leaf is in the tree of that size, the leaf's sibling first."""
    if not 0 <= index < size:
        raise InvariantBroken(f"an inclusion proof of leaf {index} in a tree of {size} leaves was asked for")
    path = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(subtree_root(node, middle, end=high))
            high = middle
        else:
            path.append(subtree_root(node, low, end=middle))
            low = middle
    return path[::-1]


def consistency_proof(node: NodeReader, old_size: int, *, size: int) -> list[bytes]:
    """Build the proof that the tree of the old size is a beginning of the tree of the new size."""
    if not 0 <= old_size <= size:
        raise InvariantBroken(f"a consistency proof from {old_size} to {size} leaves was asked for")
    if old_size == 0:
        return []  # every tree begins with the empty one
    path = []
    low, high = 0, size
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(subtree_root(node, middle, end=high))
            high = middle
        else:
            path.append(subtree_root(node, low, end=middle))
            low = middle
    if low > 0:  # otherwise the verifier already holds this hash: it is the old root
        path.append(subtree_root(node, low, end=high))
    return path[::-1]


def verify_inclusion(leaf: bytes, proof: Sequence[bytes], *, index: int, size: int, root: bytes) -> None:
    """Check that the leaf hash stands at the index of the tree with that root (RFC 9162 section 2.1.3.2).

    Raises:
        ProofInvalid: it does not.
    """
    where = f"inclusion proof of leaf {index} in a tree of {size}"
    if not 0 <= index < size:
        raise ProofInvalid(f"{where}: the index lies outside of the tree")
    _require_hashes([leaf, root, *proof], where)
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid(f"{where}: {len(proof)} hashes are too many")
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            position, last = _climb(position, last)
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofInvalid(f"{where}: {len(proof)} hashes are too few")
    if found != root:
        raise ProofInvalid(f"{where}: expected root {root.hex()}, the proof leads to {found.hex()}")


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, size: int, root: bytes
) -> None:
    """Check that the old tree is a beginning of the new one (RFC 9162 section 2.1.4.2).

    Raises:
        ProofInvalid: it is not.
    """
    where = f"consistency proof from {old_size} to {size} leaves"
    if not 0 <= old_size <= size:
        raise ProofInvalid(f"{where}: a log never becomes smaller")
    _require_hashes([old_root, root, *proof], where)
    if old_size in {0, size}:
        known = EMPTY_ROOT if old_size == 0 else root
        if proof or old_root != known:
            raise ProofInvalid(
                f"{where}: expected no hashes and old root {known.hex()}, found {old_root.hex()}"
            )
        return
    found_old, found = _consistent_roots(proof, old_size=old_size, old_root=old_root, size=size, where=where)
    if found_old != old_root:
        raise ProofInvalid(
            f"{where}: expected old root {old_root.hex()}, the proof leads to {found_old.hex()}"
        )
    if found != root:
        raise ProofInvalid(f"{where}: expected new root {root.hex()}, the proof leads to {found.hex()}")


class BatchTree:
    """A whole tree in memory, for a batch of records of which every proof may be asked."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        if len(leaf_hashes) > BATCH_LEAVES_MAX:
            raise InvariantBroken(
                f"a batch of {len(leaf_hashes)} leaves, at most {BATCH_LEAVES_MAX} are allowed"
            )
        self.size = len(leaf_hashes)
        self._levels = [b"".join(leaf_hashes)]
        if len(self._levels[0]) != self.size * HASH_BYTES:
            raise InvariantBroken(f"a leaf hash of a batch is not {HASH_BYTES} bytes long")
        while len(self._levels[-1]) > HASH_BYTES:
            self._levels.append(fold_level(self._levels[-1]))

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return subtree_root(self.node, 0, end=self.size)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of one perfect subtree."""
        return self._levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES]

    def inclusion(self, index: int) -> list[bytes]:
        """Build the inclusion proof of one leaf."""
        return inclusion_proof(self.node, index, size=self.size)


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _fold_peaks(peaks: list[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _climb(position: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the node has no sibling; the caller shifts once more."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _consistent_roots(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, size: int, where: str
) -> tuple[bytes, bytes]:
    steps = list(proof)
    if old_size & (old_size - 1) == 0:  # the old tree is a perfect subtree, so its root starts the path
        steps.insert(0, old_root)
    if not steps:
        raise ProofInvalid(f"{where}: the proof is empty")
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    found_old = found = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofInvalid(f"{where}: {len(proof)} hashes are too many")
        if position & 1 or position == last:
            found_old, found = node_hash(step, found_old), node_hash(step, found)
            position, last = _climb(position, last)
        else:
            found = node_hash(found, step)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofInvalid(f"{where}: {len(proof)} hashes are too few")
    return found_old, found


def _require_hashes(hashes: Iterable[bytes], where: str) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise ProofInvalid(f"{where}: a hash of {len(each)} bytes, expected {HASH_BYTES}")
