"""The log vectors that other implementations can verify hold here, and are what is written here today."""

import json
from pathlib import Path

import pytest

from gateway.transparency import (
    BatchTree,
    Checkpoint,
    LogProof,
    QuorumPending,
    cosign_note,
    leaf_hash,
    read_note,
    read_policy,
    read_proof,
    sign_note,
    verify_checkpoint,
    verify_consistency,
    verify_proof,
)
from tests.unit.transparency.signers import log_signer, witness_signer

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "transparency"
POLICY = read_policy((FOLDER / "policy").read_bytes())
CHECKPOINT = (FOLDER / "checkpoint").read_bytes()
TREE = BatchTree([leaf_hash(f"entry {number}".encode()) for number in range(300)])


def test_the_checkpoint_and_the_proof_verify() -> None:
    proof = read_proof((FOLDER / "entry-257.tlog-proof").read_text())
    checkpoint = verify_checkpoint(POLICY, CHECKPOINT)

    assert verify_proof(proof, (FOLDER / "entry").read_bytes(), policy=POLICY) == checkpoint
    assert checkpoint == Checkpoint("log.example/vector", 300, TREE.root)


def test_the_consistency_proof_verifies() -> None:
    case = json.loads((FOLDER / "consistency-200.json").read_text())
    verify_consistency(
        [bytes.fromhex(each) for each in case["hashes"]],
        old_size=case["old_size"],
        old_root=bytes.fromhex(case["old_root"]),
        size=300,
        root=TREE.root,
    )


def test_the_same_bytes_are_written_today() -> None:
    log = log_signer("log.example/vector")
    note = sign_note(bytes(Checkpoint(log.key.name, 300, TREE.root)), key=log.key, sign=log.sign)
    for name, timestamp in [("a", 1_700_000_000), ("b", 1_700_000_001)]:
        witness = witness_signer(f"witness.example/{name}")
        note = cosign_note(note, key=witness.key, sign=witness.sign, timestamp=timestamp)
    proof = LogProof(257, tuple(TREE.inclusion(257)), bytes(note))

    assert bytes(note) == CHECKPOINT
    assert str(proof) == (FOLDER / "entry-257.tlog-proof").read_text()


def test_one_cosignature_less_is_not_enough() -> None:
    note = read_note(CHECKPOINT)

    with pytest.raises(QuorumPending):
        verify_checkpoint(POLICY, CHECKPOINT.removesuffix(str(note.signatures[-1]).encode()))
