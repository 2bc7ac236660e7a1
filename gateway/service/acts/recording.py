"""From converted acts to records: commitments, canonical bytes, leaves, and the columns that are kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec
import orjson

from gateway.convert import Memo, Program
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.columns import picked
from gateway.model.packed import cut, cut_hex
from gateway.model.record import (
    RecordColumns,
    RecordFrame,
    RecordRow,
    record_document,
    scaled_text,
    write_records,
)
from gateway.ports import PrivateColumns, PrivateRow
from gateway.signing import PSEUDONYM_BYTES, SALT_BYTES, commitments
from gateway.transparency import leaf_hashes

__all__ = [
    "ActColumns",
    "InputWriter",
    "content_bytes",
    "day_text",
    "document_of",
    "event_text",
    "event_texts",
    "frame_of",
    "inputs_document",
    "make_records",
    "record_bytes",
]

ID_BYTES: Final = 16
_encode = msgspec.msgpack.Encoder().encode


class ActColumns(NamedTuple):
    """Converted acts, column by column, as they go into records.

    ``mapping`` is the digest of each act's mapping, ``inputs`` canonical JSON; ``person`` and
    ``household`` are pseudonyms, ``event`` is the platform's own name.
    """

    day: list[str]
    behaviour: list[str]
    inputs: list[str]
    evidence: list[str]
    ownership: list[str]
    mapping: list[str]
    co2e_mg: list[int]
    points: list[int]
    claimed_mg: list[int | None]
    claimed_points: list[int | None]
    event: list[str]
    person: list[bytes]
    household: list[bytes | None]

    def chosen(self, places: Sequence[int]) -> "ActColumns":
        """Return the acts at some places, in their order."""
        if len(places) == len(self.day):
            return self
        return ActColumns._make(picked(column, places) for column in self)


@dataclass(frozen=True, slots=True)
class _Names:
    """The random names of records and the salts of their commitments."""

    ids: bytes
    event_salts: bytes
    subject_salts: bytes


def make_records(
    acts: ActColumns,
    points: list[int],
    *,
    frames: Mapping[str, RecordFrame],
    random_bytes: Callable[[int], bytes],
    ids: bytes = b"",
) -> tuple[PrivateColumns, list[bytes]]:
    """Make the records of one batch; return the rows that are kept and the hashes of the leaves.

    Args:
        acts: the acts that are accepted, in their order.
        points: what the caps have left of the points of each.
        frames: what the records of each mapping digest share.
        random_bytes: gives ids and salts.
        ids: the ids of the records, where they were given before.
    """
    names = _names(random_bytes, len(acts.day), ids=ids)
    persons = cut(b"".join(acts.person).hex().encode(), 2 * PSEUDONYM_BYTES)
    events = commitments(b"event", map(str.encode, acts.event), salts=cut(names.event_salts, SALT_BYTES))
    subjects = commitments(b"subject", persons, salts=cut(names.subject_salts, SALT_BYTES))
    written = RecordColumns(
        cut_hex(names.ids, ID_BYTES),
        events,
        subjects,
        acts.day,
        acts.behaviour,
        acts.inputs,
        acts.evidence,
        acts.ownership,
        acts.co2e_mg,
        acts.points,
        points,
        acts.claimed_mg,
        acts.claimed_points,
    )
    leaves = leaf_hashes(record_bytes(written, acts.mapping, frames=frames))
    rows = PrivateColumns(
        id=names.ids,
        leaf=b"".join(leaves),
        **{name: getattr(acts, name) for name in _AS_THEY_ARE},
        points_uncapped=acts.points,
        points=points,
        event_commitment=bytes.fromhex("".join(events)),
        subject_commitment=bytes.fromhex("".join(subjects)),
        event_salt=names.event_salts,
        person=b"".join(acts.person),
        subject_salt=names.subject_salts,
    )
    return rows, leaves


_AS_THEY_ARE: Final = tuple(
    name for name in ActColumns._fields if name in PrivateColumns._fields and name not in ("points", "person")
)


def _names(random_bytes: Callable[[int], bytes], count: int, *, ids: bytes) -> _Names:
    return _Names(
        ids or random_bytes(count * ID_BYTES),
        random_bytes(count * SALT_BYTES),
        random_bytes(count * SALT_BYTES),
    )


def record_bytes(
    rows: RecordColumns, mappings: Sequence[str], *, frames: Mapping[str, RecordFrame]
) -> list[bytes]:
    """Write the records of several mapping versions, in their order."""
    if len(frames) == 1:
        return write_records(next(iter(frames.values())), rows)
    written: dict[int, bytes] = {}
    for mapping, frame in frames.items():
        places = [place for place, name in enumerate(mappings) if name == mapping]
        some = RecordColumns._make(picked(column, places) for column in rows)
        written.update(zip(places, write_records(frame, some), strict=True))
    return [written[place] for place in range(len(mappings))]


@lru_cache(maxsize=8192)  # acts of one day share the text
def day_text(day: int) -> str:
    """Write a day, given by its ordinal number, as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


