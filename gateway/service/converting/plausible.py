"""Judge what is plausible of an act beside others: that its person did nothing else, and what is claimed.

What a mapping does not declare costs nothing here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from gateway.convert import OVERLAP, ActFinding, OwnActs, Program, Refusal, claim_findings, refusal_of
from gateway.ports import NewSpan, PrivateRow
from gateway.service.acts.comparing import differing_claims
from gateway.service.acts.preparing import Asked
from gateway.service.acts.recording import ActColumns

__all__ = ["NAME_BYTES", "PartPlausibility", "claims_of", "claims_of_row"]

NAME_BYTES = 16


class _Span(NamedTuple):
    program: Program
    name: bytes
    start: int
    end: int


class _Claim(NamedTuple):
    program: Program
    claimed: tuple[int | None, int | None]


@dataclass(slots=True, kw_only=True)
class PartPlausibility:
    """Judges the acts of one part, in their order.

    ``own`` are the accepted acts of persons by name. ``findings`` are those of overlaps, by the act's
    place; ``kept`` is what must be remembered.
    """

    asked: Asked
    own: Mapping[bytes, OwnActs]
    spans: Mapping[int, _Span]
    claims: Mapping[int, _Claim]
    findings: dict[int, ActFinding] = field(default_factory=dict)
    kept: list[NewSpan] = field(default_factory=list)

    @classmethod
    def of(
        cls, asked: Asked, programs: Sequence[Program], *, known: Mapping[bytes, list[tuple[int, int]]]
    ) -> Self | None:
        """Take up what is compared in a part, after what is known of persons; None where that is nothing."""
        if asked.compared is None:
            return None
        times, claims = asked.compared
        names = [times.names[at : at + NAME_BYTES] for at in range(0, len(times.names), NAME_BYTES)]
        spans = zip(map(programs.__getitem__, times.programs), names, times.starts, times.ends, strict=True)
        return cls(
            asked=asked,
            own={name: OwnActs(known.get(name, ())) for name in set(names)},
            spans=dict(zip(times.places, map(_Span._make, spans), strict=True)),
            claims={
                place: _Claim(programs[number], claimed)
                for place, number, claimed in zip(*claims, strict=True)
            },
        )

    def before(self, place: int) -> Refusal | None:
        """Compare an act with those of its person, before the caps; a refusal where the mapping says so."""
        span = self.spans.get(place)
        rule = None if span is None else span.program.source.overlap
        if span is None or rule is None:
            return None
        seconds = self.own[span.name].overlap(span.start, span.end, enough=rule.tolerance_s)
        if seconds is None or seconds <= rule.tolerance_s:
            return None
        finding = ActFinding(OVERLAP, (seconds,))
        if rule.then == "reject":
            return refusal_of(span.program, finding)
        self.findings[place] = finding
        return None

    def after(self, place: int, granted: int | Refusal) -> int | Refusal:
        """Hold claims against what the caps have granted, and remember an act that is accepted."""
        outcome = granted if isinstance(granted, Refusal) else self._claimed(place, granted)
        if isinstance(outcome, Refusal):
            self.findings.pop(place, None)
            return outcome
        span = self.spans.get(place)
        rule = None if span is None else span.program.source.overlap
        if span is not None and rule is not None:
            self.own[span.name].add(span.start, span.end)
            last_day = self.asked.accepted.toordinal() + rule.remember_days
            self.kept.append(NewSpan(span.name, span.start, span.end, last_day))
        return outcome

    def _claimed(self, place: int, granted: int) -> int | Refusal:
        claim = self.claims.get(place)
        if claim is None:
            return granted
        found = claim_findings(
            claim.program.source,
            claim.claimed,
            co2e_mg=self.asked.amounts.co2e_mg[place],
            points=(self.asked.amounts.points[place], granted),
        )
        return next((refusal_of(claim.program, finding) for finding in found), granted)


def claims_of(
    acts: ActColumns, granted: Sequence[int], *, programs: Mapping[str, Program]
) -> dict[int, list[ActFinding]]:
    """Return the claims that differ, by the act's place; programs are by the digest that records cite."""
    tolerances = {digest: program.source.claim_tolerance_mg for digest, program in programs.items()}
    return {
        place: list(
            claim_findings(
                programs[acts.mapping[place]].source,
                (acts.claimed_mg[place], acts.claimed_points[place]),
                co2e_mg=acts.co2e_mg[place],
                points=(acts.points[place], granted[place]),
            )
        )
        for place in differing_claims(acts, granted, tolerances=tolerances)
    }


def claims_of_row(row: PrivateRow, program: Program) -> list[ActFinding]:
    """Return the claims of one record that differ."""
    claimed, points = (row.claimed_mg, row.claimed_points), (row.points_uncapped, row.points)
    return list(claim_findings(program.source, claimed, co2e_mg=row.co2e_mg, points=points))
