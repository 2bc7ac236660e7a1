"""Caps: what is granted of an act's points when a person, household or platform has a limit."""

from collections.abc import Mapping, MutableMapping
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple, assert_never

from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Cap, Program
from gateway.convert.roles import Roles
from gateway.model.codes import Rejection

__all__ = ["CapKey", "CapMeter", "CapPlan", "CapUse", "Granted", "keys_of", "period_label"]

Period = Literal["local_day", "week", "month", "year", "ever"]


class CapKey(NamedTuple):
    """What is counted together: a cap, for whom (empty for the platform), in which period."""

    cap: str
    whom: str
    period: str


class CapPlan(NamedTuple):
    """What acts of one behaviour and day count against: a cap, per whom, in which period."""

    cap: str
    whom: Literal["person", "household", "platform"]
    period: str


class CapUse(NamedTuple):
    """One cap applied to one act, in the unit of the cap: points, mg CO2e or acts.

    ``asked`` is what the caps before had left, ``granted`` what this one left of it, and ``counted``
    what is added to the usage once all caps have spoken.
    """

    key: CapKey
    of: Literal["points", "reduction", "acts"]
    used: int
    maximum: int
    asked: int
    granted: int
    counted: int


class Granted(NamedTuple):
    """The points of an act after its caps, and what each cap did."""

    points: int
    caps: tuple[CapUse, ...]


class _Award(NamedTuple):
    """What is left of an act between two caps; ``acts`` is 0 once a cap has taken all of it."""

    points: int
    co2e_mg: int
    acts: int


_Cut = tuple[CapKey, _Award, _Award]
"""A cap, what it was asked for, and what it left."""


class CapMeter:
    """Applies the caps of one program.

    The caller keeps the usage and hands acts over in the order the document asks for:
    ``needs_start_order`` tells whether acts must be sorted by their start (then event) first.
    """

    def __init__(self, program: Program) -> None:
        self._caps = {cap.name: cap for cap in program.caps}
        self.needs_start_order = any(cap.order == "activity_start" for cap in program.caps)

    def keys(self, roles: Roles, accepted: date) -> tuple[CapKey, ...] | Refusal:
        """Name what the act counts against, given the local day on which it was accepted."""
        plan = self.plan(roles.behaviour, roles.day, accepted=accepted)
        return plan if isinstance(plan, Refusal) else keys_of(plan, roles.person, household=roles.household)

    def plan(self, behaviour: str, day: int, *, accepted: date) -> tuple[CapPlan, ...] | Refusal:
        """Say what acts of a behaviour and day count against, whoever did them."""
        plans: list[CapPlan] = []
        for cap in self._caps.values():
            if cap.behaviours is None or behaviour in cap.behaviours:
                period = _period(cap, date.fromordinal(day), accepted=accepted)
                if isinstance(period, Refusal):
                    return period
                plans.append(CapPlan(cap.name, cap.whom, period))
        return tuple(plans)

    def grant(
        self, converted: Converted, keys: tuple[CapKey, ...], *, usage: MutableMapping[CapKey, int]
    ) -> Granted | Refusal:
        """Apply the caps one after the other and add what was granted to the usage; says what each cap did.

        A refusal leaves the usage as it was. An act that meets a full cap uses up nothing of any.
        """
        cuts: list[_Cut] = []
        award = self._apply(converted, keys, usage=usage, cuts=cuts)
        if isinstance(award, Refusal):
            return award
        uses = tuple(self._use(cut, used=usage.get(cut[0], 0), final=award) for cut in cuts)
        self._count(keys, award, usage=usage)
        return Granted(award.points, uses)

    def points(
        self, converted: Converted, keys: tuple[CapKey, ...], *, usage: MutableMapping[CapKey, int]
    ) -> int | Refusal:
        """Do the same as :meth:`grant` and return the points alone; for bulk."""
        award = self._apply(converted, keys, usage=usage, cuts=None)
        if isinstance(award, Refusal):
            return award
        self._count(keys, award, usage=usage)
        return award.points

    def limit(self, name: str) -> int | None:
        """Return the maximum of a cap on points that only takes points away; None for any other cap."""
        cap = self._caps[name]
        return cap.maximum if cap.of == "points" and cap.when_full == "grant_zero" else None

    def _apply(
        self,
        converted: Converted,
        keys: tuple[CapKey, ...],
        *,
        usage: Mapping[CapKey, int],
        cuts: list[_Cut] | None,
    ) -> _Award | Refusal:
        award = _Award(converted.points, converted.co2e_mg, 1)
        for key in keys:
            cap, rest = self._caps[key.cap], self._rest(key, usage)
            if rest == 0 and cap.when_full == "reject":
                return Refusal(
                    Rejection.CAPPED_OUT, cap.name, f"the cap of {cap.maximum} for {key.period} is full"
                )
            asked, award = award, _cut(cap, award, rest=rest, converted=converted)
            if cuts is not None:
                cuts.append((key, asked, award))
        return award

    def _count(self, keys: tuple[CapKey, ...], award: _Award, *, usage: MutableMapping[CapKey, int]) -> None:
        for key in keys:
            counted = _amount(self._caps[key.cap], award)
            if counted:
                usage[key] = usage.get(key, 0) + counted

    def _rest(self, key: CapKey, usage: Mapping[CapKey, int]) -> int:
        return max(self._caps[key.cap].maximum - usage.get(key, 0), 0)

    def _use(self, cut: _Cut, *, used: int, final: _Award) -> CapUse:
        key, asked, granted = cut
        cap = self._caps[key.cap]
        return CapUse(
            key=key,
            of=cap.of,
            used=used,
            maximum=cap.maximum,
            asked=_amount(cap, asked),
            granted=_amount(cap, granted),
            counted=_amount(cap, final),
        )


