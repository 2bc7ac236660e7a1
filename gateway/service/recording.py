"""From converted acts to records: commitments, canonical bytes, leaves, and the row that is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter

import msgspec
import orjson

from gateway.convert import Converted, Program, Roles
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import RecordFrame, RecordRow, RecordWriter, record_document, scaled_text
from gateway.ports import PrivateColumns, PrivateRow
from gateway.signing import SALT_BYTES, commitment
from gateway.transparency.merkle import leaf_hash

__all__ = [
    "RecordMaker",
    "content_bytes",
    "day_text",
    "document_of",
    "event_text",
    "frame_of",
    "inputs_document",
    "selected_rows",
]

ID_BYTES = 16
_WRITTEN_APART: dict[str, Json] = {}  # where the inputs are at hand as canonical text
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class RecordMaker:
    """Makes the records of one batch. ``random_bytes`` gives ids and salts."""

    issuer: str
    issued: str
    random_bytes: Callable[[int], bytes]

    def rows(
        self, acts: Sequence[tuple[Program, Roles, Converted]], events: Sequence[str]
    ) -> list[PrivateRow]:
        """Return the row of each act, in order, with all of its points; under pseudonyms."""
        writers: dict[str, RecordWriter] = {}
        randomness = self.random_bytes(len(acts) * (ID_BYTES + 2 * SALT_BYTES))
        rows = []
        for place, ((program, roles, converted), event) in enumerate(zip(acts, events, strict=True)):
            writer = writers.get(program.digest)
            if writer is None:
                frame = frame_of(program, issuer=self.issuer, issued=self.issued)
                writer = writers[program.digest] = RecordWriter(frame)
            start = place * (ID_BYTES + 2 * SALT_BYTES)
            noise = randomness[start : start + 48]
            inputs = canonical_bytes(inputs_document(program, converted.inputs)).decode()
            rows.append(_row(place, (roles, converted, event), writer=writer, inputs=inputs, noise=noise))
        return rows


def _row(
    place: int,
    act: tuple[Roles, Converted, str],
    *,
    writer: RecordWriter,
    inputs: str,
    noise: bytes,
) -> PrivateRow:
    record_id, event_salt, subject_salt = noise[:16].hex(), noise[16:32], noise[32:48]
    roles, converted, event_name = act
    person = roles.person or ""
    event = commitment(b"event", event_name.encode(), salt=event_salt)
    subject = commitment(b"subject", person.encode(), salt=subject_salt)
    day = day_text(roles.day)
    record = writer.write(
        RecordRow(
            record_id,
            event,
            subject,
            day,
            roles.behaviour,
            _WRITTEN_APART,
            roles.evidence,
            roles.ownership,
            converted.co2e_mg,
            converted.points,
            converted.points,
            roles.claimed_mg,
            roles.claimed_points,
        ),
        inputs,
    )
    return PrivateRow(  # by position: named arguments would cost as much as the hash
        place,
        record_id,
        leaf_hash(record),
        day,
        roles.behaviour,
        inputs,
        roles.evidence,
        roles.ownership,
        writer.mapping_digest,
        converted.co2e_mg,
        converted.points,
        converted.points,
        roles.claimed_mg,
        roles.claimed_points,
        bytes.fromhex(event),
        bytes.fromhex(subject),
        event_name,
        event_salt,
        bytes.fromhex(person),
        subject_salt,
        None if roles.household is None else bytes.fromhex(roles.household),
    )


def selected_rows(
    rows: PrivateColumns, kept: Sequence[int], *, points: Sequence[int], frames: Mapping[str, RecordFrame]
) -> PrivateColumns:
    """Return the rows that are kept, with the points that were granted.

    Where a cap has taken points away the record is another one, so its leaf is made anew.

    Args:
        rows: rows as they were prepared.
        kept: the places of those that are kept, in order.
        points: what each of them is granted.
        frames: the frame of each mapping digest.
    """
    chosen = rows
    if len(kept) != len(rows.id):
        chosen = PrivateColumns._make(_picked(column, kept) for column in rows)
    leaves = list(chosen.leaf)
    writers = {name: RecordWriter(frame) for name, frame in frames.items()}
    for place, (granted, uncapped) in enumerate(zip(points, chosen.points_uncapped, strict=True)):
        if granted != uncapped:
            record = RecordRow(
                chosen.id[place],
                chosen.event_commitment[place].hex(),
                chosen.subject_commitment[place].hex(),
                chosen.day[place],
                chosen.behaviour[place],
                _WRITTEN_APART,
                chosen.evidence[place],
                chosen.ownership[place],
                chosen.co2e_mg[place],
                uncapped,
                granted,
                chosen.claimed_mg[place],
                chosen.claimed_points[place],
            )
            written = writers[chosen.mapping[place]].write(record, chosen.inputs[place])
            leaves[place] = leaf_hash(written)
    return chosen._replace(leaf_index=list(range(len(kept))), leaf=leaves, points=list(points))


def _picked(column: Sequence[object], kept: Sequence[int]) -> list[object]:
    return list(itemgetter(*kept)(column)) if len(kept) > 1 else [column[place] for place in kept]


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


def inputs_document(program: Program, inputs: Mapping[str, int]) -> dict[str, Json]:
    """Write the inputs of the formula as a record states them: value and unit, or class."""
    document: dict[str, Json] = {}
    for name, value in inputs.items():
        spec = program.formula.inputs[name]
        if spec.classes is not None:
            document[name] = {"value": spec.classes[value], "unit": "class"}
        else:
            document[name] = {"value": scaled_text(value, spec.scale), "unit": spec.unit}
    return document


def event_text(parts: tuple[str, ...]) -> str:
    """Return the event's name: the platform's own id, or a JSON list where several columns make it."""
    return parts[0] if len(parts) == 1 else orjson.dumps(parts).decode()


def content_bytes(row: PrivateRow) -> bytes:
    """Return what an event said, as far as its record depends on it: two equal ones are a repetition."""
    return _encode(
        (
            row.behaviour,
            row.day,
            row.person,
            row.evidence,
            row.ownership,
            row.claimed_mg,
            row.claimed_points,
            row.inputs,
        )
    )
