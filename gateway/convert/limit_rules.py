"""Which sides of each plausibility rule some row can lie on: nobody is asked for an impossible test."""

from collections.abc import Iterator
from fractions import Fraction
from math import gcd

from gateway.convert.plausible import OVERLAP
from gateway.convert.program import Field, Limit, Program
from gateway.convert.units import CO2E_MG

__all__ = ["claim_grid", "limit_sides_of", "rejecting"]

Side = tuple[str, str, str]
"""A rule, ``min`` or ``max``, and under, at or over."""


def limit_sides_of(program: Program) -> Iterator[Side]:
    """Yield every side of every plausibility rule that some row can lie on."""
    for limit in program.source.limits:
        bounds = [("max", limit.high)] if limit.low is None else [("max", limit.high), ("min", limit.low)]
        for name, bound in bounds:
            yield from ((limit.name, name, side) for side in _sides(limit, bound, program=program))
    if program.source.overlap is not None:
        yield from ((OVERLAP, "max", side) for side in ("under", "at", "over"))
    roles = {field.role for field in program.source.fields}
    if "claimed_points" in roles:
        yield from (("claimed_points", "max", side) for side in ("at", "over"))
    if "claimed_reduction" in roles:
        tolerance = program.source.claim_tolerance_mg
        yield "claimed_reduction", "max", "over"
        if tolerance:
            yield "claimed_reduction", "max", "under"
        if tolerance % claim_grid(program) == 0:
            yield "claimed_reduction", "max", "at"


def _sides(limit: Limit, bound: Fraction, *, program: Program) -> Iterator[str]:
    if limit.of is None:
        yield from ("under", "over")
        if (bound * limit.unit_seconds).denominator == 1:
            yield "at"
        return
    declared = program.formula.inputs[limit.of]
    yield "under"
    if declared.high > 0:
        yield "over"
    # the quantities that some whole second meets exactly are the multiples of the numerator
    ulps: Fraction = bound * 10**declared.scale / limit.unit_seconds
    if max(declared.low, 1) <= declared.high // ulps.numerator * ulps.numerator:
        yield "at"


def claim_grid(program: Program) -> int:
    """Return the mg of which every difference between a claim and a reduction is a multiple."""
    claimed: Field | None = next((f for f in program.source.fields if f.role == "claimed_reduction"), None)
    if claimed is None:
        return 1
    ulp = CO2E_MG[claimed.unit] // 10**claimed.scale
    return gcd(ulp, program.formula.mg_per_reduction_ulp)


def rejecting(program: Program) -> bool:
    """Tell whether some plausibility rule sets acts aside."""
    source = program.source
    claims = {field.role for field in source.fields} & {"claimed_reduction", "claimed_points"}
    return (
        any(limit.then == "reject" for limit in source.limits)
        or (source.overlap is not None and source.overlap.then == "reject")
        or (bool(claims) and source.claim_then == "reject")
    )
