"""Prepare one part: everything about its acts that does not depend on any other act.

Rows become roles, quantities, names, commitments and record bytes. What is left for the judge is
what needs memory: whether an event is new, and what the caps leave of its points. So parts can be
prepared in other processes, in any order; what goes there and comes back are plain columns.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.convert import CapKey, Converted, Program, Refusal, Roles
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.ports import PrivateColumns, PrivateRow
from gateway.service.moments import instant_text
from gateway.service.recording import RecordMaker, content_text, event_text
from gateway.service.scheme import MakeConverter, Scheme, SchemeEvaluator
from gateway.signing import KeyedIndex

__all__ = ["PartJob", "Prepared", "Preparer", "Rejected"]

_NO_COLUMNS: Final = PrivateColumns(*([] for _ in PrivateColumns._fields))


class PartJob(NamedTuple):
    """The outcomes of one part, and the moment at which its acts are accepted."""

    number: int
    outcomes: Sequence[Outcome]
    accepted: datetime


class Rejected(NamedTuple):
    """An outcome of the part that is not counted: its place in the part, why, and its readable day."""

    at: int
    code: str
    field: str
    detail: str
    day: str | None


class Prepared(NamedTuple):
    """The acts of a part that convert, column by column, and what was rejected on the way.

    ``at`` is each act's place in the part; ``keys`` and ``contents`` name its event and what it said;
    ``caps`` names what it counts against, or why it may not (code, field, detail); ``exact`` is its
    exact points as numerator and denominator. ``rows`` are the records as they will be unless a cap
    takes points away.
    """

    rejected: list[Rejected]
    at: list[int]
    keys: list[bytes]
    contents: list[bytes]
    caps: list[tuple[CapKey, ...] | Refusal]
    exact: list[tuple[int, int]]
    rows: PrivateColumns


class Preparer:
    """Prepares parts of one scheme's submissions. It can be sent to another process."""

    def __init__(
        self,
        scheme: Scheme,
        issuer: str,
        *,
        index: KeyedIndex,
        make_converter: MakeConverter,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._arguments = (scheme, issuer, index, make_converter, random_bytes)
        self._issuer = issuer
        self._index = index
        self._random_bytes = random_bytes
        self.evaluator = SchemeEvaluator(scheme, make_converter)

    def __reduce__(self) -> tuple[Callable[..., "Preparer"], tuple[object, ...]]:
        return _preparer, self._arguments

    def __call__(self, job: PartJob) -> Prepared:
        """Prepare one part."""
        rejected = [
            Rejected(at, outcome.code, "", outcome.detail, None)
            for at, outcome in enumerate(job.outcomes)
            if isinstance(outcome, RefusedRow)
        ]
        places = [at for at, outcome in enumerate(job.outcomes) if isinstance(outcome, SourceRow)]
        rows = [outcome for outcome in job.outcomes if isinstance(outcome, SourceRow)]
        roles = self.evaluator.read(rows)
        at: list[int] = []
        acts: list[tuple[Program, Roles, Converted]] = []
        for place, role, outcome in zip(places, roles, self.evaluator.convert(rows, roles), strict=True):
            if isinstance(role, Refusal):
                rejected.append(Rejected(place, *role, None))
            elif isinstance(outcome, Refusal):
                rejected.append(Rejected(place, *outcome, date.fromordinal(role.day).isoformat()))
            else:
                at.append(place)
                acts.append((outcome[0], self._under_pseudonyms(role), outcome[1]))
        return self._prepared(acts, at, rejected=rejected, accepted=job.accepted)

    def _prepared(
        self,
        acts: list[tuple[Program, Roles, Converted]],
        at: list[int],
        *,
        rejected: list[Rejected],
        accepted: datetime,
    ) -> Prepared:
        platform = self.evaluator.scheme.platform
        events = [event_text(roles.event) for _, roles, _ in acts]
        maker = RecordMaker(self._issuer, instant_text(accepted), random_bytes=self._random_bytes)
        rows: list[PrivateRow] = maker.rows(acts, events)
        return Prepared(
            rejected=rejected,
            at=at,
            keys=[self._index.event(platform, event) for event in events],
            contents=[self._index.content(content_text(roles, converted)) for _, roles, converted in acts],
            caps=self._caps(acts, accepted),
            exact=[converted.points_exact for _, _, converted in acts],
            rows=PrivateColumns(*map(list, zip(*rows, strict=True))) if rows else _NO_COLUMNS,
        )

    def _caps(
        self, acts: list[tuple[Program, Roles, Converted]], accepted: datetime
    ) -> list[tuple[CapKey, ...] | Refusal]:
        local = {p.version: accepted.astimezone(p.zone).date() for p in self.evaluator.scheme.programs}
        return [self.evaluator.meter(p).keys(roles, local[p.version]) for p, roles, _ in acts]

    def _under_pseudonyms(self, roles: Roles) -> Roles:
        """Replace person and household by their pseudonyms, so that nothing below sees an account."""
        platform = self.evaluator.scheme.platform
        household = (
            None if roles.household is None else self._index.pseudonym(platform, roles.household).hex()
        )
        person = self._index.pseudonym(platform, roles.person or "").hex()
        return Roles(roles.event, person, household, *roles[3:])


def _preparer(
    scheme: Scheme,
    issuer: str,
    index: KeyedIndex,
    make_converter: MakeConverter,
    random_bytes: Callable[[int], bytes],
) -> Preparer:
    return Preparer(scheme, issuer, index=index, make_converter=make_converter, random_bytes=random_bytes)
