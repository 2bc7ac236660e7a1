"""From a checked formula to the intermediate form of one behaviour and one stretch of days."""

import re
from datetime import date
from fractions import Fraction
from math import lcm
from typing import TypeVar

from gateway.convert.build import AlwaysRefused, Builder, Value, constant
from gateway.convert.exact import names_used
from gateway.convert.ir import (
    Block,
    Const,
    IntExpr,
    Outcome,
    Quotient,
    RefuseBelow,
    StepForm,
    Var,
    multiply,
    round_to,
)
from gateway.convert.outcome import Refusal
from gateway.convert.program import Call, Dated, Expr, Factor, Program, Rounding, Step, Table
from gateway.convert.rational import round_quotient
from gateway.model.codes import Rejection

__all__ = ["lower"]

T = TypeVar("T")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def lower(program: Program, behaviour: str) -> tuple[Block, ...]:
    """Make the blocks of one behaviour: one for each stretch of days over which its figures stay."""
    formula, until = program.formula, program.effective_until
    first = program.effective_from.toordinal()
    end = date.max.toordinal() + 1 if until is None else until.toordinal()
    names = names_used(formula.steps, behaviour)
    figures: list[Factor | Table] = [*formula.factors.values(), *formula.tables.values()]
    changes = {
        value.since.toordinal() for figure in figures if figure.name in names for value in figure.values
    }
    starts = [first, *sorted(day for day in changes if first < day < end)]
    return tuple(
        _Lowering(program, behaviour, day=day).block(until=after)
        for day, after in zip(starts, [*starts[1:], end], strict=True)
    )


class _Lowering:
    """Makes one block: inputs, figures, steps, outcome."""

    def __init__(self, program: Program, behaviour: str, *, day: int) -> None:
        self.program = program
        self.formula = program.formula
        self.behaviour = behaviour
        self.day = date.fromordinal(day)
        self.build = Builder()
        self.inputs: dict[str, Var] = {}

    def block(self, *, until: int) -> Block:
        for number, name in enumerate(self.formula.needs[self.behaviour]):
            self.take_input(name, number)
        steps, outcome = self.steps_and_outcome()
        return Block(
            behaviour=self.behaviour,
            first=self.day.toordinal(),
            until=until,
            inputs=self.inputs,
            statements=tuple(self.build.statements),
            steps=steps,
            outcome=outcome,
        )

    def take_input(self, name: str, number: int) -> None:
        declared = self.formula.inputs[name]
        written = f"in_{name}" if _PLAIN.fullmatch(name) else f"in_{number}"
        if declared.classes is not None:
            self.inputs[name] = Var(written, 0, len(declared.classes) - 1)
            return
        low, high = declared.low, declared.high
        var = self.inputs[name] = Var(written, low, high)
        unit: int = 10**declared.scale
        self.build.known[name] = Value(var, Const(unit), Fraction(low, unit), Fraction(high, unit))

    def figures(self) -> Refusal | None:
        """Fold the figures in force on the block's days in; the first one that lacks is the refusal."""
        names = names_used(self.formula.steps, self.behaviour)
        for factor in self.formula.factors.values():
            refusal = self.figure(factor) if factor.name in names else None
            if refusal is not None:
                return refusal
        for table in self.formula.tables.values():
            rows = self.edition(table.values) if table.name in names else ()
            if rows is None:
                return _no_figure(table.name)
            self.build.editions[table.name] = (table, rows)
        return None

    def edition(self, values: tuple[Dated[T], ...]) -> T | None:
        held = [dated.value for dated in values if dated.since <= self.day]
        return held[-1] if held else None

    def figure(self, factor: Factor) -> Refusal | None:
        value = self.edition(factor.values)
        if isinstance(value, dict) and factor.by is not None and factor.by != "behaviour":
            return self.figure_by_class(factor, factor.by, values=value)
        figure = value.get(self.behaviour) if isinstance(value, dict) else value
        if figure is None:
            return _no_figure(factor.name)
        self.build.known[factor.name] = constant(figure)
        return None

    def figure_by_class(self, factor: Factor, by: str, *, values: dict[str, Fraction]) -> Refusal | None:
        figures = [values.get(name) for name in self.formula.inputs[by].classes or ()]
        stated = [figure for figure in figures if figure is not None]
        if not stated:
            return _no_figure(factor.name)
        index = self.inputs[by].name
        self.build.refuse_rows(
            index, tuple(_no_figure(factor.name) if figure is None else None for figure in figures)
        )
        common = lcm(*(figure.denominator for figure in stated))
        picked = self.build.pick(index, [int((stated[0] if f is None else f) * common) for f in figures])
        self.build.known[factor.name] = Value(picked, Const(common), min(stated), max(stated))
        return None

    def steps_and_outcome(self) -> tuple[tuple[StepForm, ...], Outcome | Refusal]:
        refusal = self.figures()
        if refusal is not None:
            return (), refusal
        try:
            forms = {step.name: self.step(step) for step in self.formula.steps}
        except AlwaysRefused as always:
            return (), always.refusal
        return tuple(forms.values()), self.outcome(forms)

    def outcome(self, forms: dict[str, StepForm]) -> Outcome:
        reduction: IntExpr = Const(0)
        if "reduction" in forms:
            reduction = multiply(forms["reduction"].value.numerator, Const(self.formula.mg_per_reduction_ulp))
            self.refuse_below(reduction, 1, step="reduction")
        if "points" not in forms:
            return Outcome(reduction, Const(0), Quotient(Const(0), Const(1)))
        points = forms["points"]
        self.refuse_below(points.exact.numerator, 0, step="points")
        return Outcome(reduction, points.value.numerator, points.exact)

    def refuse_below(self, value: IntExpr, threshold: int, *, step: str) -> None:
        refusal = Refusal(Rejection.NO_REDUCTION, step, f"expected {step} of at least {threshold}")
        if value.low < threshold:
            self.build.statements.append(RefuseBelow(value, threshold, refusal))

    def step(self, step: Step) -> StepForm:
        expr = step.expr[self.behaviour]
        value = self.build.value(expr)
        if step.name == "points" or step.rounding is None:
            value = self.build.named(value)
        exact = Quotient(value.numerator, value.denominator)
        if step.rounding is not None:
            value = self.rounded(value, step.name, rounding=step.rounding)
        self.build.known[step.name] = value
        return StepForm(step.name, exact, Quotient(value.numerator, value.denominator), self.labels(expr))

    def rounded(self, value: Value, name: str, *, rounding: Rounding) -> Value:
        exact = Quotient(value.numerator, value.denominator)
        ulps = round_to(exact, rounding.scale, mode=rounding.mode)
        unit: int = 10**rounding.scale
        low, high = (
            Fraction(round_quotient(bound.numerator * unit, bound.denominator, mode=rounding.mode), unit)
            for bound in (value.low, value.high)
        )
        plain = f"step_{name}" if _PLAIN.fullmatch(name) else ""
        return Value(self.build.atom(ulps, plain), Const(unit), low, high)

    def labels(self, expr: Expr) -> tuple[str | None, ...] | None:
        if not isinstance(expr, Call) or self.formula.tables[expr.table].kind != "label":
            return None
        return tuple(row.label for row in self.build.editions[expr.table][1])


def _no_figure(name: str) -> Refusal:
    return Refusal(Rejection.NO_FIGURE, name, "expected a figure for this act and day, there is none")
