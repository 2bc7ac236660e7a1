"""Writing limits, and what was found against them, for quarantines and findings."""

from fractions import Fraction

from gateway.convert.outcome import ActFinding
from gateway.convert.program import Limit, Program
from gateway.convert.scalars import decimal_text

__all__ = ["exact_text", "finding_texts", "limit_text"]


def limit_text(limit: Limit) -> str:
    """Say what a limit allows."""
    unit = "" if limit.unit == "1" else f" {limit.unit}"
    if limit.low is None:
        return f"at most {exact_text(limit.high)}{unit}"
    return f"{exact_text(limit.low)} to {exact_text(limit.high)}{unit}"


def finding_texts(program: Program, finding: ActFinding) -> tuple[str, str]:
    """Return what a rule found, and what it expected, in signs that need no language."""
    values, source = finding.values, program.source
    limit = next((limit for limit in source.limits if limit.name == finding.rule), None)
    if limit is not None:
        found = f"{values[-1]} s"
        if limit.of is not None:
            declared = program.formula.inputs[limit.of]
            unit = "" if declared.unit == "1" else f" {declared.unit}"
            found = f"{decimal_text(values[0], declared.scale)}{unit} / {found}"
        return found, _range(limit)
    if finding.rule == "overlap" and source.overlap is not None:
        return f"{values[0]} s", f"≤ {source.overlap.tolerance_s} s"
    if finding.rule == "claimed_reduction":
        return f"{values[0]} mg", f"{values[1]} ± {source.claim_tolerance_mg} mg"
    return f"{values[0]} points", f"{values[1]} points"


def _range(limit: Limit) -> str:
    unit = "" if limit.unit == "1" else f" {limit.unit}"
    low = "" if limit.low is None else f"≥ {exact_text(limit.low)}, "
    return f"{low}≤ {exact_text(limit.high)}{unit}"


def exact_text(value: Fraction) -> str:
    """Write a fraction exactly: as a decimal where it has an end, otherwise as a quotient."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, scale = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        scale = max(scale, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    return decimal_text(value.numerator * 10**scale // value.denominator, scale)
