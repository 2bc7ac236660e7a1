"""Prepare one part: everything about its acts that does not depend on any other act.

Rows become roles, quantities, names, commitments and record bytes. What is left for the judge is
what needs memory: whether an event is new, and what the caps leave of its points. So parts can be
prepared in another process, and what comes from there are plain columns.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from gateway.convert import ActFinding, Converted, Program, Refusal, Roles
from gateway.model.source import Outcome, Place, RefusedRow, SourceRow
from gateway.ports import PrivateColumns, PrivateRow
from gateway.service.moments import instant_text
from gateway.service.recording import RecordMaker, content_bytes, day_text, event_text
from gateway.service.scheme import MakeConverter, Scheme, SchemeEvaluator
from gateway.signing import KeyedIndex

__all__ = ["Origin", "Origins", "Prepared", "Preparer", "Rejected"]

_json = msgspec.json.Encoder().encode
_NO_COLUMNS: Final = PrivateColumns(*([] for _ in PrivateColumns._fields))


class Origin(NamedTuple):
    """Where an outcome comes from: its place, further rows that went into it, its fields as JSON."""

    place: Place
    also: tuple[Place, ...]
    fields: bytes


class Rejected(NamedTuple):
    """An outcome that is not counted: where it comes from, why, and its readable day."""

    origin: Origin
    code: str
    field: str
    detail: str
    day: str | None


class Origins(NamedTuple):
    """Where acts come from, column by column; ``also`` by the act's place, for those that have more rows."""

    files: list[str]
    rows: list[int]
    fields: list[bytes]
    also: dict[int, tuple[Place, ...]]

    def at(self, place: int) -> Origin:
        """Return the origin of one act."""
        where = Place(self.files[place], self.rows[place])
        return Origin(where, self.also.get(place, ()), self.fields[place])


class Prepared(NamedTuple):
    """One part: the acts that convert, column by column, and what was rejected on the way.

    ``rows`` counts the rows of the input, ``merged`` those of them that went into another row's act,
    ``repeated`` those that state again what another row has stated. ``origins``, ``keys`` and
    ``contents`` say of each act where it comes from, and name its event and what the event said; ``caps``
    is what it counts against (the members of a CapKey), or why it may not; ``exact`` are numerator and
    denominator of its exact points. ``records`` are the private rows as they will be unless a cap
    takes points away. ``findings`` are those of limits, ``spans`` name the person, start and end of acts
    that are compared with others; both by the act's place. All of it is plain lists, which are quick to
    send to another process.
    """

    number: int
    accepted: datetime
    rows: int
    merged: int
    repeated: int
    rejected: list[Rejected]
    origins: Origins
    keys: list[bytes]
    contents: list[bytes]
    caps: list[tuple[tuple[str, str, str], ...] | Refusal]
    exact: tuple[list[int], list[int]]
    records: PrivateColumns
    findings: Mapping[int, tuple[ActFinding, ...]] = MappingProxyType({})
    spans: Mapping[int, tuple[bytes, int, int]] = MappingProxyType({})


