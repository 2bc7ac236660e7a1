"""Caps of many acts at once: what each of them counts against, and what that leaves of its points."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.convert import CapKey, CapMeter, CapPlan, Converted, Program, Refusal, keys_of
from gateway.model.packed import cut
from gateway.service.acts.recording import ActColumns
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
    plans = map(counters.__getitem__, kinds)
    found: list[tuple[int, ...] | Refusal] = []
    for plan, person, household in zip(plans, acts.person, acts.household, strict=True):
        if isinstance(plan, _Counter):  # nearly all: one cap, for each person
            known = plan.numbers
            found.append((known[person] if person in known else counters.new(plan, person),))
        else:
            found.append(counters.count(plan, person, household=household))
    return CapColumns(counters.distinct, index.caps(programs[0].id, counters.whole), found)


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


class _Counter(NamedTuple):
    """A cap of a plan: its key without whom, and the numbers of those it was met for."""

    cap: CapPlan
    key: tuple[int, str, str]
    numbers: dict[bytes, int]


_Plan = _Counter | list[_Counter] | Refusal
"""What acts of one kind count against: mostly one cap for each person, or several of any kind, or nothing."""


class _Counters(dict[Kind, _Plan]):
    """The plans of kinds, each made once, and the distinct keys of caps, numbered as they are met.

    It holds nothing that holds it: the cycle collector is off while rows run.
    """

    def __init__(self, programs: Sequence[Program], accepted: datetime) -> None:
        super().__init__()
        self.distinct: list[tuple[int, str, str]] = []
        self.whole: list[tuple[str, str, str]] = []
        self._meters = [CapMeter(program) for program in programs]
        self._accepted: list[date] = [accepted.astimezone(program.zone).date() for program in programs]
        self._numbers: dict[tuple[int, str, str], dict[bytes, int]] = {}

    def __missing__(self, kind: Kind) -> _Plan:
        plan = self[kind] = self._plan(kind)
        return plan

    def new(self, counter: _Counter, who: bytes) -> int:
        """Give a number to one who was not met before."""
        number = counter.numbers[who] = len(self.distinct)
        self.distinct.append(counter.key)
        self.whole.append((counter.cap.cap, who.hex(), counter.cap.period))
        return number

    def count(
        self, plan: list[_Counter] | Refusal, person: bytes, *, household: bytes | None
    ) -> tuple[int, ...] | Refusal:
        """Return the numbers of what an act counts against, or why it may not count."""
        if isinstance(plan, Refusal):
            return plan
        found = []
        for counter in plan:
            whom = counter.cap.whom
            who = person if whom == "person" else household if whom == "household" else b""
            if who is None:
                return keys_of((counter.cap,), None, household=None)  # type: ignore[return-value]  # nobody: a refusal
            found.append(counter.numbers[who] if who in counter.numbers else self.new(counter, who))
        return tuple(found)

    def _plan(self, kind: Kind) -> _Plan:
        program, behaviour, day = kind
        plan = self._meters[program].plan(behaviour, day, accepted=self._accepted[program])
        if isinstance(plan, Refusal):
            return plan
        keys = [(program, cap.cap, cap.period) for cap in plan]
        counters = [
            _Counter(cap, key, self._numbers.setdefault(key, {})) for cap, key in zip(plan, keys, strict=True)
        ]
        return counters[0] if len(counters) == 1 and plan[0].whom == "person" else counters
