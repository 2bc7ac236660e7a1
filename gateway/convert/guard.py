"""The limits of a mapping on the time that acts take, as checks of integers before the formula.

A speed is never computed: ``distance / time <= limit`` is a comparison of two products. Nothing of the
time enters a record, so a record is recomputed without these checks.
"""

from math import gcd
from typing import Final, NamedTuple

from gateway.convert.generate import GuardFunction, guard_source
from gateway.convert.ir import Check, Const, Guard, IntExpr, Var, multiply, subtract
from gateway.convert.limit_text import limit_text
from gateway.convert.outcome import ActFinding, Refusal
from gateway.convert.program import Limit, Program
from gateway.model.codes import Rejection

__all__ = ["CompiledGuard", "TimeReader", "compiled_guard"]

SECONDS_MAX: Final = 2**33  # more than the 230 years that instants can span


class TimeReader:
    """Reads the seconds from start to end of acts whose mapping limits them."""

    def __init__(self, program: Program) -> None:
        fields = {field.role: field for field in program.source.fields}
        self._absent = {
            role: Refusal(fields[role].missing, fields[role].name, "expected a value, there is none")
            for role in ("start", "end")
            if role in fields
        }

    def read(self, start: int | None, end: int | None) -> int | Refusal:
        """Give the seconds, or the refusal of an act that lacks its start or its end."""
        if start is None:
            return self._absent["start"]
        return self._absent["end"] if end is None else end - start


class CompiledGuard(NamedTuple):
    """The checks of one behaviour: as integer forms, as source, and as a function."""

    guard: Guard
    source: str
    run: GuardFunction


def compiled_guard(program: Program, behaviour: str) -> CompiledGuard | None:
    """Compile what acts of a behaviour are held to; None where that is nothing."""
    guard = _guard(program, behaviour)
    if guard is None:
        return None
    source = guard_source(guard, "guard")
    namespace: dict[str, object] = {"ActFinding": ActFinding, "checks": guard.checks}
    # The source is made of integers and checked identifiers only: see gateway.convert.generate.
    exec(compile(source, "<mapping>", "exec"), namespace)  # noqa: S102
    return CompiledGuard(guard, source, namespace["guard"])  # type: ignore[arg-type]  # made above


def _guard(program: Program, behaviour: str) -> Guard | None:
    source = program.source
    limits = [limit for limit in source.limits if limit.concerns(behaviour)]
    if not limits and (source.overlap is None or not source.overlap.concerns(behaviour)):
        return None
    time = Var("seconds", 0, SECONDS_MAX)
    inputs: dict[str, Var] = {}
    for limit in limits:
        if limit.of is not None and limit.of not in inputs:
            declared = program.formula.inputs[limit.of]
            inputs[limit.of] = Var(f"in_{len(inputs)}", declared.low, declared.high)
    checks = [
        check
        for limit in limits
        for check in _checks(limit, _sides(limit, program, inputs=inputs, time=time))
    ]
    values = {limit.name: (*([inputs[limit.of]] if limit.of else []), time) for limit in limits}
    return Guard(inputs, time, tuple(checks), values)


class _Sides(NamedTuple):
    """What is limited as ``over / under``, times a constant of the unit."""

    over: IntExpr
    under: IntExpr


def _sides(limit: Limit, program: Program, *, inputs: dict[str, Var], time: Var) -> _Sides:
    """Write the speed or duration as a quotient in the limit's unit."""
    if limit.of is None:
        return _Sides(time, Const(limit.unit_seconds))
    ulps: int = 10 ** program.formula.inputs[limit.of].scale
    common = gcd(ulps, limit.unit_seconds)
    quantity = multiply(inputs[limit.of], Const(limit.unit_seconds // common))
    return _Sides(quantity, multiply(time, Const(ulps // common)))


def _checks(limit: Limit, sides: _Sides) -> list[Check]:
    refusal = None
    if limit.then == "reject":
        refusal = Refusal(Rejection.IMPLAUSIBLE, limit.name, f"expected {limit_text(limit)}")
    high = subtract(
        multiply(sides.under, Const(limit.high.numerator)),
        multiply(sides.over, Const(limit.high.denominator)),
    )
    checks = [Check(limit.name, high, refusal)]
    if limit.low is not None:
        low = subtract(
            multiply(sides.over, Const(limit.low.denominator)),
            multiply(sides.under, Const(limit.low.numerator)),
        )
        checks.append(Check(limit.name, low, refusal))
    return checks
