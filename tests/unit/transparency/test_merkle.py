"""Merkle trees against RFC 6962 itself, the outside vectors, and every single altered proof."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvariantBroken
from gateway.transparency import (
    EMPTY_ROOT,
    BatchTree,
    ProofInvalid,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from gateway.transparency.merkle import BATCH_LEAVES_MAX, consistency_proof, inclusion_proof
from tests.real_data import shared_folder
from tests.unit.transparency import naive

ENTRIES = [f"entry {number}".encode() for number in range(40)]


def tree(entries: list[bytes]) -> BatchTree:
    return BatchTree([leaf_hash(entry) for entry in entries])


@given(st.lists(st.binary(max_size=5), max_size=70))
def test_roots_are_those_of_the_rfc(entries: list[bytes]) -> None:
    assert tree(entries).root == naive.mth(entries)
    assert root_of(leaf_hash(entry) for entry in entries) == naive.mth(entries)


@given(st.data(), st.lists(st.binary(max_size=5), min_size=1, max_size=70))
def test_inclusion_proofs_are_those_of_the_rfc_and_verify(data: st.DataObject, entries: list[bytes]) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))

    proof = tree(entries).inclusion(index)

    assert proof == naive.path(index, entries)
    verify_inclusion(
        leaf_hash(entries[index]), proof, index=index, size=len(entries), root=naive.mth(entries)
    )


@given(st.data(), st.lists(st.binary(max_size=5), max_size=70))
def test_consistency_proofs_are_those_of_the_rfc_and_verify(
    data: st.DataObject, entries: list[bytes]
) -> None:
    old = data.draw(st.integers(0, len(entries)))

    proof = consistency_proof(tree(entries).node, old, size=len(entries))

    assert proof == naive.proof(old, entries)
    verify_consistency(
        proof,
        old_size=old,
        old_root=naive.mth(entries[:old]),
        size=len(entries),
        root=naive.mth(entries),
    )


def altered(proof: list[bytes]) -> list[list[bytes]]:
    """Every proof that differs in one hash, is one longer or one shorter."""
    flipped = [
        [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]] for at in range(len(proof))
    ]
    longer = [[*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof]]
    shorter = [[*proof[:at], *proof[at + 1 :]] for at in range(len(proof))]
    return [*flipped, *longer, *shorter]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_no_altered_inclusion_proof_verifies(size: int) -> None:
    entries = ENTRIES[:size]
    for index in range(size):
        proof, root, leaf = tree(entries).inclusion(index), naive.mth(entries), leaf_hash(entries[index])
        for wrong in altered(proof):
            with pytest.raises(ProofInvalid):
                verify_inclusion(leaf, wrong, index=index, size=size, root=root)
        for other in set(range(-1, size + 1)) - {index}:
            with pytest.raises(ProofInvalid):
                verify_inclusion(leaf, proof, index=other, size=size, root=root)
        with pytest.raises(ProofInvalid):
            verify_inclusion(leaf_hash(b"another"), proof, index=index, size=size, root=root)
        with pytest.raises(ProofInvalid):
            verify_inclusion(leaf, proof, index=index, size=size, root=EMPTY_ROOT)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_no_altered_consistency_proof_verifies(size: int) -> None:
    root = naive.mth(ENTRIES[:size])
    for old in range(size + 1):
        proof = consistency_proof(tree(ENTRIES[:size]).node, old, size=size)
        old_root = naive.mth(ENTRIES[:old])
        for wrong in altered(proof):
            with pytest.raises(ProofInvalid):
                verify_consistency(wrong, old_size=old, old_root=old_root, size=size, root=root)
        with pytest.raises(ProofInvalid):
            verify_consistency(proof, old_size=old, old_root=leaf_hash(b"x"), size=size, root=root)
        if old:
            with pytest.raises(ProofInvalid):
                verify_consistency(proof, old_size=old, old_root=old_root, size=size, root=leaf_hash(b"x"))


@pytest.mark.parametrize(("old_size", "size"), [(5, 4), (-1, 4)])
def test_a_log_that_becomes_smaller_is_refused(old_size: int, size: int) -> None:
    with pytest.raises(ProofInvalid, match="never becomes smaller") as refused:
        verify_consistency([], old_size=old_size, old_root=EMPTY_ROOT, size=size, root=EMPTY_ROOT)

    assert refused.value.code == "proof-invalid"


def test_an_empty_proof_between_two_sizes_is_refused() -> None:
    with pytest.raises(ProofInvalid, match="empty"):
        verify_consistency(
            [], old_size=3, old_root=naive.mth(ENTRIES[:3]), size=4, root=naive.mth(ENTRIES[:4])
        )


def test_a_proof_for_one_size_does_not_serve_for_another() -> None:
    """The size is signed beside the root, so both must fit the proof, even where the hashes would."""
    root = naive.mth(ENTRIES[:4])
    leaf, proof = leaf_hash(ENTRIES[0]), naive.path(0, ENTRIES[:4])
    old_root, steps = naive.mth(ENTRIES[:2]), naive.proof(2, ENTRIES[:4])

    verify_inclusion(leaf, proof, index=0, size=4, root=root)
    verify_consistency(steps, old_size=2, old_root=old_root, size=4, root=root)
    with pytest.raises(ProofInvalid, match="too few"):
        verify_inclusion(leaf, proof, index=0, size=8, root=root)
    with pytest.raises(ProofInvalid, match="too few"):
        verify_consistency(steps, old_size=2, old_root=old_root, size=8, root=root)
    with pytest.raises(ProofInvalid, match="too many"):
        verify_inclusion(leaf, [EMPTY_ROOT], index=0, size=1, root=node_hash(EMPTY_ROOT, leaf))


def test_a_hash_of_another_length_is_refused() -> None:
    with pytest.raises(ProofInvalid, match="31 bytes"):
        verify_inclusion(bytes(31), [], index=0, size=1, root=EMPTY_ROOT)


def test_a_proof_outside_of_the_tree_cannot_be_built() -> None:
    batch = tree(ENTRIES[:3])

    with pytest.raises(InvariantBroken):
        inclusion_proof(batch.node, 3, size=3)
    with pytest.raises(InvariantBroken):
        consistency_proof(batch.node, 4, size=3)


def test_a_batch_larger_than_its_limit_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="131073"):
        BatchTree([EMPTY_ROOT] * (BATCH_LEAVES_MAX + 1))


def test_a_leaf_hash_of_another_length_is_refused() -> None:
    with pytest.raises(InvariantBroken):
        BatchTree([bytes(31)])


def test_a_large_batch_agrees_with_the_streaming_root_and_proves_its_leaves() -> None:
    hashes = [leaf_hash(number.to_bytes(4, "big")) for number in range(65_537)]
    batch = BatchTree(hashes)

    assert batch.root == root_of(hashes)
    for index in (0, 1, 255, 256, 32_768, 65_535, 65_536):
        verify_inclusion(hashes[index], batch.inclusion(index), index=index, size=65_537, root=batch.root)


@pytest.fixture(scope="module")
def vectors() -> Any:
    folder = shared_folder()
    if folder is None or not (folder / "vectors" / "merkle").is_dir():
        pytest.skip("the outside Merkle vectors are not here: set TANQIAO_TEST_DATA")
    return json.loads((folder / "vectors" / "merkle" / "rfc6962-8leaves.json").read_text())


def test_the_vectors_of_certificate_transparency_hold(vectors: Any) -> None:
    entries = [bytes.fromhex(text) for text in vectors["leaf_inputs_hex"]]

    assert [leaf_hash(entry).hex() for entry in entries] == vectors["leaf_hashes"]
    for size, root in enumerate(vectors["roots_by_size"]):
        assert tree(entries[:size]).root.hex() == root
    for case in vectors["inclusion"]:
        assert [h.hex() for h in tree(entries[: case["size"]]).inclusion(case["index"])] == case["proof"]
    assert len(vectors["consistency"]) == 36
    for case in vectors["consistency"]:
        proof = consistency_proof(tree(entries[: case["new"]]).node, case["old"], size=case["new"])
        assert [h.hex() for h in proof] == case["proof"]