def frame_of(program: Program, *, issuer: str, issued: str) -> RecordFrame:
    """Return what the records of one mapping version in one batch share."""
    return RecordFrame(
        issuer=issuer,
        platform=program.platform,
        issued=issued,
        mapping_id=program.id,
        mapping_version=program.version,
        mapping_digest="sha256:" + program.digest,
        points_unit=program.unit,
        points_kind=program.kind,
    )


def document_of(row: PrivateRow, frame: RecordFrame) -> dict[str, Json]:
    """Rebuild a record from its row: the same bytes, also after its person was erased."""
    return record_document(
        frame,
        RecordRow(
            row.id,
            row.event_commitment.hex(),
            row.subject_commitment.hex(),
            row.day,
            row.behaviour,
            orjson.loads(row.inputs),
            row.evidence,
            row.ownership,
            row.co2e_mg,
            row.points_uncapped,
            row.points,
            row.claimed_mg,
            row.claimed_points,
        ),
    )


def _input_document(program: Program, name: str, *, value: int) -> dict[str, Json]:
    """Write one input of the formula as a record states it: value and unit, or class."""
    spec = program.formula.inputs[name]
    if spec.classes is not None:
        return {"value": spec.classes[value], "unit": "class"}
    return {"value": scaled_text(value, spec.scale), "unit": spec.unit}


def inputs_document(program: Program, inputs: Mapping[str, int]) -> dict[str, Json]:
    """Write the inputs of the formula as a record states them."""
    return {name: _input_document(program, name, value=value) for name, value in inputs.items()}


class InputWriter:
    """Writes the inputs of one program's acts as canonical JSON; values that come again are remembered."""

    def __init__(self, program: Program) -> None:
        write = {name: _member_writer(program, name) for name in program.formula.inputs}
        self._members = {name: Memo(member) for name, member in write.items()}
        self._alone = {name: Memo(partial(_alone, member)) for name, member in write.items()}

    def texts(self, inputs: Mapping[str, Sequence[int]], *, count: int) -> list[str]:
        """Write the inputs of many acts, which come column by column."""
        if len(inputs) == 1:
            ((name, values),) = inputs.items()
            return list(map(self._alone[name].__getitem__, values))
        columns = [map(self._members[name].__getitem__, inputs[name]) for name in sorted(inputs)]
        return [f"{{{','.join(members)}}}" for members in zip(*columns, strict=True)] or ["{}"] * count


def _alone(member: Callable[[int], str], value: int) -> str:
    return f"{{{member(value)}}}"


def _member_writer(program: Program, name: str) -> Callable[[int], str]:
    """Return what writes a value of one input as the member of a record."""
    spec = program.formula.inputs[name]
    unit = "class" if spec.classes is not None else spec.unit
    before = f'{canonical_bytes(name).decode()}:{{"unit":{canonical_bytes(unit).decode()},"value":'
    if spec.classes is not None:
        classes = [f"{before}{canonical_bytes(text).decode()}}}" for text in spec.classes]
        return classes.__getitem__
    return lambda value: f'{before}"{scaled_text(value, spec.scale)}"}}'


def event_texts(events: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the names of many events of one mapping: all have as many parts."""
    return list(map(itemgetter(0) if events and len(events[0]) == 1 else event_text, events))


def event_text(parts: tuple[str, ...]) -> str:
    """Return the event's name: the platform's own id, or a JSON list where several columns make it."""
    return parts[0] if len(parts) == 1 else orjson.dumps(parts).decode()


def content_bytes(acts: ActColumns) -> list[bytes]:
    """Return what events said, as far as their records depend on it: two equal ones are a repetition."""
    columns = (
        acts.behaviour,
        acts.day,
        acts.person,
        acts.evidence,
        acts.ownership,
        acts.claimed_mg,
        acts.claimed_points,
        acts.inputs,
    )
    return list(map(_encode, zip(*columns, strict=True)))
