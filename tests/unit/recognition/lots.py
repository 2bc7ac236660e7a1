"""A lot that passes every check, and an agreement that admits it."""

from datetime import date
from fractions import Fraction
from typing import Any

from gateway.model.transfer import TransferRefusal as Code
from gateway.recognition import UNUSED, Agreement, Caps, Claim, Lot, NotWorth, Used, Value, Wish, Worth

__all__ = ["ANY_WORTH", "FAILING", "agreement", "lot", "wish"]

ANY_WORTH = Worth(500_000, 500_000, Fraction(500), Fraction(1))
_PERSON = b"p" * 32


def lot(**changes: Any) -> Lot:
    """Make a good lot with what differs."""
    made: dict[str, Any] = {
        "record": "0a" * 16,
        "holder": "cn-000000/yunxi",
        "person": _PERSON,
        "day": date(2025, 3, 10),
        "behaviour": "TRV-BIKE",
        "methodology": "cn-000000/yunxi/rides",
        "evidence": "operator-record",
        "ownership": "personal",
        "kind": "gram",
        "value": Value(800_000, 80, Fraction(80)),
        "logged": True,
        "claim": Claim.HOLDS,
        "closed": True,
        "counted": "",
        "used": UNUSED,
        "retired": False,
        "disputed": False,
        "in_transit": False,
        "expires": date(2026, 3, 10),
        "expires_there": date(2026, 6, 10),
        "worth": ANY_WORTH,
    }
    return Lot(**made | changes)


def agreement(**changes: Any) -> Agreement:
    """Make an agreement with what differs."""
    made: dict[str, Any] = {
        "digest": "sha256:" + "0" * 64,
        "source": "cn-000000/yunxi",
        "destination": "cn-000001/haimen",
        "version": 1,
        "previous": "",
        "basis": "",
        "behaviours": {"TRV-BIKE": "cn-000001/haimen/rides"},
        "methodologies": frozenset({"cn-000000/yunxi/rides"}),
        "factors": {"operator-record": Fraction(1)},
        "oldest": date(2025, 3, 10),
        "caps": Caps(person_mg=300, corridor_mg=400, platform_mg=500),
        "minimum_mg": 100,
        "net_debit_cap_mg": 1_000,
        "cover_mg": 1_000,
        "dispute_days": 30,
        "effective_from": date(2025, 3, 1),
        "effective_until": None,
        "coordinator": "",
    }
    return Agreement(**made | changes)


def wish(**changes: Any) -> Wish:
    """Make a wish with what differs."""
    made = Wish(_PERSON, "cn-000000/yunxi", "cn-000001/haimen", agreement(), date(2026, 3, 10))
    return made._replace(**changes)


FAILING: list[tuple[Code, dict[str, Any]]] = [
    (Code.LOT_NOT_HELD, {"holder": "cn-000002/shanyang"}),
    (Code.LOT_NOT_IN_LOG, {"logged": False}),
    (Code.LOT_OTHER_PERSON, {"person": b"q" * 32}),
    (Code.LOT_OTHER_PERSON, {"person": None}),
    (Code.LOT_NOT_PERSONAL, {"ownership": "pooled"}),
    (Code.LOT_NOT_PERSONAL, {"ownership": "project"}),
    (Code.LOT_NOT_PERSONAL, {"ownership": "retired"}),
    (Code.LOT_ENGAGEMENT, {"kind": "engagement"}),
    (Code.LOT_ENGAGEMENT, {"kind": "rating"}),
    (Code.LOT_NO_CLAIM, {"claim": Claim.NONE}),
    (Code.LOT_CLAIM_OPEN, {"closed": False}),
    (Code.LOT_SET_OFF, {"claim": Claim.SET_OFF}),
    (Code.LOT_SET_OFF, {"claim": Claim.WITHDRAWN}),
    (Code.LOT_RETIRED, {"retired": True}),
    (Code.LOT_DISPUTED, {"disputed": True}),
    (Code.LOT_EXPIRED, {"expires": date(2026, 3, 9)}),
    (Code.LOT_EXPIRED, {"expires": None, "expires_there": date(2026, 3, 9)}),
    (Code.LOT_SPENT, {"used": Used(800_000, 80)}),
    (Code.LOT_SPENT, {"used": Used(799_999, 80)}),
    (Code.LOT_SPENT, {"used": Used(800_000, 79)}),
    (Code.LOT_SPENT, {"value": Value(800_000, 0, Fraction(80)), "kind": "none"}),
    (Code.LOT_IN_TRANSIT, {"in_transit": True}),
    (Code.BEHAVIOUR_NOT_ADMITTED, {"behaviour": "TRV-METRO"}),
    (Code.METHODOLOGY_NOT_ADMITTED, {"methodology": "cn-000000/yunxi/others"}),
    (Code.EVIDENCE_NOT_ADMITTED, {"evidence": "self-declared"}),
    (Code.VINTAGE_TOO_OLD, {"day": date(2025, 3, 9)}),
    (Code.MAPPING_NOT_IN_FORCE, {"worth": NotWorth(Code.MAPPING_NOT_IN_FORCE, "none is")}),
    (Code.BASIS_NOT_COMPUTABLE, {"worth": NotWorth(Code.BASIS_NOT_COMPUTABLE, "no distance")}),
    (Code.ALREADY_COUNTED, {"counted": "there is one"}),
]
"""Changes of a lot that passes every check, each with the check that then fails."""
