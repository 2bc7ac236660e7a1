"""Evidence of a fork: who can make it, and what it must hold to convince anybody."""

import json

import pytest

from gateway.errors import MalformedDocument
from gateway.transparency import (
    BadSignature,
    Checkpoint,
    Edge,
    ForkEvidence,
    LogFileAltered,
    NoFork,
    NotInPolicy,
    ProofInvalid,
    fork_between,
    grow,
    read_policy,
    sign_note,
)
from gateway.transparency.text import write_base64
from tests.unit.transparency.signers import LogSigner, log_signer

LOG, OTHER = log_signer(), log_signer("log.example/two")
POLICY = read_policy(f"log {LOG.key}\nlog {OTHER.key}\nquorum none\n".encode())
BYTES_MAX = 1_048_576


def entries(size: int, *, common: int) -> list[bytes]:
    return [f"{'entry' if number < common else 'other'} {number}".encode() for number in range(size)]


def log(size: int, *, common: int = 1000, log: LogSigner = LOG) -> tuple[bytes, dict[str, bytes]]:
    """Return the signed checkpoint and the tiles of a log whose entries differ from a number on."""
    growth = grow(Edge(0), entries(size, common=common))
    text = bytes(Checkpoint(log.key.name, size, growth.edge.root))
    return bytes(sign_note(text, key=log.key, sign=log.sign)), growth.files


@pytest.mark.parametrize(
    ("early", "late"), [(0, 0), (0, 1), (0, 9), (1, 1), (1, 2), (1, 9), (5, 9), (9, 300)]
)
def test_a_log_that_goes_on_is_no_fork(early: int, late: int) -> None:
    note, files = log(late)

    assert fork_between(log(early)[0], note, read=files.__getitem__) is None
    assert fork_between(note, log(early)[0], read=files.__getitem__) is None


@pytest.mark.parametrize(("early", "late"), [(1, 1), (1, 2), (4, 4), (4, 9), (9, 300)])
def test_two_logs_of_one_key_are_a_fork_that_others_can_verify(early: int, late: int) -> None:
    (before, _), (after, files) = log(early), log(late, common=early - 1)

    for one, other in ((before, after), (after, before)):
        found = fork_between(one, other, read=files.__getitem__)
        assert found is not None
        earlier, later = ForkEvidence.read(bytes(found)).verify(POLICY)
        assert (earlier.tree_size, later.tree_size) == (early, late)


@pytest.mark.parametrize(("early", "late"), [(0, 0), (0, 9), (9, 9)])
def test_no_tile_is_needed_where_the_checkpoints_say_enough(early: int, late: int) -> None:
    def read(path: str) -> bytes:
        raise AssertionError(path)

    assert fork_between(log(early)[0], log(late)[0], read=read) is None


def test_the_tiles_must_be_those_of_the_larger_checkpoint() -> None:
    (before, _), (after, _) = log(4), log(9)

    with pytest.raises(LogFileAltered):
        fork_between(before, after, read=log(9, common=3)[1].__getitem__)


def evidence(*, early: int = 4, late: int = 9, signer: LogSigner = LOG) -> ForkEvidence:
    (before, _), (after, files) = log(early, log=signer), log(late, common=early - 1)
    found = fork_between(before, after, read=files.__getitem__)
    assert found is not None
    return found


def edited(**changes: object) -> bytes:
    return json.dumps(json.loads(bytes(evidence())) | changes).encode()


HASH = write_base64(bytes(32))


@pytest.mark.parametrize(("count", "is_read"), [(0, True), (63, True), (64, False)])
def test_up_to_63_hashes_are_read(count: int, is_read: bool) -> None:
    data = edited(hashes=[HASH] * count)

    if is_read:
        assert len(ForkEvidence.read(data).hashes) == count
    else:
        with pytest.raises(MalformedDocument, match="64 hashes, at most 63 are read"):
            ForkEvidence.read(data)


@pytest.mark.parametrize(("beyond", "is_read"), [(0, True), (1, False)])
def test_evidence_is_read_up_to_a_mebibyte(beyond: int, is_read: bool) -> None:
    data = edited() + b" " * (BYTES_MAX + beyond - len(edited()))

    if is_read:
        assert ForkEvidence.read(data) == evidence()
    else:
        with pytest.raises(MalformedDocument, match=f"at most {BYTES_MAX} are read"):
            ForkEvidence.read(data)


@pytest.mark.parametrize(
    "data",
    [
        edited(type="tanqiao/log-fork/2"),
        edited(more="1"),
        edited(hashes="AAAA"),
        edited(hashes={}),
        json.dumps({"type": "tanqiao/log-fork/1", "hashes": []}).encode(),
        b"[]",
    ],
    ids=["another type", "a member more", "no list", "a mapping", "members lack", "no object"],
)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        ForkEvidence.read(data)


def test_two_logs_of_two_names_are_no_fork() -> None:
    found = evidence(signer=OTHER)

    with pytest.raises(NotInPolicy, match="the checkpoints are of two logs"):
        found.verify(POLICY)


def test_evidence_of_a_log_that_goes_on_proves_nothing() -> None:
    found = evidence()
    honest = log(4, common=3)[0]

    with pytest.raises(NoFork):
        ForkEvidence(honest, found.later, found.root, found.hashes).verify(POLICY)


def test_hashes_that_do_not_lead_to_the_later_checkpoint_prove_nothing() -> None:
    found = evidence()

    for root, hashes in ((bytes(32), found.hashes), (found.root, found.hashes[:-1]), (found.root, ())):
        with pytest.raises(ProofInvalid):
            ForkEvidence(found.earlier, found.later, root, hashes).verify(POLICY)


def test_both_checkpoints_must_be_signed_by_the_log() -> None:
    found = evidence()
    stranger = read_policy(f"log {log_signer('x.example').key}\nquorum none\n".encode())

    with pytest.raises(NotInPolicy):
        found.verify(stranger)
    for earlier, later in (
        (found.earlier.replace(b"\n4\n", b"\n5\n"), found.later),
        (found.earlier, found.later.replace(b"\n9\n", b"\n8\n")),
    ):
        with pytest.raises(BadSignature):
            ForkEvidence(earlier, later, found.root, found.hashes).verify(POLICY)
