"""Judge what is plausible of an act beside others: that its person did nothing else, and what is claimed.

What a mapping does not declare costs nothing here.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Self

from gateway.convert import OVERLAP, ActFinding, CapKey, OwnActs, Program, Refusal, claim_findings, refusal_of
from gateway.ports import Memory, NewSpan, PrivateColumns, PrivateRow
from gateway.service.preparing import Prepared

__all__ = ["PartPlausibility", "claims_of", "claims_of_row"]

Programs = Mapping[str, Program]


@dataclass(slots=True, kw_only=True)
class PartPlausibility:
    """Judges the acts of one part, in their order; ``programs`` are by the digest that records cite.

    ``findings`` are those of overlaps, by the act's place; ``kept`` is what must be remembered.
    """

    prepared: Prepared
    programs: Programs
    own: Mapping[bytes, OwnActs]
    findings: dict[int, ActFinding] = field(default_factory=dict)
    kept: list[NewSpan] = field(default_factory=list)
    _usage: dict[CapKey, int] = field(init=False, default_factory=dict)

    @classmethod
    def of(cls, prepared: Prepared, programs: Programs, *, memory: Memory) -> Self | None:
        """Look up what is known of the persons of a part; None where the mapping asks for nothing of this."""
        spans = list(prepared.spans.values())
        sources = [program.source for program in programs.values()]
        if not spans and all(source.claim_then == "finding" for source in sources):
            return None
        known: dict[bytes, list[tuple[int, int]]] = {}
        keys = sorted({key for key, *_ in spans})
        if spans:
            window = (min(start for _, start, _ in spans), max(end for *_, end in spans))
            known = memory.own_spans(keys, day=prepared.accepted.toordinal(), window=window)
        own = {key: OwnActs(known.get(key, ())) for key in keys}
        return cls(prepared=prepared, programs=programs, own=own)

    def before(self, place: int, usage: Mapping[CapKey, int]) -> Refusal | None:
        """Compare an act with those of its person, before the caps; a refusal where the mapping says so."""
        caps, span = self.prepared.caps[place], self.prepared.spans.get(place)
        if isinstance(caps, Refusal):
            return None
        self._usage = {key: usage[key] for key in map(CapKey._make, caps)}
        program = self._program(place)
        rule = program.source.overlap
        if span is None or rule is None:
            return None
        key, start, end = span
        seconds = self.own[key].overlap(start, end, enough=rule.tolerance_s)
        if seconds is None or seconds <= rule.tolerance_s:
            return None
        finding = ActFinding(OVERLAP, (seconds,))
        if rule.then == "reject":
            return refusal_of(program, finding)
        self.findings[place] = finding
        return None

    def after(
        self, place: int, granted: int | Refusal, *, usage: MutableMapping[CapKey, int]
    ) -> int | Refusal:
        """Hold claims against what the caps have granted, and remember an act that is accepted.

        One that is refused leaves no trace in the use of the caps.
        """
        if isinstance(granted, Refusal):
            self.findings.pop(place, None)
            return granted
        program = self._program(place)
        if program.source.claim_then == "reject":
            refusal = self._claim(place, granted, program=program)
            if refusal is not None:
                usage.update(self._usage)
                self.findings.pop(place, None)
                return refusal
        span, rule = self.prepared.spans.get(place), program.source.overlap
        if span is not None and rule is not None:
            key, start, end = span
            self.own[key].add(start, end)
            last_day = self.prepared.accepted.toordinal() + rule.remember_days
            self.kept.append(NewSpan(key, start, end, last_day))
        return granted

    def _claim(self, place: int, granted: int, *, program: Program) -> Refusal | None:
        rows = self.prepared.records
        found = claim_findings(
            program.source,
            (rows.claimed_mg[place], rows.claimed_points[place]),
            co2e_mg=rows.co2e_mg[place],
            points=(rows.points[place], granted),
        )
        return next((refusal_of(program, finding) for finding in found), None)

    def _program(self, place: int) -> Program:
        return self.programs[self.prepared.records.mapping[place]]


def claims_of(rows: PrivateColumns, programs: Programs) -> dict[int, list[ActFinding]]:
    """Return the claims that differ, by the place of their rows."""
    found: dict[int, list[ActFinding]] = {}
    for place, claimed in enumerate(zip(rows.claimed_mg, rows.claimed_points, strict=True)):
        if claimed == (None, None):
            continue
        findings = claim_findings(
            programs[rows.mapping[place]].source,
            claimed,
            co2e_mg=rows.co2e_mg[place],
            points=(rows.points_uncapped[place], rows.points[place]),
        )
        differing = list(findings)
        if differing:
            found[place] = differing
    return found


def claims_of_row(row: PrivateRow, program: Program) -> list[ActFinding]:
    """Return the claims of one record that differ."""
    claimed, points = (row.claimed_mg, row.claimed_points), (row.points_uncapped, row.points)
    return list(claim_findings(program.source, claimed, co2e_mg=row.co2e_mg, points=points))
