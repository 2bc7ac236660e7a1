"""The conversion record: what one counted act became, as the document that is hashed and signed for.

A record says what, how much and on which day, and commits to who and which event without telling.
"""

from typing import Final, NamedTuple

from gateway.model.canonical import Json, canonical_bytes

__all__ = [
    "RECORDED_MAX",
    "RECORD_BYTES_MAX",
    "RECORD_TYPE",
    "RecordFrame",
    "RecordRow",
    "RecordWriter",
    "record_document",
    "scaled_text",
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


class RecordWriter:
    """Writes the records of one frame straight to canonical bytes, without a document in between.

    The members stand in the order of RFC 8785. Texts of the frame are escaped once; those of a row are
    hexadecimal, days, or words of closed sets, which need no escaping; ``inputs`` is canonical already.
    A test holds the bytes equal to those of :func:`record_document`.
    """

    def __init__(self, frame: RecordFrame) -> None:
        def quoted(text: str) -> str:
            return canonical_bytes(text).decode()

        self.mapping_digest = frame.mapping_digest
        self._mapping = (
            f'"issued":{quoted(frame.issued)},"issuer":{quoted(frame.issuer)},"mapping":{{"digest":'
            f'{quoted(frame.mapping_digest)},"id":{quoted(frame.mapping_id)},"version":{frame.mapping_version}}},'
        )
        self._amount = f'","platform":{quoted(frame.platform)},"points":{{"amount":"'
        self._uncapped = f'","kind":{quoted(frame.points_kind)},"uncapped":"'
        self._reduction = f'","unit":{quoted(frame.points_unit)}}},"reduction":{{"co2e_mg":"'

    def write(self, row: RecordRow, inputs: str) -> bytes:
        """Return the record's canonical bytes; ``inputs`` are its inputs as canonical JSON."""
        claimed = ""
        if row.claimed_mg is not None or row.claimed_points is not None:
            mg = "" if row.claimed_mg is None else f'"co2e_mg":"{row.claimed_mg}"'
            points = "" if row.claimed_points is None else f'"points":"{row.claimed_points}"'
            claimed = f'"claimed":{{{mg}{"," if mg and points else ""}{points}}},'
        return (
            f'{{"behaviour":"{row.behaviour}",{claimed}"day":"{row.day}","event":"{row.event}","evidence":'
            f'"{row.evidence}","id":"{row.id}","inputs":{inputs},{self._mapping}"ownership":"{row.ownership}'
            f"{self._amount}{row.points}{self._uncapped}{row.points_uncapped}{self._reduction}{row.co2e_mg}"
            f'"}},"subject":"{row.subject}","type":"{RECORD_TYPE}"}}'
        ).encode()


def scaled_text(scaled: int, scale: int) -> str:
    """Write a scaled integer as a decimal of exactly ``scale`` places: (10574, 3) is ``10.574``."""
    if scale == 0:
        return str(scaled)
    sign, digits = ("-", str(-scaled)) if scaled < 0 else ("", str(scaled))
    digits = digits.rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
