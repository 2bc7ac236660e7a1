"""Prepare one part: everything about its acts that does not depend on any other act.

Rows become roles, quantities and names. What is left for the judge is what needs memory: whether an
event is new, and what the caps leave of its points. So parts can be prepared in a process of their
own; the judge is asked a few numbers and names of each act, and the rest of a part waits, unopened,
until it is finished.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from gateway.claims import Kinds
from gateway.convert import ActFinding, RoleColumns
from gateway.model.columns import picked
from gateway.model.packed import cut
from gateway.model.source import Outcomes, RefusedRow, RepeatedRow, SourceBlock, SourceRow
from gateway.service.acts.capping import Amounts, CapColumns, cap_columns
from gateway.service.acts.claims_asked import ClaimsAsked, claims_asked
from gateway.service.acts.comparing import Compared, Spans, claims_to_hold, compared, spans_to_compare
from gateway.service.acts.origins import Origin, Origins, PartRows, Piece, Stated, origin_of, stated_again
from gateway.service.acts.recording import (
    ActColumns,
    InputWriter,
    content_bytes,
    day_text,
    event_texts,
)
from gateway.service.acts.scheme import MakeConverter, Scheme, SchemeColumns, SchemeEvaluator
from gateway.signing import PSEUDONYM_BYTES, KeyedIndex

__all__ = ["Asked", "Part", "Prepared", "Preparer", "Rejected"]

_NO_SPANS: Final = Spans([], [], b"", [], [])


class Rejected(NamedTuple):
    """An outcome that is not counted: where it comes from, why, and its readable day."""

    origin: Origin
    code: str
    field: str
    detail: str
    day: str | None


class Asked(NamedTuple):
    """What is asked of the judge: of each act its event's name, what it said, its points and its caps.

    ``rows`` counts the rows of the input, ``merged`` those of them that went into another row's act,
    ``repeated`` those that state again what another row has stated, ``rejected`` the outcomes that are no
    act. ``keys`` and ``contents`` are packed.
    ``compared`` is what the mapping has compared of acts beside that, ``claims`` what is compared across
    platforms; None for nothing. ``stated`` says which rows have stated the acts, where that is wished for.
    """

    number: int
    accepted: datetime
    rows: int
    merged: int
    repeated: int
    keys: bytes
    contents: bytes
    amounts: Amounts
    caps: CapColumns
    compared: Compared | None = None
    claims: ClaimsAsked | None = None
    stated: Stated | None = None


class Prepared(NamedTuple):
    """The rest of a part, of no concern to the judge: its acts, where they come from, what was rejected.

    ``findings`` are those of limits, by the act's place.
    """

    acts: ActColumns
    origins: Origins
    rejected: list[Rejected]
    findings: dict[int, tuple[ActFinding, ...]]


class Part(NamedTuple):
    """One part: what is asked of the judge, and the rest."""

    asked: Asked
    prepared: Prepared


class _SortedOut(NamedTuple):
    """The outcomes of a part by kind; ``merged`` are rows that went into another one's outcome."""

    pieces: list[Piece]
    refused: list[RefusedRow]
    repeated: list[RepeatedRow]
    merged: int


class _Acts(NamedTuple):
    """Converted acts in the order of their rows: their places there, and what the mapping made of them."""

    places: list[int]
    program: list[int]
    inputs: list[str]
    co2e_mg: list[int]
    points: list[int]
    points_num: list[int]
    points_den: list[int]


