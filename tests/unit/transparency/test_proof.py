"""Log proofs: one text that an offline verifier needs, and nothing in it that may differ."""

import pytest

from gateway.transparency import (
    BadSignature,
    BatchTree,
    Checkpoint,
    LogProof,
    MalformedLogText,
    NotInPolicy,
    ProofInvalid,
    QuorumPending,
    leaf_hash,
    read_policy,
    read_proof,
    sign_note,
    verify_proof,
)
from gateway.transparency.text import write_base64
from tests.unit.transparency.signers import log_signer, witness_signer

LOG = log_signer()
POLICY = read_policy(f"log {LOG.key}\nquorum none\n".encode())
ENTRIES = [f"entry {number}".encode() for number in range(11)]
TREE = BatchTree([leaf_hash(entry) for entry in ENTRIES])
NOTE = bytes(sign_note(bytes(Checkpoint(LOG.key.name, 11, TREE.root)), key=LOG.key, sign=LOG.sign))


def proof_of(index: int, extra: bytes | None = None) -> LogProof:
    return LogProof(index, tuple(TREE.inclusion(index)), NOTE, extra)


TEXT = str(proof_of(3))


@pytest.mark.parametrize("extra", [None, b"", b"more"])
def test_a_proof_is_read_back_and_verifies(extra: bytes | None) -> None:
    for index, entry in enumerate(ENTRIES):
        proof = read_proof(str(proof_of(index, extra)))

        assert proof == proof_of(index, extra)
        assert verify_proof(proof, entry, policy=POLICY).tree_size == 11


def test_the_text_is_the_one_of_the_specification() -> None:
    assert TEXT.splitlines()[:3] == ["c2sp.org/tlog-proof@v1", "index 3", write_base64(leaf_hash(ENTRIES[2]))]
    assert TEXT.endswith("\n\n" + NOTE.decode())
    assert str(proof_of(3, b"e")).splitlines()[1] == "extra ZQ=="


def test_a_proof_of_the_only_entry_has_no_hashes() -> None:
    note = bytes(sign_note(bytes(Checkpoint(LOG.key.name, 1, leaf_hash(b"x"))), key=LOG.key, sign=LOG.sign))
    text = str(LogProof(0, (), note))

    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/one\n1\n")
    verify_proof(read_proof(text), b"x", policy=POLICY)


def test_every_altered_character_is_refused() -> None:
    for at, character in enumerate(TEXT):
        altered = TEXT[:at] + chr(ord(character) ^ 1) + TEXT[at + 1 :]
        with pytest.raises((MalformedLogText, ProofInvalid, BadSignature, NotInPolicy)):
            verify_proof(read_proof(altered), ENTRIES[3], policy=POLICY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("@v1", "@v2"),
        " " + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("index 3", "index 03"),
        TEXT.replace("index 3", "index -3"),
        TEXT.replace("index 3", "index  3"),
        TEXT.replace("index 3\n", ""),
        TEXT.replace("index 3", "3"),
        TEXT.replace("index 3", "index 9223372036854775808"),
        "c2sp.org/tlog-proof@v1\n\n" + NOTE.decode(),
        "c2sp.org/tlog-proof@v1",
        TEXT.replace("index 3", "extra ZQ==\nextra ZQ==\nindex 3"),
        TEXT.replace("index 3", "extra ZR==\nindex 3"),
        TEXT.replace("index 3", "extra\nindex 3"),
        TEXT.replace("index 3", "index 3\nZQ=="),
        TEXT.replace("index 3\n", "index 3\n" + (write_base64(bytes(32)) + "\n") * 64),
        TEXT.replace("\n\n", "\n", 1),
        TEXT.replace("\n\n", "\n\n\n", 1),
        TEXT.rpartition("\n\n")[0],
        TEXT + "\n",
        TEXT.replace("log.example", "log\ud800example"),
    ],
)
def test_a_text_that_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(MalformedLogText):
        read_proof(text)


def test_a_text_beyond_its_size_is_not_looked_at() -> None:
    with pytest.raises(MalformedLogText, match="characters"):
        read_proof(TEXT + "x" * 600_000)


def test_another_entry_is_refused_before_signatures_are_looked_at() -> None:
    with pytest.raises(ProofInvalid):
        verify_proof(proof_of(3), ENTRIES[4], policy=POLICY)


def test_a_pending_quorum_means_that_all_else_is_well() -> None:
    witness = witness_signer("w").key
    policy = read_policy(f"log {LOG.key}\nwitness w {witness}\nquorum w\n".encode())

    with pytest.raises(QuorumPending):
        verify_proof(proof_of(3), ENTRIES[3], policy=policy)
    with pytest.raises(ProofInvalid):
        verify_proof(proof_of(3), ENTRIES[4], policy=policy)
