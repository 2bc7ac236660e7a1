"""Measure which rules of a mapping its own tests touch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple, TypeVar, cast

from gateway.convert.bounds import rounded
from gateway.convert.exact import names_used
from gateway.convert.grid import Analysis, analyse, attainable_directions
from gateway.convert.interpret import Interpreter
from gateway.convert.limit_rules import limit_sides_of, rejecting
from gateway.convert.outcome import Refusal
from gateway.convert.program import Dated, Field, Program
from gateway.convert.selftest import ActResult, run_tests
from gateway.model.codes import Rejection

__all__ = ["Coverage", "Rule", "measure", "producible_rejections"]

T = TypeVar("T")
Kind = Literal["code", "factor", "table", "rounding", "limit", "cap", "rejection"]
REQUIRED_KINDS: Final = frozenset({"code", "factor", "limit", "rejection"})


class Rule(NamedTuple):
    """One thing that a test can touch: a kind and its names, such as ``rounding reduction tie``."""

    kind: Kind
    names: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.kind, *filter(None, self.names)))


@dataclass(frozen=True, slots=True)
class Coverage:
    """The rules of a document that a test could touch, and those that its tests do touch."""

    rules: frozenset[Rule]
    touched: frozenset[Rule]

    @property
    def untouched(self) -> tuple[Rule, ...]:
        """All rules without a test, in order."""
        return tuple(sorted(self.rules - self.touched))

    @property
    def missing(self) -> tuple[Rule, ...]:
        """The rules without a test for which a shipped mapping must have one."""
        return tuple(rule for rule in self.untouched if rule.kind in REQUIRED_KINDS)


def measure(program: Program) -> Coverage:
    """Run the embedded tests and compare what they touch with what the document says."""
    rules = frozenset(_rules(program))
    interpreter = Interpreter(program)
    results = run_tests(program, interpreter.convert)
    touched = {rule for result in results for act in result.acts for rule in _touched(act, interpreter)}
    return Coverage(rules, frozenset(touched) & rules)


def _rules(program: Program) -> Iterator[Rule]:
    for name, rows in program.source.code_tables.items():
        yield from (Rule("code", (name, row.code)) for row in rows)
    for behaviour in program.behaviours:
        analysis = analyse(program.formula, behaviour)
        yield from _figures(program, behaviour)
        yield from _roundings(program, analysis)
        yield from _table_rows(program, analysis)
    yield from (Rule("limit", side) for side in limit_sides_of(program))
    for cap in program.caps:
        yield from (Rule("cap", (cap.name, where)) for where in ("below", "hit", "above"))
    yield from (Rule("rejection", (code,)) for code in producible_rejections(program))


def _figures(program: Program, behaviour: str) -> Iterator[Rule]:
    used = names_used(program.formula.steps, behaviour)
    for name, factor in program.formula.factors.items():
        for dated in _reachable(program, factor.values) if name in used else ():
            if not isinstance(dated.value, dict):
                yield Rule("factor", (name, dated.since.isoformat(), ""))
                continue
            for key in dated.value:
                if factor.by != "behaviour" or key == behaviour:
                    yield Rule("factor", (name, dated.since.isoformat(), key))


def _reachable(program: Program, values: tuple[Dated[T], ...]) -> Iterator[Dated[T]]:
    """Yield the values that some day of the mapping's own interval can have."""
    ends = [*(dated.since for dated in values[1:]), date.max]
    for dated, end in zip(values, ends, strict=True):
        if end > program.effective_from and dated.since < (program.effective_until or date.max):
            yield dated


def _roundings(program: Program, analysis: Analysis) -> Iterator[Rule]:
    for step in program.formula.steps:
        values = analysis.observable(step.name)
        if step.rounding is not None and values is not None:
            for direction in attainable_directions(values, step.rounding):
                yield Rule("rounding", (step.name, direction))


def _table_rows(program: Program, analysis: Analysis) -> Iterator[Rule]:
    for name, values in analysis.arguments:
        for dated in _reachable(program, program.formula.tables[name].values):
            for index, row in enumerate(dated.value):
                after = dated.value[index + 1].at if index + 1 < len(dated.value) else values.bounds.high
                if values.any_in(row.at, after):
                    yield Rule("table", (name, dated.since.isoformat(), str(index)))