class Preparer:
    """Prepares parts of one scheme's submissions; ``stating`` says which rows have stated the acts."""

    def __init__(
        self,
        scheme: Scheme,
        *,
        index: KeyedIndex,
        make_converter: MakeConverter,
        kinds: Kinds | None = None,
        stating: bool = False,
    ) -> None:
        self._index = index
        self._kinds = kinds
        self._stating = stating
        self._programs = {program.version: number for number, program in enumerate(scheme.programs)}
        self._writers = {program.version: InputWriter(program) for program in scheme.programs}
        self.evaluator = SchemeEvaluator(scheme, make_converter)

    def prepare(self, number: int, outcomes: Sequence[Outcomes], *, accepted: datetime) -> Part:
        """Prepare one part, as accepted at that moment."""
        sorted_out = _sorted_out(outcomes)
        rows = PartRows(sorted_out.pieces)
        table = rows.table()
        roles = self.evaluator.read(table)
        converted = self.evaluator.convert(table, roles)
        acts = self._in_order(converted)
        columns = self._columns(acts, roles)
        keys = self._index.events(self.evaluator.scheme.platform, columns.event)
        asked = Asked(
            number=number,
            accepted=accepted,
            rows=sum(map(len, outcomes)) + sorted_out.merged,
            merged=sorted_out.merged,
            repeated=len(sorted_out.repeated),
            keys=keys,
            contents=self._index.contents(content_bytes(columns)),
            amounts=Amounts(acts.points, acts.co2e_mg, acts.points_num, acts.points_den),
            caps=cap_columns(
                self.evaluator.scheme.programs,
                zip(acts.program, columns.behaviour, picked(roles.day, acts.places), strict=True),
                acts=columns,
                accepted=accepted,
                index=self._index,
            ),
            compared=self._compared(acts, roles, columns=columns),
            claims=self._claims(acts, roles, columns=columns),
            stated=self._stated(rows, acts.places, events=keys, repeated=sorted_out.repeated),
        )
        rejected = [Rejected(origin_of(row), row.code, "", row.detail, None) for row in sorted_out.refused]
        for place, refusal in converted.refusals.items():
            day = None if place in roles.refusals else day_text(roles.day[place])
            rejected.append(Rejected(rows.origin(place), *refusal, day))
        origins = rows.packed(acts.places)
        return Part(asked, Prepared(columns, origins, rejected, _findings(converted, acts.places)))

    def _stated(
        self, rows: PartRows, acts: list[int], *, events: bytes, repeated: list[RepeatedRow]
    ) -> Stated | None:
        if not self._stating:
            return None
        return Stated(events, *rows.stated(acts), stated_again(repeated))

    def _in_order(self, converted: SchemeColumns) -> _Acts:
        """Put the acts of all blocks into the order of their rows."""
        acts = _Acts([], [], [], [], [], [], [])
        for program, block in converted.blocks:
            count = len(block.rows)
            acts.places.extend(block.rows)
            acts.program.extend([self._programs[program.version]] * count)
            acts.inputs.extend(self._writers[program.version].texts(block.inputs, count=count))
            acts.co2e_mg.extend(block.co2e_mg)
            acts.points.extend(block.points)
            acts.points_num.extend(block.points_num)
            acts.points_den.extend(block.points_den)
        order = sorted(range(len(acts.places)), key=acts.places.__getitem__)
        return _Acts._make(picked(column, order) for column in acts)

    def _columns(self, acts: _Acts, roles: RoleColumns) -> ActColumns:
        """Put the columns of records together; below this, nothing sees an account."""
        digests = ["sha256:" + program.digest for program in self.evaluator.scheme.programs]
        days = {day: day_text(day) for day in set(roles.day)} if not roles.refusals else {}
        places = acts.places
        return ActColumns(
            day=[days.get(day) or day_text(day) for day in picked(roles.day, places)],
            behaviour=picked(roles.behaviour, places),
            inputs=acts.inputs,
            evidence=picked(roles.evidence, places),
            ownership=picked(roles.ownership, places),
            mapping=[digests[number] for number in acts.program],
            co2e_mg=acts.co2e_mg,
            points=acts.points,
            claimed_mg=picked(roles.claimed_mg, places),
            claimed_points=picked(roles.claimed_points, places),
            event=event_texts(picked(roles.event, places)),
            person=self._pseudonyms([person or "" for person in picked(roles.person, places)]),
            household=self._households(picked(roles.household, places)),
        )

    def _compared(self, acts: _Acts, roles: RoleColumns, *, columns: ActColumns) -> Compared | None:
        """Collect what is compared of acts beside events and caps, where a mapping says so."""
        scheme = self.evaluator.scheme
        spans = _NO_SPANS
        if any(program.source.overlap is not None for program in scheme.programs):
            spans = spans_to_compare(
                scheme.programs,
                acts.program,
                acts=columns,
                times=(picked(roles.start, acts.places), picked(roles.end, acts.places)),
                name=partial(self._index.own_acts, scheme.id),
            )
        return compared(spans, claims_to_hold(scheme.programs, acts.program, acts=columns))

    def _claims(self, acts: _Acts, roles: RoleColumns, *, columns: ActColumns) -> ClaimsAsked | None:
        if self._kinds is None:
            return None
        times = (picked(roles.start, acts.places), picked(roles.end, acts.places))
        return claims_asked(self._kinds, acts=columns, days=picked(roles.day, acts.places), times=times)

    def _pseudonyms(self, names: list[str]) -> list[bytes]:
        platform = self.evaluator.scheme.platform
        distinct = list(set(names))
        packed = self._index.pseudonyms(platform, distinct)
        pseudonyms = dict(zip(distinct, cut(packed, PSEUDONYM_BYTES), strict=True))
        return list(map(pseudonyms.__getitem__, names))

    def _households(self, names: list[str | None]) -> list[bytes | None]:
        if set(names) == {None}:
            return [None] * len(names)
        pseudonyms = self._pseudonyms([name or "" for name in names])
        return [None if name is None else made for name, made in zip(names, pseudonyms, strict=True)]


def _sorted_out(outcomes: Sequence[Outcomes]) -> _SortedOut:
    """Tell rows from what is none; a block has rows only."""
    found = _SortedOut([], [], [], 0)
    for some in outcomes:
        if isinstance(some, SourceBlock):
            found.pieces.append(some)
            continue
        found.pieces.append([one for one in some if isinstance(one, SourceRow)])
        found.refused.extend(one for one in some if isinstance(one, RefusedRow))
        found.repeated.extend(one for one in some if isinstance(one, RepeatedRow))
        found = found._replace(merged=found.merged + sum(len(one.also) for one in some))
    return found


def _findings(converted: SchemeColumns, places: list[int]) -> dict[int, tuple[ActFinding, ...]]:
    """Give the findings of limits by the act's place."""
    by_row = {
        block.rows[place]: found for _, block in converted.blocks for place, found in block.findings.items()
    }
    return {place: by_row[row] for place, row in enumerate(places) if row in by_row} if by_row else {}
