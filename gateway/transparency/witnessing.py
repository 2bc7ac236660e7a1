"""Requests to witnesses (C2SP tlog-witness, add-checkpoint), and what must hold before one cosigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import IntegrityBroken, NotFound, Refused
from gateway.transparency.checkpoint import Checkpoint, read_checkpoint
from gateway.transparency.keys import BadSignature, VerifierKey
from gateway.transparency.merkle import EMPTY_ROOT, HASH_BYTES, ProofInvalid, verify_consistency
from gateway.transparency.note import NOTE_BYTES_MAX, SignedNote, read_note, verified_keys
from gateway.transparency.text import MalformedLogText, read_base64, read_count, write_base64

__all__ = [
    "WITNESS_REQUEST_BYTES_MAX",
    "CheckpointRefused",
    "NotSignedByLog",
    "StaleOldSize",
    "UnknownLog",
    "WitnessRequest",
    "claimed_origin",
    "read_witness_request",
    "require_consistent",
    "signed_by_log",
]

HASHES_MAX: Final = 63  # so the specification
WITNESS_REQUEST_BYTES_MAX: Final = NOTE_BYTES_MAX + 64 * 64  # the note, the old size and 63 hashes


class UnknownLog(NotFound):
    """The witness does not follow a log of this origin."""

    code = "unknown-log"
    remedy = "the witness's operator adds the log's key: tanqiao witness add-log"


class NotSignedByLog(Refused):
    """No key that the witness trusts for the origin has signed the checkpoint, or its line does not fit."""

    code = "not-signed-by-log"
    remedy = "sign the checkpoint with the log's key; after a change of keys the witness needs the new one"


class StaleOldSize(Refused):
    """The proof does not begin at the size that the witness has cosigned last."""

    code = "stale-old-size"
    remedy = "ask again with a proof from the size in the answer"

    def __init__(self, stated: int, size: int) -> None:
        super().__init__(f"the proof begins at {stated} entries, the last cosigned checkpoint has {size}")
        self.size = size


class CheckpointRefused(IntegrityBroken):
    """A checkpoint does not continue the log that was seen before; ``found`` is None where unreadable."""

    code = "checkpoint-refused"
    remedy = "stop the log and compare its copies: a witness that refuses may have seen another log"

    def __init__(self, message: str, *, found: Checkpoint | None = None) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """What is sent to a witness: a signed checkpoint, and the proof from a size that it has seen."""

    old_size: int
    hashes: tuple[bytes, ...]
    note: bytes

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old_size}", *map(write_base64, self.hashes), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.note


def read_witness_request(data: bytes) -> WitnessRequest:
    """Read the body of an add-checkpoint request; nothing of it is verified yet.

    Raises:
        MalformedLogText: it is not written as the specification says.
    """
    if len(data) > WITNESS_REQUEST_BYTES_MAX:
        raise MalformedLogText(f"request: {len(data)} bytes, at most {WITNESS_REQUEST_BYTES_MAX} are read")
    head, separator, note = data.partition(b"\n\n")
    if not separator:
        raise MalformedLogText("request: expected an empty line before the checkpoint, found none")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedLogText(f"request: byte {error.start} is not ASCII") from error
    word, space, size = first.partition(" ")
    if (word, space) != ("old", " "):
        raise MalformedLogText(f"request: expected the first line 'old SIZE', found {first[:40]!r}")
    if len(lines) > HASHES_MAX:
        raise MalformedLogText(f"request: {len(lines)} hashes, at most {HASHES_MAX} are read")
    read_note(note)
    return WitnessRequest(read_count(size, "request old size"), tuple(map(_read_hash, lines)), note)


def claimed_origin(note: SignedNote) -> str:
    """Return the origin line of a note, whatever its other lines are."""
    return note.text.split(b"\n", 1)[0].decode()


def signed_by_log(note: SignedNote, keys: Sequence[VerifierKey]) -> SignedNote:
    """Return the note with the signatures by the log's keys alone.

    Raises:
        NotSignedByLog: there is none, or one does not fit.
    """
    try:
        signers = verified_keys(note, keys)
    except BadSignature as error:
        raise NotSignedByLog(str(error)) from error
    if not signers:
        raise NotSignedByLog(f"none of the keys known for {claimed_origin(note)!r} has signed the checkpoint")
    known = {(key.name, key.key_id) for key in signers}
    return SignedNote(note.text, tuple(line for line in note.signatures if (line.name, line.key_id) in known))


def require_consistent(request: WitnessRequest, latest: Checkpoint) -> Checkpoint:
    """Check that the requested checkpoint continues the latest one; returns the requested one.

    Raises:
        MalformedLogText: its text is no checkpoint, or it is smaller than the old size.
        StaleOldSize: the proof begins elsewhere.
        CheckpointRefused: it does not continue the latest one.
    """
    checkpoint = _readable_checkpoint(read_note(request.note).text)
    if request.old_size > checkpoint.tree_size:
        raise MalformedLogText(
            f"request: old size {request.old_size}, but the checkpoint has {checkpoint.tree_size} entries"
        )
    if request.old_size != latest.tree_size:
        raise StaleOldSize(request.old_size, latest.tree_size)
    try:
        verify_consistency(
            request.hashes,
            old_size=latest.tree_size,
            old_root=latest.root_hash,
            size=checkpoint.tree_size,
            root=checkpoint.root_hash,
        )
    except ProofInvalid as error:
        raise CheckpointRefused(str(error), found=checkpoint) from error
    return checkpoint


def _readable_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint; one of the empty log with a root of its own is readable, but refused."""
    lines = text.split(b"\n")
    if len(lines) > 2 and lines[1] == b"0" and lines[2] != write_base64(EMPTY_ROOT).encode():
        read_checkpoint(b"\n".join((lines[0], b"1", *lines[2:])))
        raise CheckpointRefused("a checkpoint of size 0 has another root than that of the empty log")
    return read_checkpoint(text)


def _read_hash(line: str) -> bytes:
    data = read_base64(line, "request hash")
    if len(data) != HASH_BYTES:
        raise MalformedLogText(f"request: a hash of {len(data)} bytes, expected {HASH_BYTES}")
    return data
