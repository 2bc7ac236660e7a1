"""A lot that passes every check, and an agreement that admits it."""

from datetime import date
from fractions import Fraction
from typing import Any

from gateway.recognition import UNUSED, Agreement, Caps, Claim, Lot, Value, Wish, Worth

__all__ = ["ANY_WORTH", "agreement", "lot", "wish"]

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
