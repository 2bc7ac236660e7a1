"""From a checked formula to the intermediate form of one behaviour and one stretch of days."""

import re
from datetime import date
from fractions import Fraction
from itertools import chain
from math import ceil, floor, lcm
from typing import TypeVar

from gateway.convert.build import Builder, Value, constant
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
from gateway.convert.program import Call, Dated, Expr, Factor, Program, Step
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
    factors = (factor.values for factor in formula.factors.values() if factor.name in names)
    tables = (table.values for table in formula.tables.values() if table.name in names)
    changes = {value.since.toordinal() for values in chain(factors, tables) for value in values}
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
        outcome = self.figures() or self.steps_and_outcome()
        steps, result = ((), outcome) if isinstance(outcome, Refusal) else outcome
        return Block(
            behaviour=self.behaviour,
            first=self.day.toordinal(),
            until=until,
            inputs=self.inputs,
            statements=tuple(self.build.statements),
            steps=steps,
            outcome=result,
        )

    def take_input(self, name: str, number: int) -> None:
        declared = self.formula.inputs[name]
        scale = declared.scale
        low, high = declared.low, declared.high
        if declared.classes is not None:
            scale, low, high = 0, 0, len(declared.classes) - 1
        var = Var(f"in_{name}" if _PLAIN.fullmatch(name) else f"in_{number}", low, high)
        self.inputs[name] = var
        unit: int = 10**scale
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
        index = self.inputs[by]
        self.build.refuse_rows(
            index, tuple(_no_figure(factor.name) if figure is None else None for figure in figures)
        )
        common = lcm(*(figure.denominator for figure in stated))
        picked = self.build.pick(index, [int((stated[0] if f is None else f) * common) for f in figures])
        self.build.known[factor.name] = Value(picked, Const(common), min(stated), max(stated))
        return None

    def steps_and_outcome(self) -> tuple[tuple[StepForm, ...], Outcome]:
        forms = {step.name: self.step(step) for step in self.formula.steps}
        reduction: IntExpr = Const(0)
        if self.program.kind != "engagement":
            reduction = multiply(forms["reduction"].value.numerator, Const(self.formula.mg_per_reduction_ulp))
            self.refuse_below(reduction, 1, "reduction")
        points = forms["points"]
        self.refuse_below(points.exact.numerator, 0, "points")
        return tuple(forms.values()), Outcome(reduction, points.value.numerator, points.exact)

    def refuse_below(self, value: IntExpr, threshold: int, step: str) -> None:
        refusal = Refusal(Rejection.NO_REDUCTION, step, f"expected {step} above the lowest allowed value")
        if value.low < threshold:
            self.build.statements.append(RefuseBelow(value, threshold, refusal))

    def step(self, step: Step) -> StepForm:
        expr = step.expr[self.behaviour]
        value = self.build.value(expr)
        if step.name == "points":
            value = self.build.named(value)
        exact = Quotient(value.numerator, value.denominator)
        if step.rounding is None:
            value = self.build.named(value)
        else:
            scale, unit = step.rounding.scale, 10**step.rounding.scale
            rounded = self.build.atom(
                round_to(exact, scale, mode=step.rounding.mode),
                f"step_{step.name}" if _PLAIN.fullmatch(step.name) else "",
            )
            value = Value(
                rounded,
                Const(unit),
                Fraction(floor(value.low * unit), unit),
                Fraction(ceil(value.high * unit), unit),
            )
        self.build.known[step.name] = value
        return StepForm(step.name, exact, Quotient(value.numerator, value.denominator), self.labels(expr))

    def labels(self, expr: Expr) -> tuple[str | None, ...] | None:
        if not isinstance(expr, Call) or self.formula.tables[expr.table].kind != "label":
            return None
        return tuple(row.label for row in self.build.editions[expr.table][1])


def _no_figure(name: str) -> Refusal:
    return Refusal(Rejection.NO_FIGURE, name, "expected a figure for this act and day, there is none")
