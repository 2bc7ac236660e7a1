"""Judge one part: what is new, and what the caps leave of it, act after act in their order.

What is decided of an act depends on those before it, and not on where a part begins. Parts that are
judged and not yet decided are remembered here, so that the next can be judged meanwhile.
"""

import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.convert import ActFinding, CapKey, Converted, Refusal
from gateway.model.codes import Rejection
from gateway.model.erasure import FORGOTTEN
from gateway.ports import Memory, NewEvents, NewSpan
from gateway.service.comparing import Spans
from gateway.service.plausible import PartPlausibility
from gateway.service.preparing import Asked, CapColumns
from gateway.service.scheme import SchemeEvaluator

__all__ = ["PartJudge", "Verdict"]

_KEY: Final = struct.Struct("16s")
_CONTENT: Final = struct.Struct("8s")
_OTHER_CONTENT: Final = Refusal(
    Rejection.DUPLICATE_EVENT,
    "event",
    "this event has been recorded before with other content; the first record stands",
)


class Verdict(NamedTuple):
    """What becomes of the acts of a part.

    ``kept`` are the places of the acts that are accepted, ``points`` what each is granted, ``refused`` the
    places of those that are not, with the reason; the others are ``duplicates``. ``events``, ``cap_usage``
    and ``spans`` is what must be remembered. ``overlaps`` are findings about kept acts, by place.
    """

    kept: list[int]
    points: list[int]
    refused: list[tuple[int, Refusal]]
    duplicates: int
    events: NewEvents
    cap_usage: dict[bytes, int]
    spans: list[NewSpan]
    overlaps: dict[int, ActFinding]


class _Undecided(NamedTuple):
    """What a part that was judged and is not written yet adds to the memory."""

    events: dict[bytes, bytes]
    usage: dict[bytes, int]
    spans: list[NewSpan]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJudge:
    """Judges one part after the other; each is to be :meth:`settled` when its decision has been written."""

    evaluator: SchemeEvaluator
    memory: Memory
    _undecided: deque[_Undecided] = field(default_factory=deque)

    def judge(self, asked: Asked) -> Verdict:
        """Decide each act of a part, in its order; a refused act leaves no trace."""
        keys = _unpacked(_KEY, asked.keys)
        known = self._known(keys)
        new: dict[bytes, bytes] = {}
        usage = _Usage(self.evaluator, asked, used=self._used(asked.caps))
        plausible = self._plausible(asked)
        kept: list[int] = []
        points: list[int] = []
        refused: list[tuple[int, Refusal]] = []
        for place, (key, content) in enumerate(zip(keys, _unpacked(_CONTENT, asked.contents), strict=True)):
            before = known.get(key)
            if before is not None:
                if before not in (content, FORGOTTEN):
                    refused.append((place, _OTHER_CONTENT))
                continue
            granted = usage.grant(place) if plausible is None else usage.grant_plausible(place, plausible)
            if isinstance(granted, Refusal):
                refused.append((place, granted))
                continue
            known[key] = new[key] = content
            kept.append(place)
            points.append(granted)
        changed = usage.changed(_unpacked(_KEY, asked.caps.names))
        spans = [] if plausible is None else plausible.kept
        self._undecided.append(_Undecided(new, changed, spans))
        return Verdict(
            kept=kept,
            points=points,
            refused=refused,
            duplicates=len(keys) - len(kept) - len(refused),
            events=NewEvents(b"".join(new), b"".join(new.values())),
            cap_usage=changed,
            spans=spans,
            overlaps={} if plausible is None else plausible.findings,
        )

    def settled(self) -> None:
        """Forget the oldest part that was undecided: the memory has it now."""
        self._undecided.popleft()

    def _known(self, keys: list[bytes]) -> dict[bytes, bytes]:
        known = {key: mark.content for key, mark in self.memory.known_events(keys).items()}
        for part in self._undecided:
            known.update((key, part.events[key]) for key in part.events.keys() & keys)
        return known

    def _used(self, caps: CapColumns) -> list[int]:
        names = _unpacked(_KEY, caps.names)
        used = self.memory.cap_usage(names) if names else {}
        for part in self._undecided:
            used.update((name, part.usage[name]) for name in part.usage.keys() & names)
        return [used.get(name, 0) for name in names]

    def _plausible(self, asked: Asked) -> PartPlausibility | None:
        if asked.compared is None:
            return None
        known = self._known_spans(asked.compared.spans, day=asked.accepted.toordinal())
        return PartPlausibility.of(asked, self.evaluator.scheme.programs, known=known)

    def _known_spans(self, spans: Spans, *, day: int) -> dict[bytes, list[tuple[int, int]]]:
        """Return when acts of the same persons took place that are remembered on a day."""
        if not spans.places:
            return {}
        names = sorted(set(_unpacked(_KEY, spans.names)))
        known = self.memory.own_spans(names, day=day, window=(min(spans.starts), max(spans.ends)))
        for part in self._undecided:
            for span in part.spans:
                if span.last_day >= day:
                    known.setdefault(span.key, []).append((span.start, span.end))
        return known


class _Usage:
    """What is used of the caps while a part is judged."""

    def __init__(self, evaluator: SchemeEvaluator, asked: Asked, *, used: list[int]) -> None:
        programs = evaluator.scheme.programs
        self._meters = [evaluator.meter(program) for program in programs]
        self._asked, self._acts, self._points = asked, asked.caps.acts, asked.points
        self._used = used
        self._before = used.copy()
        self._limits = [self._meters[program].limit(cap) for program, cap, _ in asked.caps.keys]

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

    def grant_plausible(self, place: int, plausible: PartPlausibility) -> int | Refusal:
        """Grant as well, but nothing to an act that a rule on plausibility rejects; it uses up nothing."""
        numbers = self._asked.caps.acts[place]
        if isinstance(numbers, Refusal):
            return numbers
        refusal = plausible.before(place)
        if refusal is not None:
            return refusal
        used = [self._used[number] for number in numbers]
        granted = plausible.after(place, self.grant(place))
        if isinstance(granted, Refusal):
            for number, before in zip(numbers, used, strict=True):
                self._used[number] = before
        return granted

    def changed(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """Return the use of the caps that has grown, by name."""
        both = zip(names, self._used, self._before, strict=True)
        return {name: used for name, used, before in both if used != before}

    def _metered(self, place: int, numbers: tuple[int, ...]) -> int | Refusal:
        """Let the meter apply several caps, or those of another kind, one after the other."""
        asked = self._asked
        program = asked.caps.keys[numbers[0]][0]
        keys = tuple(
            CapKey(cap, str(number), period)
            for number in numbers
            for _, cap, period in [asked.caps.keys[number]]
        )
        usage = {key: self._used[number] for key, number in zip(keys, numbers, strict=True)}
        exact = (asked.points_num[place], asked.points_den[place])
        converted = Converted({}, asked.co2e_mg[place], asked.points[place], exact)
        granted = self._meters[program].points(converted, keys, usage=usage)
        for key, number in zip(keys, numbers, strict=True):
            self._used[number] = usage[key]
        return granted


def _unpacked(form: struct.Struct, packed: bytes) -> list[bytes]:
    return [name for (name,) in form.iter_unpack(packed)]