def producible_rejections(program: Program) -> frozenset[Rejection]:
    """Return every reason for which this document itself can refuse a row."""
    return frozenset((Rejection.MAPPING_NOT_IN_FORCE, *_row_rejections(program), *_value_rejections(program)))


def _row_rejections(program: Program) -> Iterator[Rejection]:
    """Yield what reading a row can end in."""
    needed = {name for names in program.formula.needs.values() for name in names}
    for field in program.source.fields:
        if field.constant is None and (field.role is not None or field.name in needed):
            yield from _field_rejections(field)
            if field.role in {None, "behaviour", "evidence", "ownership", "start", "day"}:
                yield field.missing
    if program.unmapped:
        yield Rejection.UNMAPPED
    if program.source.claim_window is not None:
        yield from (
            Rejection.UNCLAIMED,
            Rejection.LATE,
            *([Rejection.EARLY] if program.source.claim_window.opens else ()),
        )
    if rejecting(program):
        yield Rejection.IMPLAUSIBLE
    if program.source.limits or program.source.overlap is not None:
        yield from (field.missing for field in program.source.fields if field.role == "end")
    for cap in program.caps:
        if cap.late == "reject":
            yield Rejection.LATE
        if cap.when_full == "reject":
            yield Rejection.CAPPED_OUT


def _field_rejections(field: Field) -> Iterator[Rejection]:
    if field.type in {"instant", "date"}:
        yield Rejection.MALFORMED_ROW
    if field.role == "end":
        yield Rejection.IMPLAUSIBLE
    if field.code_table is not None or field.role in {"evidence", "ownership"}:
        yield Rejection.UNKNOWN_CODE
    if field.type == "decimal":
        yield from (Rejection.NOT_A_DECIMAL, Rejection.OUT_OF_BOUNDS)
        if field.excess == "reject":
            yield Rejection.EXCESS_DIGITS


def _value_rejections(program: Program) -> Iterator[Rejection]:
    """Yield what evaluating the formula can end in."""
    for behaviour in program.behaviours:
        analysis = analyse(program.formula, behaviour)
        if _lacks_figure(program, behaviour):
            yield Rejection.NO_FIGURE
        if _can_be_nothing(program, analysis):
            yield Rejection.NO_REDUCTION
        for name, values in analysis.arguments:
            for dated in _reachable(program, program.formula.tables[name].values):
                if values.bounds.low < dated.value[0].at:
                    yield Rejection.OUT_OF_BOUNDS
                yield from (row.reject for row in dated.value if row.reject and values.bounds.high >= row.at)


def _lacks_figure(program: Program, behaviour: str) -> bool:
    """Tell whether some day or class of the mapping has no figure."""
    used = names_used(program.formula.steps, behaviour)
    for name in used & program.formula.tables.keys():
        if program.formula.tables[name].values[0].since > program.effective_from:
            return True
    for name in used & program.formula.factors.keys():
        factor = program.formula.factors[name]
        classes = {behaviour} if factor.by == "behaviour" else set()
        if factor.by in program.formula.inputs:
            classes = set(program.formula.inputs[factor.by].classes or ())
        for dated in _reachable(program, factor.values):
            if isinstance(dated.value, dict) and classes - dated.value.keys():
                return True
        if factor.values[0].since > program.effective_from:
            return True
    return False


def _can_be_nothing(program: Program, analysis: Analysis) -> bool:
    """Tell whether a reduction can round to zero or less, or the points be below zero."""
    points = analysis.steps.get("points")
    if points is not None and points.bounds.low < 0:
        return True
    for step in program.formula.steps:
        if step.name == "reduction" and step.rounding is not None and step.name in analysis.steps:
            return rounded(analysis.steps[step.name].bounds, step.rounding).low <= 0
    return False


def _touched(act: ActResult, interpreter: Interpreter) -> Iterator[Rule]:
    for kind, *names in interpreter.run(act.fields).touched | act.touched:
        yield Rule(cast("Kind", kind), tuple(names))
    if isinstance(act.outcome, Refusal):
        yield Rule("rejection", (act.outcome.code,))
    for use in act.granted.caps if act.granted is not None else ():
        if use.granted < use.asked:
            yield Rule("cap", (use.key.cap, "above"))
        elif use.counted:
            full = use.used + use.counted == use.maximum
            yield Rule("cap", (use.key.cap, "hit" if full else "below"))
