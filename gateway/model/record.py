"""The conversion record: what one counted act became, as the document that is hashed and signed for.

A record says what, how much and on which day, and commits to who and which event without telling.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.model.canonical import Json, canonical_bytes

__all__ = [
    "RECORDED_MAX",
    "RECORD_BYTES_MAX",
    "RECORD_TYPE",
    "RecordColumns",
    "RecordFrame",
    "RecordRow",
    "record_document",
    "scaled_text",
    "write_records",
]

RECORD_TYPE: Final = "tanqiao/conversion/1"
RECORDED_MAX: Final = 2**63 - 1  # of every integer in a signed document
RECORD_BYTES_MAX: Final = 4096  # a record with twenty inputs stays below 2 KiB


class RecordFrame(NamedTuple):
    """What the records of one batch and one mapping version share."""

    issuer: str
    platform: str
    issued: str
    mapping_id: str
    mapping_version: int
    mapping_digest: str
    points_unit: str
    points_kind: str


class RecordRow(NamedTuple):
    """What is one record's own. Commitments are lower hex; ``inputs`` is name to value and unit."""

    id: str
    event: str
    subject: str
    day: str
    behaviour: str
    inputs: dict[str, Json]
    evidence: str
    ownership: str
    co2e_mg: int
    points_uncapped: int
    points: int
    claimed_mg: int | None
    claimed_points: int | None


def record_document(frame: RecordFrame, row: RecordRow) -> dict[str, Json]:
    """Put a record together; :func:`gateway.model.canonical.canonical_bytes` of it is what is hashed."""
    document: dict[str, Json] = {
        "type": RECORD_TYPE,
        "id": row.id,
        "issuer": frame.issuer,
        "platform": frame.platform,
        "event": row.event,
        "behaviour": row.behaviour,
        "inputs": row.inputs,
        "day": row.day,
        "evidence": row.evidence,
        "ownership": row.ownership,
        "mapping": {
            "id": frame.mapping_id,
            "version": frame.mapping_version,
            "digest": frame.mapping_digest,
        },
        "reduction": {"co2e_mg": str(row.co2e_mg)},
        "points": {
            "unit": frame.points_unit,
            "kind": frame.points_kind,
            "uncapped": str(row.points_uncapped),
            "amount": str(row.points),
        },
        "subject": row.subject,
        "issued": frame.issued,
    }
    claimed: dict[str, Json] = {}
    if row.claimed_mg is not None:
        claimed["co2e_mg"] = str(row.claimed_mg)
    if row.claimed_points is not None:
        claimed["points"] = str(row.claimed_points)
    if claimed:
        document["claimed"] = claimed
    return document


class RecordColumns(NamedTuple):
    """What is their own of many records of one frame, column by column: the members of :class:`RecordRow`.

    ``inputs`` are canonical JSON already.
    """

    id: Sequence[str]
    event: Sequence[str]
    subject: Sequence[str]
    day: Sequence[str]
    behaviour: Sequence[str]
    inputs: Sequence[str]
    evidence: Sequence[str]
    ownership: Sequence[str]
    co2e_mg: Sequence[int]
    points_uncapped: Sequence[int]
    points: Sequence[int]
    claimed_mg: Sequence[int | None]
    claimed_points: Sequence[int | None]


def write_records(frame: RecordFrame, rows: RecordColumns) -> list[bytes]:
    """Write records straight to canonical bytes, without a document in between.

    The members stand in the order of RFC 8785. Texts of the frame are escaped once; those of a row are
    hexadecimal, days, or words of closed sets, which need no escaping. A test holds the bytes equal to
    those of :func:`record_document`.
    """

    def quoted(text: str) -> str:
        return canonical_bytes(text).decode()

    framed = (
        f'"issued":{quoted(frame.issued)},"issuer":{quoted(frame.issuer)},"mapping":{{"digest":'
        f'{quoted(frame.mapping_digest)},"id":{quoted(frame.mapping_id)},"version":{frame.mapping_version}}},'
    )
    amount = f'","platform":{quoted(frame.platform)},"points":{{"amount":"'
    uncapped = f'","kind":{quoted(frame.points_kind)},"uncapped":"'
    reduction = f'","unit":{quoted(frame.points_unit)}}},"reduction":{{"co2e_mg":"'
    columns = zip(*rows[:-2], _claims(rows.claimed_mg, rows.claimed_points), strict=True)
    return [
        (
            f'{{"behaviour":"{behaviour}",{claimed}"day":"{day}","event":"{event}","evidence":"{evidence}",'
            f'"id":"{name}","inputs":{inputs},{framed}"ownership":"{ownership}{amount}{points}{uncapped}'
            f'{all_points}{reduction}{co2e_mg}"}},"subject":"{subject}","type":"{RECORD_TYPE}"}}'
        ).encode()
        for name, event, subject, day, behaviour, inputs, evidence, ownership,
        co2e_mg, all_points, points, claimed in columns
    ]  # fmt: skip


def _claims(claimed_mg: Sequence[int | None], claimed_points: Sequence[int | None]) -> list[str]:
    """Write the member ``claimed`` of each record, with its comma, or nothing."""
    if set(claimed_mg) == {None} == set(claimed_points):
        return [""] * len(claimed_mg)
    return [_claim(mg, points) for mg, points in zip(claimed_mg, claimed_points, strict=True)]


def _claim(mg: int | None, points: int | None) -> str:
    stated = {"co2e_mg": mg, "points": points}
    members = ",".join([f'"{name}":"{value}"' for name, value in stated.items() if value is not None])
    return f'"claimed":{{{members}}},' if members else ""


def scaled_text(scaled: int, scale: int) -> str:
    """Write a scaled integer as a decimal of exactly ``scale`` places: (10574, 3) is ``10.574``."""
    if scale == 0:
        return str(scaled)
    sign, digits = ("-", str(-scaled)) if scaled < 0 else ("", str(scaled))
    digits = digits.rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
