"""Caps of many acts at once: what each of them counts against, and what that leaves of its points."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.convert import CapKey, CapMeter, CapPlan, Converted, Program, Refusal, keys_of
from gateway.model.packed import cut
from gateway.service.recording import ActColumns
from gateway.signing import NAME_BYTES, KeyedIndex

__all__ = ["Amounts", "CapColumns", "CapLedger", "Kind", "cap_columns"]

_NO_CAPS: Final[tuple[int, ...]] = ()

Kind = tuple[int, str, int]
"""What decides what acts count against, whoever did them: number of the program, behaviour, day."""


class CapColumns(NamedTuple):
    """What acts count against.

    ``keys`` are the distinct ones (number of the program, cap, period) and ``names`` their 16-byte names,
    which tell for whom. ``acts`` has for each act the numbers of its keys, or why it may not count.
    """

    keys: list[tuple[int, str, str]]
    names: bytes
    acts: list[tuple[int, ...] | Refusal]


class Amounts(NamedTuple):
    """What acts are worth before caps, column by column; the last two are the exact points."""

    points: list[int]
    co2e_mg: list[int]
    points_num: list[int]
    points_den: list[int]


def cap_columns(
    programs: Sequence[Program],
    kinds: Iterable[Kind],
    *,
    acts: ActColumns,
    accepted: datetime,
    index: KeyedIndex,
) -> CapColumns:
    """Name what each act counts against, as accepted at that moment.

    Args:
        programs: the versions of one scheme.
        kinds: of each act.
        acts: their persons and households, as pseudonyms.
        accepted: the moment of acceptance.
        index: gives the names.
    """
    if not any(program.caps for program in programs):
        return CapColumns([], b"", [_NO_CAPS] * len(acts.day))
    counters = _Counters(programs, accepted)
    whose = zip(kinds, acts.person, acts.household, strict=True)
    found = [counters.count(kind, person, household=household) for kind, person, household in whose]
    return CapColumns(counters.keys, index.caps(programs[0].id, counters.whole), found)


class CapLedger:
    """What is used of caps while acts are granted their points, one after the other."""

    def __init__(
        self, programs: Sequence[Program], caps: CapColumns, *, amounts: Amounts, used: list[int]
    ) -> None:
        self._meters = [CapMeter(program) for program in programs]
        self._caps, self._acts = caps, caps.acts
        self._amounts, self._points = amounts, amounts.points
        self._used = used
        self._before = used.copy()
        self._limits = [self._meters[program].limit(cap) for program, cap, _ in caps.keys]

    def grant(self, place: int) -> int | Refusal:
        """Return what the caps leave of an act's points, and count that."""
        numbers = self._acts[place]
        if isinstance(numbers, Refusal):
            return numbers
        points = self._points[place]
        if not numbers:
            return points
        number = numbers[0]
        limit = self._limits[number] if len(numbers) == 1 else None
        if limit is None:
            return self._metered(place, numbers)
        rest = limit - self._used[number]
        granted = points if points <= rest else max(rest, 0)
        self._used[number] += granted
        return granted

    def use_of(self, place: int) -> list[int] | Refusal:
        """Return what is used of an act's caps, or why it may not count."""
        numbers = self._acts[place]
        return numbers if isinstance(numbers, Refusal) else [self._used[number] for number in numbers]

    def take_back(self, place: int, used: Sequence[int]) -> None:
        """Set the use of an act's caps back to what it was."""
        numbers = self._acts[place]
        if not isinstance(numbers, Refusal):
            for number, before in zip(numbers, used, strict=True):
                self._used[number] = before

    def changed(self) -> dict[bytes, int]:
        """Return the use of the caps that has grown, by name."""
        both = zip(cut(self._caps.names, NAME_BYTES), self._used, self._before, strict=True)
        return {name: used for name, used, before in both if used != before}

    def _metered(self, place: int, numbers: tuple[int, ...]) -> int | Refusal:
        """Let the meter apply several caps, or those of another kind, one after the other."""
        of_keys = self._caps.keys
        meter = self._meters[of_keys[numbers[0]][0]]
        keys = tuple([CapKey(of_keys[number][1], str(number), of_keys[number][2]) for number in numbers])
        usage = {key: self._used[number] for key, number in zip(keys, numbers, strict=True)}
        points, co2e_mg, numerator, denominator = (column[place] for column in self._amounts)
        granted = meter.points(Converted({}, co2e_mg, points, (numerator, denominator)), keys, usage=usage)
        for key, number in zip(keys, numbers, strict=True):
            self._used[number] = usage[key]
        return granted


_Counter = tuple[CapPlan, tuple[int, str, str], dict[bytes, int]]
"""A cap of a plan, its key without whom, and the numbers of those it was met for."""


class _Counters:
    """The distinct keys of the caps of many acts, numbered as they are met."""

    def __init__(self, programs: Sequence[Program], accepted: datetime) -> None:
        self.keys: list[tuple[int, str, str]] = []
        self.whole: list[CapKey] = []
        self._meters = [CapMeter(program) for program in programs]
        self._accepted: list[date] = [accepted.astimezone(program.zone).date() for program in programs]
        self._plans: dict[Kind, list[_Counter] | Refusal] = {}
        self._counters: dict[tuple[int, str, str], dict[bytes, int]] = {}

    def count(self, kind: Kind, person: bytes, *, household: bytes | None) -> tuple[int, ...] | Refusal:
        """Return the numbers of what an act counts against, or why it may not count."""
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = self._plan(kind)
        if isinstance(plan, Refusal):
            return plan
        found = []
        for cap, key, numbers in plan:
            who = person if cap.whom == "person" else household if cap.whom == "household" else b""
            number = numbers.get(who)  # type: ignore[arg-type]  # nobody is never among them
            if number is None:
                if who is None:
                    return keys_of((cap,), None, household=None)  # type: ignore[return-value]  # nobody: a refusal
                number = numbers[who] = len(self.keys)
                self.keys.append(key)
                self.whole.append(CapKey(cap.cap, who.hex(), cap.period))
            found.append(number)
        return tuple(found)

    def _plan(self, kind: Kind) -> list[_Counter] | Refusal:
        program, behaviour, day = kind
        plan = self._meters[program].plan(behaviour, day, accepted=self._accepted[program])
        if isinstance(plan, Refusal):
            return plan
        keys = [(program, cap.cap, cap.period) for cap in plan]
        return [(cap, key, self._counters.setdefault(key, {})) for cap, key in zip(plan, keys, strict=True)]
