"""Write and sign documents of corridors: what a platform does before it hands them in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from gateway.convert import Program
from gateway.errors import MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.recognition import AGREEMENT_TYPE, Agreement, AgreementRefused, day_of
from gateway.service.agreements.book import DOCUMENT_BYTES_MAX, Body
from gateway.service.moments import instant_text
from gateway.signing import Signer, seal

__all__ = ["PAUSE_TYPE", "RESUME_TYPE", "co_sign", "draft_agreement", "pause_body", "resume_body"]

PAUSE_TYPE: Final = "tanqiao/corridor-pause/1"
RESUME_TYPE: Final = "tanqiao/corridor-resume/1"
_PAYING: Final = frozenset({"gram", "per_act"})


def co_sign(data: bytes, signer: Signer, *, shape: Shape) -> bytes:
    """Sign a draft, or what another party has signed already, beside its signature."""
    document = read_strict_object(data, DOCUMENT_BYTES_MAX)
    body, before = document.get("body", document), document.get("signatures", [])
    if not isinstance(body, dict) or not isinstance(before, list):
        raise MalformedDocument("expected a draft, or an envelope with a body and signatures")
    mine = read_strict_object(seal(body, [signer]))["signatures"]
    kept = [one for one in before if not isinstance(one, dict) or one.get("key") != signer.key_id]
    envelope: Body = {"body": body, "signatures": [*kept, *(mine if isinstance(mine, list) else [])]}
    shape.require(envelope, "agreement")
    return canonical_bytes(envelope)


def draft_agreement(
    source: Sequence[Program], destination: Sequence[Program], *, before: Agreement | None, now: datetime
) -> Body:
    """Return a draft between two platforms: what both count, and careful figures to be talked about.

    Raises:
        AgreementRefused: no worth at the destination follows from any record of the source.
    """
    tomorrow = (day_of(now) + timedelta(days=1)).isoformat()
    admitted: dict[str, Json] = {}
    methodologies: set[str] = set()
    for ours, theirs in product(source, destination):
        kinds = [kind for kind in ours.behaviours if _follows(kind, ours, there=theirs)]
        admitted |= dict.fromkeys(kinds, theirs.id)
        methodologies |= {ours.id for _ in kinds}
    if not admitted:
        raise AgreementRefused(
            "no record of the source states what a rule of the destination needs",
            remedy="compare the inputs: tanqiao mapping compare",
        )
    body: Body = {
        "type": AGREEMENT_TYPE,
        "source": source[0].platform,
        "destination": destination[0].platform,
        "version": 1 if before is None else before.version + 1,
        "basis": "receiver",
        "behaviours": [{"behaviour": kind, "mapping": admitted[kind]} for kind in sorted(admitted)],
        "methodologies": [*sorted(methodologies)],
        "evidence": [{"grade": "operator-record", "factor": "1"}, {"grade": "device", "factor": "0.9"}],
        "oldest_day": max(one.effective_from for one in destination).isoformat(),
        "caps": {
            "person_day_mg": "20000000",
            "corridor_day_mg": "5000000000",
            "platform_day_mg": "8000000000",
        },
        "minimum_mg": "1000",
        "net_debit_cap_mg": "50000000000",
        "cover_mg": "50000000000",
        "dispute_days": 30,
        "valid": {"from": tomorrow},
    }
    return body if before is None else body | {"previous": before.digest}


def pause_body(corridor: tuple[str, str], *, by: str, reason: str, until: str, now: datetime) -> Body:
    """Return a pause to be signed."""
    source, destination = corridor
    return {
        "type": PAUSE_TYPE,
        "source": source,
        "destination": destination,
        "by": by,
        "reason": reason,
        "until": until,
        "made": instant_text(now),
    }


def resume_body(corridor: tuple[str, str], *, by: str, pause: str, now: datetime) -> Body:
    """Return the end of a pause to be signed."""
    source, destination = corridor
    return {
        "type": RESUME_TYPE,
        "source": source,
        "destination": destination,
        "by": by,
        "pause": pause,
        "made": instant_text(now),
    }


def _follows(kind: str, ours: Program, *, there: Program) -> bool:
    """Tell whether what a record of one mapping states is what another needs, for points with a reduction."""
    if kind not in there.behaviours or not {ours.kind, there.kind} <= _PAYING:
        return False
    constants = {field.name for field in there.source.fields if field.constant is not None}
    stated = {(name, ours.formula.inputs[name].unit) for name in ours.formula.needs[kind]}
    needed = {(name, there.formula.inputs[name].unit) for name in there.formula.needs[kind]}
    return {one for one in needed if one[0] not in constants} <= stated
