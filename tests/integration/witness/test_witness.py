"""A witness over real HTTP: what it cosigns, everything that it refuses, races and kills."""

from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random
from time import sleep, time

import httpx
import pytest

from gateway.store.log.tiles import LogFolder
from gateway.transparency import (
    EMPTY_ROOT,
    Checkpoint,
    ForkEvidence,
    VerifierKey,
    WitnessRequest,
    cosignature_time,
    read_note,
    read_policy,
    sign_note,
    verified_keys,
)
from tests.fakes.witnesses import RunningWitness, request_for, witnessing
from tests.unit.store_log.logs import entries, log_of
from tests.unit.transparency.signers import log_signer


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWitness]:
    with witnessing(tmp_path_factory.mktemp("witness"), "w1.example") as (one,):
        yield one


@pytest.fixture
def log(tmp_path: Path, witness: RunningWitness) -> LogFolder:
    """Return a log of five entries that the witness follows and has not cosigned."""
    found = log_of(tmp_path, "log.example/" + sha256(str(tmp_path).encode()).hexdigest()[:16])
    found.append(entries(5))
    witness.follow(log_signer(found.origin).key)
    return found


def forked(log: LogFolder, folder: Path, count: int, *, common: int = 0) -> LogFolder:
    """Return a log of the same key whose entries differ from a number on."""
    found = log_of(folder / "forked", log.origin)
    found.append([*entries(common), *(f"other {number}".encode() for number in range(common, count))])
    return found


def key_of(log: LogFolder) -> VerifierKey:
    return log_signer(log.origin).key


def signed(log: LogFolder, text: bytes) -> bytes:
    signer = log_signer(log.origin)
    return bytes(sign_note(text, key=signer.key, sign=signer.sign))


def hash_of(log: LogFolder) -> str:
    return sha256(log.origin.encode()).hexdigest()


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])


def test_witness_cosigns_a_growing_log_and_serves_what_it_cosigned(
    witness: RunningWitness, log: LogFolder
) -> None:
    for old, size in ((0, 5), (5, 5), (5, 300), (300, 301)):
        if size > log.size:
            log.append(entries(size, log.size))
        answer = witness.add_checkpoint(request_for(log, old))

        assert answer.status_code == 200
        note = read_note(log.checkpoint + answer.content)
        assert verified_keys(note, [key_of(log), witness.key]) == {key_of(log), witness.key}
        assert abs(cosignature_time(note.signatures[-1].signature) - time()) < 120
        assert httpx.get(f"{witness.url}/{hash_of(log)}/checkpoint").content == bytes(note)


def test_witness_serves_only_the_lines_that_it_verified(witness: RunningWitness, log: LogFolder) -> None:
    stranger = log_signer("stranger.example")
    line = read_note(log.checkpoint).signatures[0]
    noise = f"— {stranger.key.name} {b64encode(stranger.key.key_id + line.signature).decode()}\n".encode()

    answer = witness.add_checkpoint(request_for(log, 0, log.checkpoint + noise))

    assert answer.status_code == 200
    kept = httpx.get(f"{witness.url}/{hash_of(log)}/checkpoint").content
    assert [one.name for one in read_note(kept).signatures] == [log.origin, witness.name]
    assert httpx.get(f"{witness.url}/{'0' * 64}/checkpoint").status_code == 404


def test_unknown_log_and_missing_and_broken_signature_are_refused(
    witness: RunningWitness, log: LogFolder
) -> None:
    body = request_for(log, 0)
    altered = bytearray(body)
    altered[-10] ^= 1
    stranger = log_signer("other.example").key
    unsigned = body.replace(f"— {log.origin} ".encode(), f"— {stranger.name} ".encode())

    assert code_of(witness.add_checkpoint(body.replace(log.origin.encode(), b"no.example"))) == (
        404,
        "unknown-log",
    )
    assert code_of(witness.add_checkpoint(unsigned)) == (403, "not-signed-by-log")
    assert code_of(witness.add_checkpoint(bytes(altered))) in {
        (403, "not-signed-by-log"),
        (400, "malformed-log-text"),
    }
    changed = body.replace(b"\n5\n", b"\n6\n")
    assert code_of(witness.add_checkpoint(changed)) == (403, "not-signed-by-log")
    assert witness.latest_size(log.origin) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"old 0\n", b"old 00\n"),
        (b"old 0\n", b"old  0\n"),
        (b"old 0\n", b"old -1\n"),
        (b"old 0\n", b"Old 0\n"),
        (b"old 0\n", b"old 6\n"),
        (b"old 0\n", b"old 0\nAAAA\n"),
        (b"old 0\n", b"old 0\nnot base64\n"),
        (b"old 0\n\n", b"old 0\n"),
        (b"old 0\n", b"old 0\r\n"),
        (b"old 0\n", b"old 0\n" + (b64encode(bytes(32)) + b"\n") * 64),
        (b"=\n\n", b"=\n"),
    ],
)  # fmt: skip
def test_malformed_requests_are_refused(
    witness: RunningWitness, log: LogFolder, old: bytes, new: bytes
) -> None:
    body = request_for(log, 0)
    assert old in body

    answer = witness.add_checkpoint(body.replace(old, new, 1))

    assert code_of(answer) == (400, "malformed-log-text")


def test_a_request_that_is_too_large_or_empty_is_refused(witness: RunningWitness) -> None:
    assert witness.add_checkpoint(b"x" * 400_000).status_code == 413
    assert witness.add_checkpoint(b"").status_code == 400
    assert httpx.get(witness.url + "/add-checkpoint").status_code == 405


