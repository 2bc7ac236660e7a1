"""Judge one part: what is new, and what the caps leave of it, act after act in their order.

What is decided of an act depends on those before it, and not on where a part begins. Parts that are
judged and not yet decided are remembered here, so that the next can be judged meanwhile.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.convert import ActFinding, Refusal
from gateway.model.codes import Rejection
from gateway.model.erasure import FORGOTTEN
from gateway.model.packed import cut
from gateway.ports import EVENT_CONTENT_BYTES, ClaimColumns, Memory, NewEvents, NewSpan
from gateway.service.acts.capping import CapColumns, CapLedger
from gateway.service.acts.comparing import Spans
from gateway.service.acts.preparing import Asked
from gateway.service.acts.scheme import SchemeEvaluator
from gateway.service.claims.claiming import LATE, Claimed, ClaimJudge, PartClaims
from gateway.service.converting.plausible import PartPlausibility
from gateway.signing import NAME_BYTES

__all__ = ["PartJudge", "Verdict"]

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
    ``claimed`` is what the claims come to where a person is known.
    """

    kept: list[int]
    points: list[int]
    refused: list[tuple[int, Refusal]]
    duplicates: int
    events: NewEvents
    cap_usage: dict[bytes, int]
    spans: list[NewSpan]
    overlaps: dict[int, ActFinding]
    claimed: Claimed | None = None

    def for_records(self) -> "Verdict":
        """Return what making records needs."""
        return self if self.claimed is None else self._replace(claimed=self.claimed.for_records())

    def to_finish(self) -> "Verdict":
        """Return the verdict without what must be remembered: finishing does not need it, and it is large."""
        return self._replace(events=NewEvents(b"", b""), cap_usage={}, spans=[])


class _Undecided(NamedTuple):
    """What a part that was judged and is not written yet adds to the memory."""

    events: dict[bytes, bytes]
    usage: dict[bytes, int]
    spans: list[NewSpan]
    claims: ClaimColumns | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJudge:
    """Judges one part after the other; each is to be :meth:`settled` when its decision has been written."""

    evaluator: SchemeEvaluator
    memory: Memory
    claims: ClaimJudge | None = None
    _undecided: deque[_Undecided] = field(default_factory=deque)

    def judge(self, asked: Asked) -> Verdict:
        """Decide each act of a part, in its order; a refused act leaves no trace."""
        keys = cut(asked.keys, NAME_BYTES)
        known = self._known(keys)
        new: dict[bytes, bytes] = {}
        ledger = CapLedger(
            self.evaluator.scheme.programs, asked.caps, amounts=asked.amounts, used=self._used(asked.caps)
        )
        plausible = self._plausible(asked)
        claims = None if self.claims is None else self.claims.begin(asked)
        late = frozenset[int]() if claims is None else claims.late
        kept: list[int] = []
        points: list[int] = []
        refused: list[tuple[int, Refusal]] = []
        contents = cut(asked.contents, EVENT_CONTENT_BYTES)
        for place, (key, content) in enumerate(zip(keys, contents, strict=True)):
            before = known.get(key)
            if before is not None:
                if before not in (content, FORGOTTEN):
                    refused.append((place, _OTHER_CONTENT))
                continue
            if place in late:
                refused.append((place, LATE))
                continue
            granted = (
                ledger.grant(place) if plausible is None else _granted(ledger, place, plausible=plausible)
            )
            if isinstance(granted, Refusal):
                refused.append((place, granted))
                continue
            known[key] = new[key] = content
            kept.append(place)
            points.append(granted)
        changed = ledger.changed()
        spans = [] if plausible is None else plausible.kept
        claimed = None if claims is None else self._claimed(claims, kept, events=asked.keys)
        columns = None if claimed is None else claimed.columns
        self._undecided.append(_Undecided(new, changed, spans, columns))
        return Verdict(
            kept=kept,
            points=points,
            refused=refused,
            duplicates=len(keys) - len(kept) - len(refused),
            events=NewEvents(b"".join(new), b"".join(new.values())),
            cap_usage=changed,
            spans=spans,
            overlaps={} if plausible is None else plausible.findings,
            claimed=claimed,
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
        names = cut(caps.names, NAME_BYTES)
        used = self.memory.cap_usage(names) if names else {}
        for part in self._undecided:
            used.update((name, part.usage[name]) for name in part.usage.keys() & names)
        return [used.get(name, 0) for name in names]

    def _claimed(self, claims: PartClaims, kept: list[int], *, events: bytes) -> Claimed:
        undecided = [part.claims for part in self._undecided if part.claims is not None]
        return claims.settle(kept, events, undecided=undecided[::-1])

    def _plausible(self, asked: Asked) -> PartPlausibility | None:
        if asked.compared is None:
            return None
        known = self._known_spans(asked.compared.spans, day=asked.accepted.toordinal())
        return PartPlausibility.of(asked, self.evaluator.scheme.programs, known=known)

    def _known_spans(self, spans: Spans, *, day: int) -> dict[bytes, list[tuple[int, int]]]:
        """Return when acts of the same persons took place that are remembered on a day."""
        if not spans.places:
            return {}
        names = sorted(set(cut(spans.names, NAME_BYTES)))
        known = self.memory.own_spans(names, day=day, window=(min(spans.starts), max(spans.ends)))
        for part in self._undecided:
            for span in part.spans:
                if span.last_day >= day:
                    known.setdefault(span.key, []).append((span.start, span.end))
        return known


def _granted(ledger: CapLedger, place: int, *, plausible: PartPlausibility) -> int | Refusal:
    """Grant as the ledger does, but nothing to an act that a rule rejects; it uses up nothing."""
    used = ledger.use_of(place)
    if isinstance(used, Refusal):
        return used
    refusal = plausible.before(place)
    if refusal is not None:
        return refusal
    granted = plausible.after(place, ledger.grant(place))
    if isinstance(granted, Refusal):
        ledger.take_back(place, used)
    return granted