def keys_of(
    plan: tuple[CapPlan, ...], person: str | None, *, household: str | None
) -> tuple[CapKey, ...] | Refusal:
    """Say who it is that a plan counts for; a refusal where the act names no such one."""
    keys: list[CapKey] = []
    for cap in plan:
        whom = {"person": person, "household": household, "platform": ""}[cap.whom]
        if whom is None:
            detail = f"expected a {cap.whom}: the cap {cap.cap} is per {cap.whom}"
            return Refusal(Rejection.MISSING_FIELD, cap.whom, detail)
        keys.append(CapKey(cap.cap, whom, cap.period))
    return tuple(keys)


def _period(cap: Cap, day: date, *, accepted: date) -> str | Refusal:
    period, accepted_period = period_label(cap.period, day), period_label(cap.period, accepted)
    late = accepted > day and accepted_period != period
    if late and cap.late == "reject":
        return Refusal(
            Rejection.LATE, cap.name, f"expected acceptance within {period}, not in {accepted_period}"
        )
    return accepted_period if late and cap.late == "counts_on_acceptance_day" else period


@lru_cache(maxsize=8192)  # acts of one day share the label, and with it one text
def period_label(period: Period, day: date) -> str:
    """Name the period a day lies in: 2025-03-16, 2025-W11 (ISO), 2025-03, 2025 or ever."""
    match period:
        case "local_day":
            return day.isoformat()
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case "month":
            return f"{day.year:04}-{day.month:02}"
        case "year":
            return f"{day.year:04}"
        case "ever":
            return "ever"
        case _:
            assert_never(period)


def _amount(cap: Cap, award: _Award) -> int:
    match cap.of:
        case "points":
            return award.points
        case "reduction":
            return award.co2e_mg
        case "acts":
            return award.acts
        case _:
            assert_never(cap.of)


def _cut(cap: Cap, award: _Award, *, rest: int, converted: Converted) -> _Award:
    """Leave of an award what a cap has room for."""
    if _amount(cap, award) <= rest:
        return award
    match cap.of:
        case "points":
            return _Award(rest, award.co2e_mg, award.acts) if rest else _Award(0, 0, 0)
        case "reduction":
            numerator, denominator = converted.points_exact
            # down, in favour of the issuer: part of the exact points, not of the rounded ones
            share = numerator * rest // (denominator * converted.co2e_mg)
            return _Award(min(award.points, share), rest, award.acts) if rest else _Award(0, 0, 0)
        case "acts":
            return _Award(0, 0, 0)
        case _:
            assert_never(cap.of)
