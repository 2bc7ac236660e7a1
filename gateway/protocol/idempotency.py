"""The same id gets the same answer for ever, and never stands for two things (docs/reference/transfer.md).

The caller makes the id and keeps it before it sends. What is kept for ever is the digest of the body and
the answer; the body itself only until nobody can dispute the transfer any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gateway.model.canonical import Json, canonical_bytes, digest

__all__ = ["Conflict", "Kept", "New", "Repeat", "Same", "judge", "judge_batch"]


class Kept(NamedTuple):
    """What is known of an id: the digest of its body, the body while it is kept, and the answer."""

    digest: str
    body: Json | None
    answer: bytes


class New(NamedTuple):
    """The id was never seen: do it, and keep this digest with the answer."""

    digest: str


class Same(NamedTuple):
    """The id and the body were seen: this was the answer, whatever has happened since."""

    answer: bytes


class Conflict(NamedTuple):
    """The id stands for another body.

    ``field`` is the first place where they differ, as a JSON Pointer; empty where they are of another kind
    altogether, or where the first body is not kept any more.
    """

    field: str


def judge(kept: Kept | None, body: Json) -> New | Same | Conflict:
    """Tell what a body means that arrives under an id of which this is kept."""
    arrived = digest(canonical_bytes(body))
    if kept is None:
        return New(arrived)
    if kept.digest == arrived:
        return Same(kept.answer)
    return Conflict("" if kept.body is None else next(_differences(kept.body, body), ""))


class Repeat(NamedTuple):
    """The same was asked for in an earlier line of the batch; its answer is that line's."""

    line: int


def judge_batch(
    kept: Mapping[str, Kept], lines: Sequence[tuple[str, Json]]
) -> list[New | Same | Conflict | Repeat]:
    """Tell what each line of a batch means, an id and a body; an id may stand in it twice."""
    first: dict[str, int] = {}
    judged: list[New | Same | Conflict | Repeat] = []
    for number, (name, body) in enumerate(lines):
        verdict: New | Same | Conflict | Repeat = judge(kept.get(name), body)
        if isinstance(verdict, New):
            before = first.setdefault(name, number)
            if before != number:
                field = next(_differences(lines[before][1], body), None)
                verdict = Repeat(before) if field is None else Conflict(field)
        judged.append(verdict)
    return judged


def _differences(one: Json, other: Json, *, pointer: str = "") -> Iterator[str]:
    """Yield the places where two bodies differ, in the order of their canonical form."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in one and key in other:
                yield from _differences(one[key], other[key], pointer=place)
            else:
                yield place
    elif isinstance(one, list) and isinstance(other, list):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _differences(left, right, pointer=f"{pointer}/{index}")
        if len(one) != len(other):
            yield f"{pointer}/{min(len(one), len(other))}"
    elif canonical_bytes(one) != canonical_bytes(other):
        yield pointer
