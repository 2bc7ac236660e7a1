"""The exact interpreter: fractions straight over the document's meaning, slow and plain.

It is the referee for the generated evaluators and the source of every explanation. So it shares
nothing with them but the reading of roles: it parses, rounds and looks up in its own, simplest way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple, TypeVar, assert_never

from gateway.convert.exact import combine, direction, limit_sides, names_used, round_exact, row_value
from gateway.convert.limit_text import limit_text
from gateway.convert.outcome import ActFinding, Converted, Refusal, StepTrace, quoted
from gateway.convert.program import (
    Binary,
    Call,
    Cite,
    CodeRow,
    Dated,
    Expr,
    Factor,
    Field,
    Floor,
    MinMax,
    Name,
    Number,
    Program,
    Rounding,
    Step,
    Table,
)
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection

__all__ = ["Evaluation", "FactorUse", "InputUse", "Interpreter", "LimitUse", "TableUse"]

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_CHARACTERS_MAX = 40

T = TypeVar("T")


class InputUse(NamedTuple):
    """An input as it was written and as it was understood: a number, or a class with its code row."""

    name: str
    text: str
    value: Fraction
    row: CodeRow | None


class FactorUse(NamedTuple):
    """A figure that was used: of which class, since when, and where it comes from."""

    name: str
    of: str | None
    value: Fraction
    since: date
    cite: Cite


class TableUse(NamedTuple):
    """A table row that was used, and for which argument."""

    name: str
    argument: Fraction
    row: int
    since: date
    cite: Cite


class LimitUse(NamedTuple):
    """A limit that an act was held to: its quantity, if it has one, its seconds, and whether it is within."""

    name: str
    quantity: Fraction | None
    seconds: int
    within: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that was seen on the way to an outcome, also where the outcome is a refusal."""

    outcome: Converted | Refusal
    roles: Roles | None = None
    inputs: tuple[InputUse, ...] = ()
    limits: tuple[LimitUse, ...] = ()
    factors: tuple[FactorUse, ...] = ()
    tables: tuple[TableUse, ...] = ()
    steps: tuple[StepTrace, ...] = ()
    touched: frozenset[tuple[str, ...]] = frozenset()


