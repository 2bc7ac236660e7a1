"""Ask one witness for its cosignature of a checkpoint."""

from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.errors import IntegrityBroken, Refused
from gateway.ports import WitnessAnswer
from gateway.transparency import (
    NoteSignature,
    WitnessEntry,
    WitnessRequest,
    read_checkpoint,
    read_count,
    read_note,
    verified_keys,
)

__all__ = ["Cosigned", "WitnessContradicts", "WitnessRefused", "ask_witness"]

TRIES: Final = 3  # another copy of this home may come between the answer 409 and the next request
_SIZE: Final = "text/x.tlog.size"


class WitnessRefused(Refused):
    """A witness did not cosign the checkpoint, or answered something that is no cosignature."""

    code = "witness-refused"
    remedy = "ask the witness's operator: does it follow this log, with this key?"


class WitnessContradicts(IntegrityBroken):
    """A witness has seen another log of this name, or a longer one."""

    code = "witness-contradicts"
    remedy = "stop; find out which copy of the home the witness has seen, and call the auditor"


class Cosigned(NamedTuple):
    """A witness's cosignature, and the size that it remembers now."""

    line: NoteSignature
    size: int


def ask_witness(
    witness: WitnessEntry,
    note: bytes,
    *,
    known: int,
    send: Callable[[str, bytes], WitnessAnswer],
    consistency: Callable[[int, int], list[bytes]],
) -> Cosigned:
    """Have a witness cosign a checkpoint. ``known`` is the size that it probably remembers.

    Raises:
        Unreachable: it does not answer.
        WitnessRefused: it does not cosign.
        WitnessContradicts: it has seen another log.
    """
    size = read_checkpoint(read_note(note).text).tree_size
    for _ in range(TRIES):
        _require_not_ahead(witness, known, size=size)
        hashes = consistency(known, size) if 0 < known < size else []
        answer = send(witness.url, bytes(WitnessRequest(known, tuple(hashes), note)))
        if answer.status == 200:
            return Cosigned(_cosignature(witness, note, answer=answer.content), size)
        if answer.status == 422:
            raise WitnessContradicts(
                f"witness {witness.name}, which remembers {known} entries, refuses the checkpoint of {size}"
            )
        if answer.status != 409 or answer.kind != _SIZE:
            raise WitnessRefused(f"witness {witness.name} answers with HTTP {answer.status}")
        known = _stated_size(witness, answer.content)
    raise WitnessRefused(f"witness {witness.name} names another size each time")


def _require_not_ahead(witness: WitnessEntry, known: int, *, size: int) -> None:
    if known > size:
        raise WitnessContradicts(
            f"witness {witness.name} has cosigned {known} entries, this log has {size}: it was put back"
        )


def _cosignature(witness: WitnessEntry, note: bytes, *, answer: bytes) -> NoteSignature:
    """Return the line of the witness's key; lines of other keys are passed over."""
    signed = read_note(note + answer)
    if witness.key not in verified_keys(signed, [witness.key]):
        raise WitnessRefused(f"witness {witness.name} does not answer with a cosignature by its key")
    wanted = (witness.key.name, witness.key.key_id)
    return next(line for line in reversed(signed.signatures) if (line.name, line.key_id) == wanted)


def _stated_size(witness: WitnessEntry, content: bytes) -> int:
    return read_count(content.decode("ascii", "replace").removesuffix("\n"), f"witness {witness.name}: size")
