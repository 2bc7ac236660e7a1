"""Bound every value of a formula, so that no number can overflow and no divisor can be zero."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce

from gateway.convert.bounds import MAGNITUDE_MAX, Interval, combined, floored, hull, rounded, table_range
from gateway.convert.checking.fineness import FINENESS_MAX, figures_of, fineness
from gateway.convert.program import Binary, Call, Expr, Floor, Formula, MinMax, Name, Number, Step
from gateway.convert.reading import Node, written
from gateway.model.record import RECORDED_MAX

__all__ = ["Bound", "UnboundedError", "bound_of", "check_bounds"]

Bound = Interval | None
"""The values an expression can have; None where every act is refused before it has one."""


class UnboundedError(ValueError):
    """A divisor can be zero, or a value can be too large."""


def check_bounds(root: Node, formula: Formula) -> None:
    """Report divisors that can be zero, values that can be too large, and points that can be negative."""
    places = {
        (step.name, behaviour): place
        for node, step in zip(root.elements("formula"), formula.steps, strict=True)
        for place, behaviour, _ in written(node, step)
    }
    for behaviour in formula.needs:
        bounds: dict[str, Bound] = {}
        bits: dict[str, int] = {}
        for step in formula.steps:
            try:
                bits[step.name] = _step_bits(step, formula, behaviour=behaviour, earlier=bits)
                bounds[step.name] = _step_bound(step, formula, behaviour=behaviour, earlier=bounds)
            except UnboundedError as unbounded:
                bounds[step.name] = None
                places.get((step.name, behaviour), root["formula"]).report("bounds", str(unbounded))
        reduction, points = bounds.get("reduction"), bounds.get("points")
        if reduction is not None:
            place = places.get(("reduction", behaviour), root["formula"])
            _check_reduction(place, formula, behaviour=behaviour, reduction=reduction)
        if points is not None:
            place = places.get(("points", behaviour), root["formula"])
            _check_points(place, behaviour, reduction=reduction, points=points)


def _step_bits(step: Step, formula: Formula, *, behaviour: str, earlier: Mapping[str, int]) -> int:
    bits = fineness(step.expr[behaviour], formula, behaviour=behaviour, earlier=earlier)
    if bits > FINENESS_MAX:
        message = f"expected values whose exact denominators stay below 2^{FINENESS_MAX}, got up to 2^{bits}"
        raise UnboundedError(f"{message}: round an earlier step")
    return bits if step.rounding is None else (10**step.rounding.scale).bit_length()


def _step_bound(step: Step, formula: Formula, *, behaviour: str, earlier: Mapping[str, Bound]) -> Bound:
    bound = bound_of(step.expr[behaviour], formula, behaviour=behaviour, earlier=earlier)
    return rounded(bound, step.rounding) if bound is not None and step.rounding is not None else bound


def _check_reduction(place: Node, formula: Formula, *, behaviour: str, reduction: Interval) -> None:
    step = next(step for step in formula.steps if step.name == "reduction")
    scale = 0 if step.rounding is None else step.rounding.scale
    largest = max(map(abs, reduction)) * formula.mg_per_reduction_ulp * 10**scale
    if largest > RECORDED_MAX:
        message = f"expected a reduction below 2^63 mg, got up to {int(largest)} mg for {behaviour}"
        place.report("bounds", message)


def _check_points(place: Node, behaviour: str, *, reduction: Bound, points: Interval) -> None:
    if points.high > RECORDED_MAX:
        place.report("bounds", f"expected points below 2^63, got up to {int(points.high)} for {behaviour}")
    if points.low < 0 and (reduction is None or reduction.low >= 0):
        message = f"expected points of at least 0, got down to {int(points.low)} for {behaviour}"
        place.report("bounds", message)


def bound_of(expr: Expr, formula: Formula, *, behaviour: str, earlier: Mapping[str, Bound]) -> Bound:
    """Return what an expression can be, given the bounds of the earlier steps after their rounding.

    Raises:
        UnboundedError: a divisor can be zero, or a value can be too large.
    """

    def inner(part: Expr) -> Bound:
        return bound_of(part, formula, behaviour=behaviour, earlier=earlier)

    match expr:
        case Number():
            found: Bound = Interval(expr.value, expr.value)
        case Name():
            found = _named(expr.name, formula, behaviour=behaviour, earlier=earlier)
        case Floor():
            argument = inner(expr.arg)
            found = None if argument is None else floored(argument)
        case Call():
            argument = inner(expr.arg)
            table = formula.tables.get(expr.table)
            found = None if argument is None or table is None else table_range(table, argument)
        case MinMax():
            found = _folded(expr.op, map(inner, expr.args))
        case Binary():
            found = _folded(expr.op, (inner(expr.left), inner(expr.right)))
    if found is not None and max(map(abs, found)) > MAGNITUDE_MAX:
        raise UnboundedError("expected values within 2^200, got larger ones: narrow the bounds of the inputs")
    return found


def _folded(op: str, bounds: Iterable[Bound]) -> Bound:
    known: list[Interval] = []
    for bound in bounds:
        if bound is None:
            return None
        known.append(bound)
    if op == "/" and known[1].has(0):
        low, high = known[1]
        raise UnboundedError(f"expected a divisor that is never zero, got {low} to {high}")
    return reduce(lambda left, right: combined(op, left, right=right), known)


def _named(name: str, formula: Formula, *, behaviour: str, earlier: Mapping[str, Bound]) -> Bound:
    if name in formula.factors:
        figures = list(figures_of(formula.factors[name], behaviour))
        return hull(Interval(figure, figure) for figure in figures) if figures else None
    if name in formula.inputs:
        found = formula.inputs[name]
        return Interval(Fraction(found.low, 10**found.scale), Fraction(found.high, 10**found.scale))
    return earlier.get(name)