class _Stop(Exception):
    def __init__(self, code: Rejection, field: str, *, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(code, field, detail)


class Interpreter:
    """Evaluates one program, act by act, with exact fractions."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reader = SourceReader(program)

    def convert(self, fields: Mapping[str, str], roles: Roles | None = None) -> Converted | Refusal:
        """Convert one act; the roles are read from the fields unless they are given."""
        return self.run(fields, roles).outcome

    def run(self, fields: Mapping[str, str], roles: Roles | None = None) -> Evaluation:
        """Convert one act and keep all that was used.

        ``touched`` has ``("code", table, code)``, ``("factor", name, since, class or "")``,
        ``("table", name, since, row number)``, ``("limit", name, min | max, under | at | over)`` and
        ``("rounding", step, up | down | tie | exact)``.
        """
        read = self._reader.read(fields) if roles is None else roles
        if isinstance(read, Refusal):
            return Evaluation(outcome=read)
        run = _Run(self._program, fields, roles=read)
        try:
            return run.evaluation(run.convert())
        except _Stop as stop:
            return run.evaluation(stop.refusal)


class _Run:
    def __init__(self, program: Program, fields: Mapping[str, str], *, roles: Roles) -> None:
        self.program = program
        self.formula = program.formula
        self.source = {f.name: f for f in program.source.fields}
        self.fields = fields
        self.roles = roles
        self.day = date.fromordinal(roles.day)
        self.classes: dict[str, str] = {}
        self.known: dict[str, Fraction] = {}
        self.inputs: list[InputUse] = []
        self.limits: list[LimitUse] = []
        self.findings: list[ActFinding] = []
        self.factors: list[FactorUse] = []
        self.tables: list[TableUse] = []
        self.steps: list[StepTrace] = []
        self.touched: set[tuple[str, ...]] = set()

    def evaluation(self, outcome: Converted | Refusal) -> Evaluation:
        return Evaluation(
            outcome=outcome,
            roles=self.roles,
            inputs=tuple(self.inputs),
            limits=tuple(self.limits),
            factors=tuple(self.factors),
            tables=tuple(self.tables),
            steps=tuple(self.steps),
            touched=frozenset(self.touched),
        )

    def convert(self) -> Converted:
        """Evaluate: behaviour, in force, code rows, mapped, inputs, limits, figures, steps, result."""
        self.check_behaviour()
        self.check_in_force()
        self.touch_role_codes()
        self.check_mapped()
        inputs = {name: self.read_input(name) for name in self.formula.needs[self.roles.behaviour]}
        self.hold_to_limits(inputs)
        names = names_used(self.formula.steps, self.roles.behaviour)
        for factor in self.formula.factors.values():
            if factor.name in names:
                self.resolve(factor)
        for table in self.formula.tables.values():
            if table.name in names:
                self.edition(table.name, table.values)
        for step in self.formula.steps:
            self.run_step(step)
        return self.result(inputs)

    def check_behaviour(self) -> None:
        if self.roles.behaviour not in (*self.program.behaviours, *self.program.unmapped):
            detail = "expected a behaviour that this version of the mapping has"
            raise _Stop(Rejection.UNKNOWN_CODE, "behaviour", detail=detail)

    def check_mapped(self) -> None:
        reason = self.program.unmapped.get(self.roles.behaviour)
        if reason is not None:
            raise _Stop(Rejection.UNMAPPED, "behaviour", detail=reason.en)

    def check_in_force(self) -> None:
        program, until = self.program, self.program.effective_until
        if self.day < program.effective_from or (until is not None and self.day >= until):
            period = f"from {program.effective_from} until {until or 'further notice'}"
            raise _Stop(Rejection.MAPPING_NOT_IN_FORCE, "day", detail=f"expected a day {period}")

    def touch_role_codes(self) -> None:
        for field in self.program.source.fields:
            if field.role is not None and field.code_table is not None:
                text = self.text(field)
                if text is not None:
                    self.touched.add(("code", field.code_table, text))

    def text(self, field: Field) -> str | None:
        if field.behaviours is not None and self.roles.behaviour not in field.behaviours:
            return None
        text = self.fields.get(field.keys[0]) if field.constant is None else field.constant
        return None if text in self.program.source.format.missing and field.constant is None else text

    def read_input(self, name: str) -> int:
        field, declared = self.source[name], self.formula.inputs[name]
        text = self.text(field)
        if text is None:
            raise _Stop(field.missing, name, detail="expected a value, there is none")
        if declared.classes is not None:
            return self.read_class(name, text, table=field.code_table or "")
        value = _decimal(field, text)
        scaled: Fraction = value * 10**declared.scale
        if not declared.low <= scaled <= declared.high:
            raise _Stop(
                Rejection.OUT_OF_BOUNDS,
                name,
                detail=f"expected a value within its bounds, not {quoted(text)}",
            )
        self.known[name] = value
        self.inputs.append(InputUse(name, text, value, None))
        return scaled.numerator

    def read_class(self, name: str, text: str, *, table: str) -> int:
        for row in self.program.source.code_tables[table]:
            if row.code == text:
                index = (self.formula.inputs[name].classes or ()).index(row.value)
                self.classes[name] = row.value
                self.inputs.append(InputUse(name, text, Fraction(index), row))
                self.touched.add(("code", table, text))
                return index
        raise _Stop(Rejection.UNKNOWN_CODE, name, detail=f"expected a code of {table}, not {quoted(text)}")

    def hold_to_limits(self, inputs: dict[str, int]) -> None:
        source, behaviour = self.program.source, self.roles.behaviour
        limits = [limit for limit in source.limits if limit.concerns(behaviour)]
        if not limits and (source.overlap is None or not source.overlap.concerns(behaviour)):
            return
        seconds = self.seconds()
        for limit in limits:
            quantity = None if limit.of is None else self.known[limit.of]
            sides = set(limit_sides(limit, quantity, seconds=seconds))
            self.touched |= {("limit", limit.name, bound, side) for bound, side in sides}
            within = sides.isdisjoint({("max", "over"), ("min", "under")})
            self.limits.append(LimitUse(limit.name, quantity, seconds, within))
            if not within and limit.then == "reject":
                raise _Stop(Rejection.IMPLAUSIBLE, limit.name, detail=f"expected {limit_text(limit)}")
            if not within:
                stated = () if limit.of is None else (inputs[limit.of],)
                self.findings.append(ActFinding(limit.name, (*stated, seconds)))

    def seconds(self) -> int:
        start, end = self.moment("start", self.roles.start), self.moment("end", self.roles.end)
        return end - start

    def moment(self, role: str, instant: int | None) -> int:
        if instant is None:
            field = next(field for field in self.source.values() if field.role == role)
            raise _Stop(field.missing, field.name, detail="expected a value, there is none")
        return instant

    def edition(self, name: str, values: tuple[Dated[T], ...]) -> Dated[T]:
        held = [dated for dated in values if dated.since <= self.day]
        if not held:
            raise _Stop(
                Rejection.NO_FIGURE, name, detail=f"expected a figure in force on {self.day}, there is none"
            )
        return held[-1]

    def resolve(self, factor: Factor) -> None:
        dated = self.edition(factor.name, factor.values)
        of = None
        if factor.by is not None:
            of = self.roles.behaviour if factor.by == "behaviour" else self.classes[factor.by]
        value = dated.value
        if isinstance(value, dict):
            if of not in value:
                raise _Stop(
                    Rejection.NO_FIGURE, factor.name, detail=f"expected a figure for {of}, there is none"
                )
            value = value[of]
        self.known[factor.name] = value
        self.factors.append(FactorUse(factor.name, of, value, dated.since, dated.cite))
        self.touched.add(("factor", factor.name, dated.since.isoformat(), of or ""))

    def run_step(self, step: Step) -> None:
        expr = step.expr[self.roles.behaviour]
        exact = self.value(expr)
        rounded = exact if step.rounding is None else round_exact(exact, step.rounding)
        if step.rounding is not None:
            self.touched.add(("rounding", step.name, direction(exact, rounded, rounding=step.rounding)))
        self.known[step.name] = rounded
        self.steps.append(StepTrace(step.name, exact, rounded, self.label(expr, rounded)))

    def label(self, expr: Expr, value: Fraction) -> str | None:
        """Name the rating where the whole step is one look into a table of labels."""
        if not isinstance(expr, Call) or self.formula.tables[expr.table].kind != "label":
            return None
        table = self.formula.tables[expr.table]
        return self.edition(table.name, table.values).value[int(value)].label

    def value(self, expr: Expr) -> Fraction:
        match expr:
            case Number():
                return expr.value
            case Name():
                return self.known[expr.name]
            case Binary():
                return combine(expr, self.value(expr.left), right=self.value(expr.right))
            case MinMax():
                values = [self.value(arg) for arg in expr.args]
                return min(values) if expr.op == "min" else max(values)
            case Floor():
                return Fraction(floor(self.value(expr.arg)))
            case Call():
                return self.look_up(self.formula.tables[expr.table], self.value(expr.arg))
            case _:
                assert_never(expr)

    def look_up(self, table: Table, argument: Fraction) -> Fraction:
        dated = self.edition(table.name, table.values)
        rows = dated.value
        if argument < rows[0].at:
            detail = f"expected at least {rows[0].at} {table.of}"
            raise _Stop(Rejection.OUT_OF_BOUNDS, table.name, detail=detail)
        index = 0
        for number, row in enumerate(rows[1:], start=1):
            if argument > row.at or (argument == row.at and table.boundary == "from"):
                index = number
        self.tables.append(TableUse(table.name, argument, index, dated.since, dated.cite))
        self.touched.add(("table", table.name, dated.since.isoformat(), str(index)))
        reject = rows[index].reject
        if reject is not None:
            raise _Stop(reject, table.name, detail=f"expected an argument that {table.name} has a value for")
        return row_value(table, rows, index=index, argument=argument)

    def result(self, inputs: dict[str, int]) -> Converted:
        steps = {step.name: step for step in self.steps}
        co2e_mg = 0
        if "reduction" in steps:
            co2e_mg = self.milligrams(steps["reduction"].value)
            if co2e_mg <= 0:
                raise _Stop(Rejection.NO_REDUCTION, "reduction", detail="expected a reduction above zero")
        exact = points = Fraction(0)
        if "points" in steps:
            exact, points = steps["points"].exact, steps["points"].value
        if exact < 0:
            raise _Stop(Rejection.NO_REDUCTION, "points", detail="expected points that are not negative")
        return Converted(
            inputs=inputs,
            co2e_mg=co2e_mg,
            points=int(points),
            points_exact=(exact.numerator, exact.denominator),
            trace=tuple(self.steps),
            touched=frozenset(self.touched),
            findings=tuple(self.findings),
        )

    def milligrams(self, reduction: Fraction) -> int:
        step = next(step for step in self.formula.steps if step.name == "reduction")
        scale = 0 if step.rounding is None else step.rounding.scale
        ulps: Fraction = reduction * 10**scale
        return int(ulps) * self.formula.mg_per_reduction_ulp


def _decimal(field: Field, text: str) -> Fraction:
    if len(text) > _CHARACTERS_MAX or _DECIMAL.fullmatch(text) is None:
        raise _Stop(
            Rejection.NOT_A_DECIMAL, field.name, detail=f"expected a decimal such as 12.5, not {quoted(text)}"
        )
    written = len(text.partition(".")[2])
    if written <= field.scale:
        return Fraction(text)
    if field.excess == "reject":
        detail = f"expected at most {field.scale} decimals, not {quoted(text)}"
        raise _Stop(Rejection.EXCESS_DIGITS, field.name, detail=detail)
    return round_exact(Fraction(text), Rounding(scale=field.scale, mode=field.excess))
