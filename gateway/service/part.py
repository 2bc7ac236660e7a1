"""One part of a submission: from its rows to a decision, without touching any store.

Steps: read roles, convert, then act after act: recognise repetitions, apply caps. What is decided of an
act depends on those before it, and not on where a part begins.
"""

from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.convert import CapKey, Converted, Granted, Program, Refusal, Roles
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, SourceRow
from gateway.ports import Memory, NewEvent
from gateway.service.recording import Act, content_text, event_text
from gateway.service.scheme import SchemeEvaluator
from gateway.signing import KeyedIndex

__all__ = ["PartJudge", "PartResult", "RejectedRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that was not counted: where it stands, why, and its fields for whoever repairs it."""

    place: Place
    also: tuple[Place, ...]
    code: str
    field: str
    detail: str
    fields: dict[str, str]
    day: str | None


@dataclass(slots=True)
class PartResult:
    """What became of each outcome of a part."""

    rows: int = 0
    merged: int = 0
    duplicates: int = 0
    claims_differ: int = 0
    acts: list[Act] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    cap_usage: dict[bytes, int] = field(default_factory=dict)

    def rejected_by_day(self) -> Counter[tuple[str | None, str]]:
        """Count the rejected rows by readable day and code."""
        return Counter((row.day, row.code) for row in self.rejected)


@dataclass(slots=True, kw_only=True)
class _Candidate:
    """An act that converts; whether it is new is not known yet."""

    row: SourceRow
    roles: Roles
    program: Program
    converted: Converted
    event: str
    key: bytes
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJudge:
    """Judges the rows of one part after the other. What it looks up, it does not change."""

    evaluator: SchemeEvaluator
    index: KeyedIndex
    memory: Memory

    def judge(self, outcomes: Sequence[Outcome], accepted: datetime) -> PartResult:
        """Decide each outcome of the part, in its order, as accepted at that moment."""
        result = PartResult(
            rows=sum(1 + len(outcome.also) for outcome in outcomes),
            merged=sum(len(outcome.also) for outcome in outcomes),
        )
        rows = [outcome for outcome in outcomes if isinstance(outcome, SourceRow)]
        for outcome in outcomes:
            if isinstance(outcome, RefusedRow):
                result.rejected.append(_refused_by_adapter(outcome))
        result.duplicates = len(outcomes) - len(rows) - len(result.rejected)
        self._settle(self._candidates(rows, result), accepted, result=result)
        return result

    def _candidates(self, rows: list[SourceRow], result: PartResult) -> list[_Candidate]:
        roles = self.evaluator.read(rows)
        platform = self.evaluator.scheme.platform
        found = []
        for row, role, outcome in zip(rows, roles, self.evaluator.convert(rows, roles), strict=True):
            if isinstance(outcome, Refusal) or isinstance(role, Refusal):
                refusal = outcome if isinstance(outcome, Refusal) else role
                result.rejected.append(_refused_by_mapping(row, role, refusal=refusal))  # type: ignore[arg-type]
                continue
            program, converted = outcome
            event, named = event_text(role.event), self._under_pseudonyms(role, platform)
            found.append(
                _Candidate(
                    row=row,
                    roles=named,
                    program=program,
                    converted=converted,
                    event=event,
                    key=self.index.event(platform, event),
                    content=self.index.content(content_text(named, converted)),
                )
            )
        return found

    def _settle(self, candidates: list[_Candidate], accepted: datetime, *, result: PartResult) -> None:
        """Accept what is new and within its caps, one act after the other; a refused act leaves no trace."""
        marks = self.memory.known_events([candidate.key for candidate in candidates])
        known = {key: mark.content for key, mark in marks.items()}
        asked = [(candidate, self._cap_keys(candidate, accepted)) for candidate in candidates]
        scheme = self.evaluator.scheme.id
        names = {
            key: self.index.cap(scheme, *key)
            for _, keys in asked
            if not isinstance(keys, Refusal)
            for key in keys
        }
        used = self.memory.cap_usage(list(names.values())) if names else {}
        usage = {key: used.get(name, 0) for key, name in names.items()}
        for candidate, keys in asked:
            if known.get(candidate.key) == candidate.content:
                result.duplicates += 1
                continue
            granted = self._granted(candidate, keys, known=known, usage=usage)
            if isinstance(granted, Refusal):
                result.rejected.append(_refused_by_mapping(candidate.row, candidate.roles, refusal=granted))
            else:
                known[candidate.key] = candidate.content
                _accept(candidate, granted=granted, result=result)
        result.cap_usage.update({name: usage[key] for key, name in names.items() if usage[key]})

    def _cap_keys(self, candidate: _Candidate, accepted: datetime) -> tuple[CapKey, ...] | Refusal:
        local = accepted.astimezone(candidate.program.zone).date()
        return self.evaluator.meter(candidate.program).keys(candidate.roles, local)

    def _granted(
        self,
        candidate: _Candidate,
        keys: tuple[CapKey, ...] | Refusal,
        *,
        known: dict[bytes, bytes],
        usage: MutableMapping[CapKey, int],
    ) -> Granted | Refusal:
        if candidate.key in known:
            detail = "this event has been recorded before with other content; the first record stands"
            return Refusal(Rejection.DUPLICATE_EVENT, "event", detail)
        if isinstance(keys, Refusal):
            return keys
        return self.evaluator.meter(candidate.program).grant(candidate.converted, keys, usage=usage)

    def _under_pseudonyms(self, roles: Roles, platform: str) -> Roles:
        """Replace person and household by their pseudonyms, so that nothing below sees an account."""
        household = None if roles.household is None else self.index.pseudonym(platform, roles.household).hex()
        person = self.index.pseudonym(platform, roles.person or "").hex()
        return Roles(roles.event, person, household, *roles[3:])


def _accept(candidate: _Candidate, *, granted: Granted, result: PartResult) -> None:
    roles = candidate.roles
    act = Act(
        program=candidate.program,
        roles=roles,
        converted=candidate.converted,
        event=candidate.event,
        person=bytes.fromhex(roles.person or ""),
        household=None if roles.household is None else bytes.fromhex(roles.household),
        points=granted.points,
    )
    result.claims_differ += _claim_differs(act)
    result.events.append(NewEvent(candidate.key, candidate.content, len(result.acts)))
    result.acts.append(act)


def _claim_differs(act: Act) -> bool:
    """Tell whether the platform's own figures are further from ours than the mapping tolerates."""
    roles, converted = act.roles, act.converted
    tolerance = act.program.source.claim_tolerance_mg
    if roles.claimed_mg is not None and abs(roles.claimed_mg - converted.co2e_mg) > tolerance:
        return True
    return roles.claimed_points is not None and roles.claimed_points not in (converted.points, act.points)


def _refused_by_adapter(row: RefusedRow) -> RejectedRow:
    return RejectedRow(
        place=row.place,
        also=row.also,
        code=row.code,
        field="",
        detail=row.detail,
        fields=dict(row.fields),
        day=None,
    )


def _refused_by_mapping(row: SourceRow, roles: Roles | Refusal, *, refusal: Refusal) -> RejectedRow:
    return RejectedRow(
        place=row.place,
        also=row.also,
        code=refusal.code,
        field=refusal.field,
        detail=refusal.detail,
        fields=dict(row.fields),
        day=None if isinstance(roles, Refusal) else date.fromordinal(roles.day).isoformat(),
    )
