"""Decisions: what was decided about a transfer, once and for ever, each chained to the one before."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.errors import IntegrityBroken
from gateway.ledger.lots import Part
from gateway.model.canonical import Json, canonical_bytes, digest

__all__ = ["FIRST_PREVIOUS", "Amounts", "Decision", "Verdict", "amounts_of", "lots_digest", "require_chain"]

FIRST_PREVIOUS: Final = "sha256:" + 64 * "0"
"""What the first decision of all names as the one before it."""


class Verdict(StrEnum):
    """How a transfer ends."""

    COMMIT = "COMMIT"
    ABORT = "ABORT"


class Amounts(NamedTuple):
    """What moves in all: the reduction that is recognised and the rest, points that go and that come."""

    recognised_mg: int = 0
    unrecognised_mg: int = 0
    points_out: int = 0
    points_in: int = 0


class Decision(NamedTuple):
    """A decision. ``number`` is its place in the journal, ``lots`` the digest of the parts that it is about.

    ``window`` is the clearing window that it counts in, and ``reason`` a code, empty for a commit.
    """

    number: int
    transfer: str
    verdict: Verdict
    reason: str
    window: int
    decided: str
    lots: str
    amounts: Amounts
    previous: str

    def document(self) -> dict[str, Json]:
        """Return the document that is signed; amounts are strings."""
        return {
            "type": "tanqiao/decision/1",
            "number": self.number,
            "transfer": self.transfer,
            "decision": self.verdict.value,
            "reason": self.reason,
            "window": self.window,
            "decided": self.decided,
            "lots": self.lots,
            "amounts": {name: str(n) for name, n in zip(Amounts._fields, self.amounts, strict=True)},
            "previous": self.previous,
        }

    def digest(self) -> str:
        """Return the digest of the document, which the next decision names."""
        return digest(canonical_bytes(self.document()))


def amounts_of(parts: Sequence[Part]) -> Amounts:
    """Add the parts of a reservation up."""
    recognised = sum(part.recognised_mg for part in parts)
    return Amounts(
        recognised,
        sum(part.mg for part in parts) - recognised,
        sum(part.points for part in parts),
        sum(part.points_in for part in parts),
    )


def lots_digest(parts: Sequence[Part]) -> str:
    """Return the digest that a decision gives of the parts it is about."""
    return digest(
        canonical_bytes(
            [
                {
                    "lot": part.lot,
                    "co2e_mg": str(part.mg),
                    "points": str(part.points),
                    "recognised_mg": str(part.recognised_mg),
                    "points_in": str(part.points_in),
                    "dust": part.dust,
                }
                for part in parts
            ]
        )
    )


def require_chain(decisions: Sequence[Decision], *, previous: str = FIRST_PREVIOUS) -> str:
    """Check that each decision names the one before it, and return the digest of the last.

    Raises:
        IntegrityBroken: names the decision that does not.
    """
    for decision in decisions:
        if decision.previous != previous:
            raise IntegrityBroken(
                f"the decision about {decision.transfer} names {decision.previous} as the one before it,"
                f" expected {previous}",
                field=decision.transfer,
            )
        previous = decision.digest()
    return previous
