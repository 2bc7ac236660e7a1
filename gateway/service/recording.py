"""From converted acts to records: commitments, canonical bytes, leaves, and the row that is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import orjson

from gateway.convert import Converted, Program, Roles
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import RecordFrame, RecordRow, record_document, scaled_text
from gateway.ports import PrivateRow
from gateway.signing import SALT_BYTES, commitment
from gateway.transparency.merkle import leaf_hash

__all__ = ["Act", "RecordMaker", "content_text", "document_of", "event_text", "frame_of", "inputs_document"]

ID_BYTES = 16


class Act(NamedTuple):
    """One act that is going to be recorded: whose it is, under pseudonyms, and its points after caps."""

    program: Program
    roles: Roles
    converted: Converted
    event: str
    person: bytes
    household: bytes | None
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMaker:
    """Makes the records of one batch. ``random_bytes`` gives ids and salts."""

    issuer: str
    issued: str
    random_bytes: Callable[[int], bytes]

    def rows(self, acts: list[Act]) -> list[PrivateRow]:
        """Return the row of each act, in order; a row's place is its leaf index."""
        frames: dict[str, RecordFrame] = {}
        randomness = self.random_bytes(len(acts) * (ID_BYTES + 2 * SALT_BYTES))
        rows = []
        for place, act in enumerate(acts):
            frame = frames.get(act.program.digest)
            if frame is None:
                frame = frames[act.program.digest] = frame_of(
                    act.program, issuer=self.issuer, issued=self.issued
                )
            start = place * (ID_BYTES + 2 * SALT_BYTES)
            rows.append(self._row(place, act, frame=frame, noise=randomness[start : start + 48]))
        return rows

    def _row(self, place: int, act: Act, *, frame: RecordFrame, noise: bytes) -> PrivateRow:
        record_id, event_salt, subject_salt = noise[:16].hex(), noise[16:32], noise[32:48]
        roles, converted = act.roles, act.converted
        event = commitment(b"event", act.event.encode(), salt=event_salt)
        subject = commitment(b"subject", act.person.hex().encode(), salt=subject_salt)
        inputs = inputs_document(act.program, converted.inputs)
        day = date.fromordinal(roles.day).isoformat()
        document = record_document(
            frame,
            RecordRow(
                record_id,
                event,
                subject,
                day,
                roles.behaviour,
                inputs,
                roles.evidence,
                roles.ownership,
                converted.co2e_mg,
                converted.points,
                act.points,
                roles.claimed_mg,
                roles.claimed_points,
            ),
        )
        return PrivateRow(  # by position: named arguments would cost as much as the hash
            place,
            record_id,
            leaf_hash(canonical_bytes(document)),
            day,
            roles.behaviour,
            canonical_bytes(inputs).decode(),
            roles.evidence,
            roles.ownership,
            frame.mapping_digest,
            converted.co2e_mg,
            converted.points,
            act.points,
            roles.claimed_mg,
            roles.claimed_points,
            bytes.fromhex(event),
            bytes.fromhex(subject),
            act.event,
            event_salt,
            act.person,
            subject_salt,
            act.household,
        )


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


def content_text(roles: Roles, converted: Converted) -> str:
    """Return what an event said, as far as a record depends on it: two equal texts are a repetition."""
    said = (
        roles.behaviour,
        roles.day,
        roles.person,
        roles.evidence,
        roles.ownership,
        roles.claimed_mg,
        roles.claimed_points,
        sorted(converted.inputs.items()),
    )
    return repr(said)
