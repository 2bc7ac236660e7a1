"""What two platforms have agreed about points that move from the one to the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, Final

from gateway.errors import Refused

__all__ = [
    "AGREEMENT_TYPE",
    "AGREEMENT_ZONE",
    "Agreement",
    "AgreementRefused",
    "Caps",
    "agreement_of",
    "day_of",
]

AGREEMENT_TYPE: Final = "tanqiao/agreement/1"
AGREEMENT_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")  # one zone, without summer time
"""In which an agreement's days begin."""
_REFERENCE: Final = "reference:"


class AgreementRefused(Refused):
    """An agreement contradicts itself, or the one that it succeeds."""

    code = "agreement-refused"
    remedy = "mend the draft, and have both platforms sign it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much may be recognised in one day: of a person, over the corridor, from the platform in all."""

    person_mg: int
    corridor_mg: int
    platform_mg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of the agreement for one corridor.

    ``basis`` is the id of the reference mapping, empty where the destination's own rules are the basis.
    ``behaviours`` says by which of the destination's mappings each admitted kind of act is credited,
    ``methodologies`` are the mappings whose records are admitted, ``factors`` are by evidence grade.
    ``coordinator`` is the public key of whoever else may pause the corridor.
    """

    digest: str
    source: str
    destination: str
    version: int
    previous: str
    basis: str
    behaviours: Mapping[str, str]
    methodologies: frozenset[str]
    factors: Mapping[str, Fraction]
    oldest: date
    caps: Caps
    minimum_mg: int
    net_debit_cap_mg: int
    cover_mg: int
    dispute_days: int
    effective_from: date
    effective_until: date | None
    coordinator: str

    @property
    def corridor(self) -> tuple[str, str]:
        """Return source and destination."""
        return self.source, self.destination

    def require_succeeds(self, before: "Agreement | None") -> None:
        """Check that this is the version that follows another, or the first.

        Raises:
            AgreementRefused: number, digest or first day do not follow.
        """
        expected = (1, "") if before is None else (before.version + 1, before.digest)
        if (self.version, self.previous) != expected:
            raise AgreementRefused(
                f"expected version {expected[0]} after {expected[1] or 'none'}, got version {self.version}"
                f" after {self.previous or 'none'}",
                field="/version",
            )
        if before is not None and self.effective_from <= before.effective_from:
            raise AgreementRefused(
                f"version {self.version} begins on {self.effective_from}, not after version {before.version},"
                f" which begins on {before.effective_from}",
                field="/valid/from",
            )


def agreement_of(body: Mapping[str, Any], digest: str) -> Agreement:
    """Take up an agreement whose form has been checked (openapi/schemas/agreement.schema.json).

    Raises:
        AgreementRefused: it contradicts itself.
    """
    caps, valid, basis = body["caps"], body["valid"], str(body["basis"])
    made = Agreement(
        digest=digest,
        source=body["source"],
        destination=body["destination"],
        version=body["version"],
        previous=body.get("previous", ""),
        basis=basis.removeprefix(_REFERENCE) if basis.startswith(_REFERENCE) else "",
        behaviours={one["behaviour"]: one["mapping"] for one in body["behaviours"]},
        methodologies=frozenset(body["methodologies"]),
        factors={one["grade"]: Fraction(one["factor"]) for one in body["evidence"]},
        oldest=_day(body["oldest_day"], "/oldest_day"),
        caps=Caps(
            person_mg=int(caps["person_day_mg"]),
            corridor_mg=int(caps["corridor_day_mg"]),
            platform_mg=int(caps["platform_day_mg"]),
        ),
        minimum_mg=int(body["minimum_mg"]),
        net_debit_cap_mg=int(body["net_debit_cap_mg"]),
        cover_mg=int(body["cover_mg"]),
        dispute_days=body["dispute_days"],
        effective_from=_day(valid["from"], "/valid/from"),
        effective_until=_day(valid["until"], "/valid/until") if "until" in valid else None,
        coordinator=body.get("coordinator", ""),
    )
    _require_sense(made, body)
    return made


def day_of(moment: datetime) -> date:
    """Return the day of an agreement that a moment belongs to."""
    return moment.astimezone(AGREEMENT_ZONE).date()


def _require_sense(made: Agreement, body: Mapping[str, Any]) -> None:
    credited, factors, until = made.behaviours, made.factors.values(), made.effective_until
    own = all(mapping.startswith(made.destination + "/") for mapping in credited.values())
    _require(made.source != made.destination, "/destination", expected="two platforms, not one twice")
    _require(len(credited) == len(body["behaviours"]), "/behaviours", expected="each kind of act once")
    _require(own, "/behaviours", expected="mappings of the destination")
    _require(len(factors) == len(body["evidence"]), "/evidence", expected="each grade once")
    _require(all(0 < one <= 1 for one in factors), "/evidence", expected="factors above 0, at most 1")
    lasts = until is None or made.effective_from < until
    _require(lasts, "/valid/until", expected="an end that lies after the beginning")


def _require(condition: bool, field: str, *, expected: str) -> None:
    if not condition:
        raise AgreementRefused(f"{field}: expected {expected}", field=field)


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise AgreementRefused(f"{field}: there is no day {text}", field=field) from error
