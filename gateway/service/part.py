"""Judge one part: what is new, and what the caps leave of it, act after act in their order.

What is decided of an act depends on those before it, and not on where a part begins.
"""

from collections import Counter
from dataclasses import dataclass, field

from gateway.convert import CapKey, Converted, Program, Refusal
from gateway.model.codes import Rejection
from gateway.model.erasure import FORGOTTEN
from gateway.ports import Memory, NewEvent
from gateway.service.preparing import Prepared, Rejected
from gateway.service.scheme import SchemeEvaluator
from gateway.signing import KeyedIndex

__all__ = ["PartJudge", "PartResult"]


@dataclass(slots=True)
class PartResult:
    """What became of each outcome of a part.

    ``kept`` are the places in the prepared columns of the acts that are accepted, ``points`` what each
    is granted; ``events`` and ``cap_usage`` is what must be remembered of them.
    """

    prepared: Prepared
    duplicates: int = 0
    kept: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    cap_usage: dict[bytes, int] = field(default_factory=dict)

    def rejected_by_day(self) -> Counter[tuple[str | None, str]]:
        """Count the rejected rows by readable day and code."""
        return Counter((row.day, row.code) for row in self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJudge:
    """Judges one part after the other. What it looks up, it does not change."""

    evaluator: SchemeEvaluator
    index: KeyedIndex
    memory: Memory

    def judge(self, prepared: Prepared) -> PartResult:
        """Decide each act of a part, in its order."""
        result = PartResult(prepared)
        refused = self._settle(prepared, result)
        result.rejected = sorted([*prepared.rejected, *refused], key=lambda rejected: rejected.origin)
        result.duplicates = prepared.repeated + len(prepared.keys) - len(result.kept) - len(refused)
        return result

    def _settle(self, prepared: Prepared, result: PartResult) -> list[Rejected]:
        """Accept what is new and within its caps, one act after the other; a refused act leaves no trace."""
        rejected: list[Rejected] = []
        known = {key: mark.content for key, mark in self.memory.known_events(prepared.keys).items()}
        names = self._cap_names(prepared)
        used = self.memory.cap_usage(list(names.values())) if names else {}
        usage = {key: used.get(name, 0) for key, name in names.items()}
        programs = {"sha256:" + program.digest: program for program in self.evaluator.scheme.programs}
        for place, (key, content) in enumerate(zip(prepared.keys, prepared.contents, strict=True)):
            before = known.get(key)
            if before in (content, FORGOTTEN):
                continue
            granted = self._granted(prepared, place, known=before is not None, usage=usage, programs=programs)
            if isinstance(granted, Refusal):
                day = prepared.records.day[place]
                rejected.append(Rejected(prepared.origins.at(place), *granted, day))
                continue
            known[key] = content
            result.events.append(NewEvent(key, content, len(result.kept)))
            result.kept.append(place)
            result.points.append(granted)
        result.cap_usage.update({name: usage[key] for key, name in names.items() if usage[key]})
        return rejected

    def _cap_names(self, prepared: Prepared) -> dict[CapKey, bytes]:
        scheme = self.evaluator.scheme.id
        keys = {key for caps in prepared.caps if not isinstance(caps, Refusal) for key in caps}
        return {CapKey(*key): self.index.cap(scheme, *key) for key in keys}

    def _granted(
        self,
        prepared: Prepared,
        place: int,
        *,
        known: bool,
        usage: dict[CapKey, int],
        programs: dict[str, Program],
    ) -> int | Refusal:
        if known:
            detail = "this event has been recorded before with other content; the first record stands"
            return Refusal(Rejection.DUPLICATE_EVENT, "event", detail)
        caps, rows = prepared.caps[place], prepared.records
        if isinstance(caps, Refusal):
            return caps
        if not caps:
            return rows.points[place]
        numerators, denominators = prepared.exact
        exact = (numerators[place], denominators[place])
        converted = Converted({}, rows.co2e_mg[place], rows.points[place], exact)
        meter = self.evaluator.meter(programs[rows.mapping[place]])
        return meter.points(converted, tuple(map(CapKey._make, caps)), usage=usage)