class Preparer:
    """Prepares parts of one scheme's submissions."""

    def __init__(
        self,
        scheme: Scheme,
        issuer: str,
        *,
        index: KeyedIndex,
        make_converter: MakeConverter,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._issuer = issuer
        self._index = index
        self._random_bytes = random_bytes
        self.evaluator = SchemeEvaluator(scheme, make_converter)

    def prepare(self, number: int, outcomes: Sequence[Outcome], *, accepted: datetime) -> Prepared:
        """Prepare one part, as accepted at that moment."""
        rejected = [
            Rejected(_origin(outcome), outcome.code, "", outcome.detail, None)
            for outcome in outcomes
            if isinstance(outcome, RefusedRow)
        ]
        rows = [outcome for outcome in outcomes if isinstance(outcome, SourceRow)]
        repeated = len(outcomes) - len(rows) - len(rejected)
        acts, origins = self._acts(rows, rejected)
        platform = self.evaluator.scheme.platform
        events = [event_text(roles.event) for _, roles, _ in acts]
        maker = RecordMaker(self._issuer, instant_text(accepted), random_bytes=self._random_bytes)
        records: list[PrivateRow] = maker.rows(acts, events)
        merged = sum(len(outcome.also) for outcome in outcomes if outcome.also)
        return Prepared(
            number=number,
            accepted=accepted,
            rows=len(outcomes) + merged,
            merged=merged,
            repeated=repeated,
            rejected=rejected,
            origins=origins,
            keys=[self._index.event(platform, event) for event in events],
            contents=[self._index.content(content_bytes(record)) for record in records],
            caps=self._caps(acts, accepted),
            exact=(
                [converted.points_exact[0] for _, _, converted in acts],
                [converted.points_exact[1] for _, _, converted in acts],
            ),
            records=PrivateColumns(*map(list, zip(*records, strict=True))) if records else _NO_COLUMNS,
            findings={place: one.findings for place, (_, _, one) in enumerate(acts) if one.findings},
            spans=self._spans(acts),
        )

    def _acts(
        self, rows: Sequence[SourceRow], rejected: list[Rejected]
    ) -> tuple[list[tuple[Program, Roles, Converted]], Origins]:
        """Convert rows; what does not convert is added to the rejected."""
        roles = self.evaluator.read(rows)
        acts: list[tuple[Program, Roles, Converted]] = []
        origins = Origins([], [], [], {})
        for row, role, outcome in zip(rows, roles, self.evaluator.convert(rows, roles), strict=True):
            if isinstance(role, Refusal):
                rejected.append(Rejected(_origin(row), *role, None))
            elif isinstance(outcome, Refusal):
                rejected.append(Rejected(_origin(row), *outcome, day_text(role.day)))
            else:
                if row.also:
                    origins.also[len(acts)] = row.also
                origins.files.append(row.place.file)
                origins.rows.append(row.place.row)
                origins.fields.append(_json(row.fields))
                acts.append((outcome[0], self._under_pseudonyms(role), outcome[1]))
        return acts, origins

    def _caps(
        self, acts: list[tuple[Program, Roles, Converted]], accepted: datetime
    ) -> list[tuple[tuple[str, str, str], ...] | Refusal]:
        local = {p.version: accepted.astimezone(p.zone).date() for p in self.evaluator.scheme.programs}
        found: list[tuple[tuple[str, str, str], ...] | Refusal] = []
        for program, roles, _ in acts:
            keys = self.evaluator.meter(program).keys(roles, local[program.version])
            found.append(keys if isinstance(keys, Refusal) else tuple(map(tuple, keys)))  # type: ignore[arg-type]
        return found

    def _spans(self, acts: list[tuple[Program, Roles, Converted]]) -> dict[int, tuple[bytes, int, int]]:
        """Name when acts took place that are compared; one within the tolerance cannot overlap by more."""
        scheme = self.evaluator.scheme
        if all(program.source.overlap is None for program in scheme.programs):
            return {}
        spans: dict[int, tuple[bytes, int, int]] = {}
        for place, (program, roles, _) in enumerate(acts):
            rule, start, end = program.source.overlap, roles.start, roles.end
            if rule is None or start is None or end is None or not rule.concerns(roles.behaviour):
                continue
            if end - start > rule.tolerance_s:
                spans[place] = (self._index.own_acts(scheme.id, roles.person or ""), start, end)
        return spans

    def _under_pseudonyms(self, roles: Roles) -> Roles:
        """Replace person and household by their pseudonyms, so that nothing below sees an account."""
        platform = self.evaluator.scheme.platform
        household = (
            None if roles.household is None else self._index.pseudonym(platform, roles.household).hex()
        )
        person = self._index.pseudonym(platform, roles.person or "").hex()
        return Roles(roles.event, person, household, *roles[3:])


def _origin(row: SourceRow | RefusedRow) -> Origin:
    return Origin(row.place, row.also, _json(row.fields))
