"""Requests to witnesses: what is read of them, and what must hold before one cosigns."""

import pytest

from gateway.transparency import (
    EMPTY_ROOT,
    Checkpoint,
    CheckpointRefused,
    Edge,
    MalformedLogText,
    NoteSignature,
    NotSignedByLog,
    StaleOldSize,
    TreeReader,
    WitnessRequest,
    claimed_origin,
    grow,
    leaf_hash,
    read_note,
    read_witness_request,
    require_consistent,
    sign_note,
    signed_by_log,
)
from gateway.transparency.text import write_base64
from tests.unit.transparency.signers import log_signer, signer

LOG = log_signer()
ENTRIES = [f"entry {number}".encode() for number in range(9)]
OTHER_ROOT = leaf_hash(b"other")
BYTES_MAX = 256 * 1024 + 4096  # the largest note, and room for the old size and 63 hashes


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(LOG.key.name, size, grow(Edge(0), ENTRIES[:size]).edge.root)


def signed(text: bytes) -> bytes:
    return bytes(sign_note(text, key=LOG.key, sign=LOG.sign))


def request(old: int, size: int, *, stated: int | None = None) -> WitnessRequest:
    """Make the request to go on from a size; the old size may be stated otherwise."""
    tree = TreeReader(grow(Edge(0), ENTRIES[:size]).files.__getitem__, checkpoint(size))
    hashes = tuple(tree.consistency(old, size=size))
    return WitnessRequest(old if stated is None else stated, hashes, signed(bytes(checkpoint(size))))


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 9), (4, 9), (9, 9), (7, 8)])
def test_a_request_is_read_back_and_continues_what_was_seen(old: int, size: int) -> None:
    read = read_witness_request(bytes(request(old, size)))

    assert read == request(old, size)
    assert require_consistent(read, checkpoint(old)) == checkpoint(size)


def test_the_request_is_written_as_the_specification_says() -> None:
    made = request(4, 9)
    head, _, note = bytes(made).partition(b"\n\n")

    assert head.decode().split("\n") == ["old 4", *map(write_base64, made.hashes)]
    assert note == made.note


@pytest.mark.parametrize(("count", "is_read"), [(0, True), (62, True), (63, True), (64, False)])
def test_up_to_63_hashes_are_read(count: int, is_read: bool) -> None:
    body = bytes(WitnessRequest(1, (bytes(32),) * count, signed(bytes(checkpoint(3)))))

    if is_read:
        assert len(read_witness_request(body).hashes) == count
    else:
        with pytest.raises(MalformedLogText, match="64 hashes, at most 63 are read"):
            read_witness_request(body)


@pytest.mark.parametrize(("length", "is_read"), [(31, False), (32, True), (33, False)])
def test_a_hash_has_32_bytes(length: int, is_read: bool) -> None:
    body = bytes(WitnessRequest(1, (bytes(length),), signed(bytes(checkpoint(3)))))

    if is_read:
        assert read_witness_request(body).hashes == (bytes(length),)
    else:
        with pytest.raises(MalformedLogText, match=f"a hash of {length} bytes, expected 32"):
            read_witness_request(body)


def test_a_request_beyond_its_size_is_not_looked_at() -> None:
    with pytest.raises(MalformedLogText, match="expected an empty line"):
        read_witness_request(b"x" * BYTES_MAX)
    with pytest.raises(MalformedLogText, match=f"{BYTES_MAX + 1} bytes, at most {BYTES_MAX} are read"):
        read_witness_request(b"x" * (BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"old 4", b"new 4"),
        (b"old 4", b"old4"),
        (b"old 4", b"old  4"),
        (b"old 4", b"old 04"),
        (b"old 4", b"old -4"),
        (b"old 4", b"old"),
        (b"old 4", b"\xff"),
        (b"\n\n", b"\n"),
    ],
)
def test_a_text_that_is_no_request_is_refused(old: bytes, new: bytes) -> None:
    body = bytes(request(4, 9))
    cut = body.replace(old, new) if old == b"\n\n" else body.replace(old, new, 1)

    assert read_witness_request(body)
    with pytest.raises(MalformedLogText):
        read_witness_request(cut)


