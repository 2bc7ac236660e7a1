"""Say of each mutant of a mapping whether a test noticed it, or whether none ever could."""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple, cast

from gateway.convert.document import Document, MappingRefused, from_canonical, value_at
from gateway.convert.grid import Values, analyse, modes_differ
from gateway.convert.interpret import Interpreter
from gateway.convert.limit_rules import claim_grid
from gateway.convert.load import program_from_document
from gateway.convert.mutate import Mutant, mutants
from gateway.convert.program import Program, RoundingMode, Step, Table
from gateway.convert.selftest import run_tests
from gateway.convert.units import CO2E_MG

__all__ = ["Fate", "fates"]


class Fate(NamedTuple):
    """What became of a mutant: ``killed`` by a test or check, ``equivalent``, or ``survived``; and why."""

    mutant: Mutant
    fate: Literal["killed", "equivalent", "survived"]
    reason: str


def fates(program: Program, schema: Mapping[str, Any]) -> Iterator[Fate]:
    """Try every mutant of a program's document on the document's own tests.

    A mutant is equivalent where exact reasoning about bounds and multiples shows that no row at all
    could tell it from the original; where that is unsure, it has survived.
    """
    for mutant in mutants(from_canonical(program.canonical).value):
        noticed = _noticed(mutant, schema)
        reason = "" if noticed else _equivalence(program, mutant)
        if noticed:
            yield Fate(mutant, "killed", noticed)
        elif reason:
            yield Fate(mutant, "equivalent", reason)
        else:
            yield Fate(mutant, "survived", "no test notices it")


def _noticed(mutant: Mutant, schema: Mapping[str, Any]) -> str:
    """Return the first test that fails, or that the document is refused; empty if neither."""
    try:
        changed = program_from_document(Document(mutant.document, {}), schema)
    except MappingRefused as refused:
        return f"refused: {refused.findings[0].message}"
    results = run_tests(changed, Interpreter(changed).convert)
    return next((f"test {result.name}" for result in results if result.faults), "")


def _equivalence(program: Program, mutant: Mutant) -> str:
    """Return why no row can tell a mutant from the original; empty where one might."""
    parts = mutant.pointer.split("/")[1:]
    match mutant.kind, parts:
        case "date", [section, *_] if section != "effective":
            changed = min(date.fromisoformat(mutant.old), date.fromisoformat(mutant.new))
            return "" if _in_force(program, changed) else "the day lies outside the mapping's own days"
        case "rounding", [_, index, *_]:
            step, mode = program.formula.steps[int(index)], cast("RoundingMode", mutant.new)
            return "" if _rounds_differently(program, step, mode=mode) else "no value is rounded differently"
        case "boundary", [_, name, _, _, _, row, _]:
            between = (Fraction(mutant.old), Fraction(mutant.new))
            moves = _moves_a_value(program, program.formula.tables[name], first=row == "0", between=between)
            return "" if moves else "no value lies between the two thresholds"
        case "limit", [_, "claim_tolerance", _]:
            moves = _moves_a_claim(program, mutant)
            return "" if moves else "no claim lies between the two tolerances"
        case "comparison", [_, name, _]:
            flips = _flips_a_value(program, program.formula.tables[name])
            return "" if flips else "no value lies on a threshold where it matters"
        case _:
            return ""


def _moves_a_claim(program: Program, mutant: Mutant) -> bool:
    """Tell whether some claim can lie beyond the one tolerance and within the other."""
    fields = [field for field in program.source.fields if field.role == "claimed_reduction"]
    unit = CO2E_MG[str(value_at(from_canonical(program.canonical).value, "/source/claim_tolerance/unit"))]
    low, high = sorted(int(Fraction(text) * unit) for text in (mutant.old, mutant.new))
    grid = claim_grid(program)
    return bool(fields) and high // grid * grid > low


def _in_force(program: Program, day: date) -> bool:
    until = program.effective_until
    return program.effective_from <= day and (until is None or day < until)


def _rounds_differently(program: Program, step: Step, *, mode: RoundingMode) -> bool:
    analyses = [analyse(program.formula, behaviour) for behaviour in program.behaviours]
    found = [analysis.observable(step.name) for analysis in analyses]
    return step.rounding is not None and any(
        modes_differ(values, step.rounding, other=mode) for values in found if values is not None
    )


def _arguments(program: Program, name: str) -> Iterator[Values]:
    for behaviour in program.behaviours:
        for table, values in analyse(program.formula, behaviour).arguments:
            if table == name:
                yield values


def _moves_a_value(
    program: Program, table: Table, *, first: bool, between: tuple[Fraction, Fraction]
) -> bool:
    """Tell whether some argument has another value once a threshold has moved.

    In a table of steps these are the arguments between the two thresholds. A curve changes beyond them
    too: one of tiers beyond the lower of both, and on it where that is the first, below which all is refused.
    """
    low, high = min(between), max(between)
    asked = _arguments(program, table.name)
    match table.kind:
        case "linear":
            return True
        case "marginal":
            return any(bounds.high > low or (first and bounds.high == low) for _, bounds in asked)
        case _:
            low_open = table.boundary == "above" and not first
            return any(values.any_between(low, high, low_open=low_open) for values in asked)


def _flips_a_value(program: Program, table: Table) -> bool:
    """Tell whether some argument lies on a threshold; curves have the same value from both sides."""
    thresholds = [row.at for edition in table.values for row in edition.value[1:]]
    return table.kind in {"step", "label"} and any(
        values.any_in(at, at) for values in _arguments(program, table.name) for at in thresholds
    )
