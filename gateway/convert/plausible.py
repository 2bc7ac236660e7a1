"""What is held to be plausible of an act once it is converted: its claims, and that it is the only one."""

from collections.abc import Iterator
from typing import Final

from gateway.convert.limit_text import finding_texts
from gateway.convert.outcome import ActFinding, Converted, Refusal
from gateway.convert.own_acts import OwnActs
from gateway.convert.program import Program, Source, Then
from gateway.convert.roles import Roles
from gateway.model.codes import Rejection

__all__ = [
    "OVERLAP",
    "Claim",
    "claim_findings",
    "claimed_outcome",
    "overlap_finding",
    "refusal_of",
    "then_of",
    "with_finding",
]

OVERLAP: Final = "overlap"
Claim = tuple[int | None, int | None]
"""What a platform has computed itself: mg and points."""


def claim_findings(
    source: Source, claimed: Claim, *, co2e_mg: int, points: tuple[int, int]
) -> Iterator[ActFinding]:
    """Yield the claims that differ: of a reduction by more than is tolerated, of points by any.

    ``points`` are those before and after the caps; a claim may be either.
    """
    claimed_mg, claimed_points = claimed
    if claimed_mg is not None and abs(claimed_mg - co2e_mg) > source.claim_tolerance_mg:
        yield ActFinding("claimed_reduction", (claimed_mg, co2e_mg))
    if claimed_points is not None and claimed_points not in points:
        yield ActFinding("claimed_points", (claimed_points, points[1]))


def overlap_finding(program: Program, roles: Roles, *, acts: OwnActs) -> ActFinding | None:
    """Return the finding of an act that overlaps another one of its person by more than is tolerated."""
    rule = program.source.overlap
    if rule is None or not rule.concerns(roles.behaviour) or roles.start is None or roles.end is None:
        return None
    seconds = acts.overlap(roles.start, roles.end, enough=rule.tolerance_s)
    return ActFinding(OVERLAP, (seconds,)) if seconds is not None and seconds > rule.tolerance_s else None


def then_of(source: Source, rule: str) -> Then:
    """Return what becomes of an act that a rule finds implausible."""
    if rule == OVERLAP and source.overlap is not None:
        return source.overlap.then
    return next((limit.then for limit in source.limits if limit.name == rule), source.claim_then)


def refusal_of(program: Program, finding: ActFinding) -> Refusal:
    """Return the refusal of an act that a rule rejects for what it found."""
    found, expected = finding_texts(program, finding)
    return Refusal(Rejection.IMPLAUSIBLE, finding.rule, f"expected {expected}, not {found}")


def with_finding(program: Program, converted: Converted, *, finding: ActFinding) -> Converted | Refusal:
    """Note a finding beside a result, or refuse the act where the mapping says so."""
    if then_of(program.source, finding.rule) == "finding":
        return converted._replace(findings=(*converted.findings, finding))
    return refusal_of(program, finding)


def claimed_outcome(
    program: Program, converted: Converted, *, roles: Roles, points: int
) -> Converted | Refusal:
    """Hold what the platform claims against the result; ``points`` are those after the caps."""
    claimed = (roles.claimed_mg, roles.claimed_points)
    outcome: Converted | Refusal = converted
    for finding in claim_findings(
        program.source, claimed, co2e_mg=converted.co2e_mg, points=(converted.points, points)
    ):
        if isinstance(outcome, Converted):
            outcome = with_finding(program, outcome, finding=finding)
    return outcome