def test_only_the_lines_of_the_logs_own_keys_are_kept() -> None:
    note = read_note(signed(bytes(checkpoint(3))))
    stranger, former = signer("other.example"), signer(LOG.key.name, seed="former")
    noise = NoteSignature(stranger.key.name, stranger.key.key_id, bytes(64))
    by_former = NoteSignature(former.key.name, former.key.key_id, former.sign(note.text))
    mixed = note.with_signature(noise).with_signature(by_former)

    assert signed_by_log(mixed, [LOG.key]) == note
    assert signed_by_log(mixed, [LOG.key, former.key]).signatures == (*note.signatures, by_former)


def test_a_note_that_no_key_of_the_log_has_signed_is_refused() -> None:
    note = read_note(signed(bytes(checkpoint(3))))

    with pytest.raises(NotSignedByLog, match=r"none of the keys known for 'log\.example/one'"):
        signed_by_log(note, [signer(LOG.key.name, seed="impostor").key])
    with pytest.raises(NotSignedByLog):
        signed_by_log(note, [])


def test_a_line_of_the_log_that_does_not_fit_is_refused() -> None:
    note = read_note(signed(bytes(checkpoint(3))))
    (line,) = note.signatures
    broken = read_note(bytes(note).replace(b"\n3\n", b"\n4\n"))

    assert broken.signatures == (line,)
    with pytest.raises(NotSignedByLog):
        signed_by_log(broken, [LOG.key])


@pytest.mark.parametrize("text", [b"log.example/one\n9\nx\n", b"log.example/one\n", b"log.example/one\n\n\n"])
def test_a_note_claims_its_first_line_whatever_follows(text: bytes) -> None:
    assert claimed_origin(read_note(signed(text))) == "log.example/one"


def test_an_old_size_beyond_the_checkpoint_is_malformed() -> None:
    with pytest.raises(MalformedLogText, match="old size 4, but the checkpoint has 3 entries"):
        require_consistent(request(3, 3, stated=4), checkpoint(4))


@pytest.mark.parametrize("stated", [0, 3, 5])
def test_a_proof_from_another_size_than_the_last_is_stale(stated: int) -> None:
    with pytest.raises(StaleOldSize) as stale:
        require_consistent(request(stated, 9), checkpoint(4))

    assert stale.value.size == 4


def test_another_log_than_the_one_seen_is_refused_with_what_was_found() -> None:
    seen = Checkpoint(LOG.key.name, 4, OTHER_ROOT)

    with pytest.raises(CheckpointRefused) as refused:
        require_consistent(request(4, 9), seen)

    assert refused.value.found == checkpoint(9)


def test_an_empty_log_has_the_root_of_the_empty_log() -> None:
    text = bytes(checkpoint(0)).replace(write_base64(EMPTY_ROOT).encode(), write_base64(OTHER_ROOT).encode())

    with pytest.raises(CheckpointRefused, match="another root than that of the empty log") as refused:
        require_consistent(WitnessRequest(0, (), signed(text)), checkpoint(0))

    assert refused.value.found is None


@pytest.mark.parametrize(
    "text",
    [
        b"log.example/one\n",
        b"log.example/one\n0\n",
        b"log.example/one\n0\nnot base64\n",
        b"log.example/one\n0\nAAAA\n",
        b"log.example/one\n3\nAAAA\n",
        b"\n0\n" + write_base64(OTHER_ROOT).encode() + b"\n",
        b"log.example/one\n0\n" + write_base64(OTHER_ROOT).encode() + b"\n\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedLogText):
        require_consistent(WitnessRequest(0, (), signed(text)), checkpoint(0))