def test_a_proof_from_another_size_is_answered_with_the_latest_size(
    witness: RunningWitness, log: LogFolder
) -> None:
    witness.add_checkpoint(request_for(log, 0))
    early = log.checkpoint
    log.append(entries(9, 5))
    assert witness.add_checkpoint(request_for(log, 5)).status_code == 200

    for body in (
        request_for(log, 0),
        request_for(log, 5),
        request_for(log, 0, early),
        request_for(log, 5, early),
    ):
        answer = witness.add_checkpoint(body)

        assert answer.status_code == 409
        assert answer.headers["content-type"] == "text/x.tlog.size"
        assert answer.content == b"9\n"


def test_inconsistent_checkpoints_are_refused_and_nothing_is_forgotten(
    witness: RunningWitness, log: LogFolder, tmp_path: Path
) -> None:
    witness.add_checkpoint(request_for(log, 0))
    other = forked(log, tmp_path, 9, common=3)
    good = log.consistency(3)
    before = len(witness.evidence())

    assert code_of(witness.add_checkpoint(request_for(other, 5))) == (422, "checkpoint-refused")
    longer = WitnessRequest(5, (*good, bytes(32)), other.checkpoint)
    assert code_of(witness.add_checkpoint(bytes(longer))) == (422, "checkpoint-refused")
    assert code_of(witness.add_checkpoint(bytes(WitnessRequest(5, (), other.checkpoint)))) == (
        422,
        "checkpoint-refused",
    )
    assert witness.latest_size(log.origin) == 5
    assert len(witness.evidence()) == before
    log.append(entries(9, 5))
    assert witness.add_checkpoint(request_for(log, 5)).status_code == 200


def test_a_proof_from_the_empty_log_and_a_root_of_the_empty_log_must_be_empty(
    witness: RunningWitness, log: LogFolder
) -> None:
    proof = WitnessRequest(0, (bytes(32),), log.checkpoint)
    empty = bytes(Checkpoint(log.origin, 0, EMPTY_ROOT))
    rooted = empty.replace(b64encode(EMPTY_ROOT), b64encode(bytes(32)))

    assert witness.add_checkpoint(bytes(proof)).status_code == 422
    assert witness.add_checkpoint(b"old 0\n\n" + signed(log, rooted)).status_code == 422
    assert witness.add_checkpoint(b"old 0\n\n" + signed(log, empty)).status_code == 200


def test_one_size_with_two_roots_is_refused_and_proves_a_fork(
    witness: RunningWitness, log: LogFolder, tmp_path: Path
) -> None:
    witness.add_checkpoint(request_for(log, 0))
    other = forked(log, tmp_path, 5)
    before = set(witness.evidence())

    for _ in range(2):
        assert code_of(witness.add_checkpoint(request_for(other, 5))) == (422, "checkpoint-refused")

    (kept,) = set(witness.evidence()) - before
    evidence = ForkEvidence.read(kept.read_bytes())
    earlier, later = evidence.verify(read_policy(f"log {key_of(log)}\nquorum none\n".encode()))
    assert (earlier.tree_size, later.tree_size) == (5, 5)
    assert earlier.root_hash != later.root_hash
    assert witness.add_checkpoint(request_for(log, 5)).status_code == 200


def test_of_larger_and_smaller_at_once_one_is_cosigned_and_none_is_rolled_back(
    witness: RunningWitness, log: LogFolder
) -> None:
    witness.add_checkpoint(request_for(log, 0))
    notes = []
    for size in range(6, 18):
        log.append(entries(size, size - 1))
        notes.append(log.checkpoint)
    bodies = [request_for(log, 5, note) for note in notes]
    Random(7).shuffle(bodies)

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(witness.add_checkpoint, bodies))

    (won,) = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    size = int(won.split(b"\n\n")[1].split(b"\n")[1])
    assert {answer.status_code for answer in answers} == {200, 409}
    assert {answer.content for answer in answers if answer.status_code == 409} == {b"%d\n" % size}
    assert witness.latest_size(log.origin) == size


def test_what_was_answered_survives_kills(tmp_path: Path) -> None:
    log = log_of(tmp_path, "log.example/killed")
    with witnessing(tmp_path, "w9.example", keys=(key_of(log),)) as (witness,):
        _kill_again_and_again(witness, log)


def _kill_again_and_again(witness: RunningWitness, log: LogFolder) -> None:
    random = Random(3)
    answered = 0
    for _ in range(2):
        notes = []
        for _ in range(6):
            log.append(entries(log.size + 1, log.size))
            notes.append(log.checkpoint)
        with ThreadPoolExecutor(2) as pool:
            sent = pool.submit(_send_until_killed, witness, log, notes=notes, known=answered)
            pool.submit(_kill_after, witness, random.random() / 5).result()
            answered = max(answered, sent.result())
        witness.start()

        size = int(witness.add_checkpoint(request_for(log, log.size)).content or b"0")
        assert answered <= size <= log.size
        assert witness.add_checkpoint(request_for(log, size)).status_code == 200
        answered = log.size


def _kill_after(witness: RunningWitness, seconds: float) -> None:
    sleep(seconds)
    witness.kill()


def _send_until_killed(witness: RunningWitness, log: LogFolder, *, notes: list[bytes], known: int) -> int:
    for note in notes:
        try:
            answer = witness.add_checkpoint(request_for(log, known, note))
        except httpx.TransportError:
            return known
        assert answer.status_code == 200
        known = int(note.split(b"\n")[1])
    return known


def test_a_log_is_followed_once_however_often_it_is_added(witness: RunningWitness, log: LogFolder) -> None:
    witness.follow(key_of(log))

    (found,) = [one for one in witness.home_logs() if one["origin"] == log.origin]

    assert (found["size"], found["keys"]) == (0, [str(key_of(log))])
    assert (witness.folder / "key").stat().st_mode & 0o777 == 0o600
