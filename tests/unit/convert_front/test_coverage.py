"""What tests must touch: each rule that some row of the mapping's own days can meet, and no other."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from gateway.convert.coverage import measure, producible_rejections
from gateway.convert.program import (
    Binary,
    Call,
    Cite,
    Dated,
    Expr,
    Factor,
    Field,
    Limit,
    Name,
    Number,
    Overlap,
    Program,
    Table,
)
from gateway.model.codes import Rejection
from tests.fakes.mappings import constant, decimal_field, make_cap, make_field, make_program, make_table, step

FROM = date(2025, 3, 1)  # the mapping's own first day
BEFORE, LATER = date(2024, 1, 1), date(2025, 7, 1)


def rules(program: Program, kind: str) -> set[tuple[str, ...]]:
    return {rule.names for rule in measure(program).rules if rule.kind == kind}


def since(value: Any, *days: date) -> tuple[Dated[Any], ...]:
    return tuple(Dated(since=day, value=value, cite=Cite(ref="M1")) for day in days)


def of_points(expr: Expr | dict[str, Expr], **changes: Any) -> Program:
    """Make a program of one step without any decimal input, unless it is given some."""
    return make_program([step("points", expr)], **{"kind": "engagement", "fields": (), **changes})


def test_a_figure_by_behaviour_is_a_rule_only_for_the_behaviours_that_use_it() -> None:
    figures = constant("per_act", {"TRV-METRO": "1", "TRV-BUS": "2"}, by="behaviour")
    program = of_points({"TRV-METRO": Name("per_act"), "TRV-BUS": Number(Fraction(3))}, factors=(figures,))

    assert rules(program, "factor") == {("per_act", figures.values[0].since.isoformat(), "TRV-METRO")}


def test_a_figure_by_class_is_a_rule_for_each_class() -> None:
    figures = constant("rate", {"small": "1", "large": "2"}, by="size")
    program = of_points(
        Name("rate"),
        factors=(figures,),
        fields=(make_field("size", code_table="sizes"),),
        codes={"sizes": {"s": "small", "l": "large"}},
    )

    assert {names[2] for names in rules(program, "factor")} == {"small", "large"}
    assert Rejection.NO_FIGURE not in producible_rejections(program)
    lacking = replace(figures, values=since({"small": Fraction(1)}, BEFORE))
    formula = replace(program.formula, factors={"rate": lacking})
    assert Rejection.NO_FIGURE in producible_rejections(replace(program, formula=formula))


@pytest.mark.parametrize(
    ("days", "reached"),
    [
        ((BEFORE, FROM), {FROM}),
        ((BEFORE, LATER), {BEFORE, LATER}),
        ((FROM, date(2026, 1, 1)), {FROM}),
    ],
    ids=["the later figure", "both figures", "the earlier figure"],
)
def test_a_figure_is_a_rule_if_the_mapping_is_in_force_on_some_day_of_it(
    days: tuple[date, ...], reached: set[date]
) -> None:
    factor = Factor(name="f", unit="1", by=None, values=since(Fraction(5), *days))
    program = of_points(Name("f"), factors=(factor,), effective_until=date(2026, 1, 1))

    assert {names[1] for names in rules(program, "factor")} == {day.isoformat() for day in reached}


@pytest.mark.parametrize(("first", "lacks"), [(BEFORE, False), (FROM, False), (LATER, True)])
@pytest.mark.parametrize("kind", ["factor", "table"])
def test_a_figure_that_begins_after_the_mapping_can_lack(kind: str, first: date, *, lacks: bool) -> None:
    days = {"factor": (BEFORE,), "table": (BEFORE,)} | {kind: (first, date(2025, 10, 1))}
    factor = Factor(name="f", unit="1", by=None, values=since(Fraction(5), *days["factor"]))
    table = make_table("t", "step", [("0", "1")])
    table = replace(table, values=since(table.values[0].value, *days["table"]))
    program = of_points(Call("t", Name("f")), factors=(factor,), tables=(table,))

    assert (Rejection.NO_FIGURE in producible_rejections(program)) is lacks


def steps_of(first: str) -> Table:
    return make_table("t", "step", [(first, "1"), ("20", Rejection.IMPLAUSIBLE), ("30", "3")])


@pytest.mark.parametrize(("first", "below"), [("0", False), ("5", False), ("6", True)])
def test_an_argument_below_the_first_row_of_a_table_is_out_of_bounds(first: str, *, below: bool) -> None:
    program = of_points(Call("t", Name("f")), factors=(constant("f", "5"),), tables=(steps_of(first),))

    found = producible_rejections(program)

    assert (Rejection.OUT_OF_BOUNDS in found) is below
    assert Rejection.IMPLAUSIBLE not in found


def at(value: str) -> Program:
    return of_points(Call("t", Name("f")), factors=(constant("f", value),), tables=(steps_of("0"),))


@pytest.mark.parametrize(("value", "row"), [("19", "0"), ("21", "1"), ("31", "2")])
def test_the_rows_of_a_table_are_rules_where_an_argument_reaches_them(value: str, row: str) -> None:
    assert {names[2] for names in rules(at(value), "table")} == {row}


def test_a_row_that_refuses_does_so_from_its_own_number_on() -> None:
    assert Rejection.IMPLAUSIBLE not in producible_rejections(at("19.999"))
    assert Rejection.IMPLAUSIBLE in producible_rejections(at("20"))


@pytest.mark.parametrize(
    ("field", "refused"),
    [
        (decimal_field("x"), True),
        (decimal_field("x", constant="2.5", keys=()), False),
        (decimal_field("y"), False),
    ],
    ids=["read from the row", "a constant of the mapping", "used by no step"],
)
def test_only_what_is_read_from_the_row_can_be_written_wrongly(field: Field, *, refused: bool) -> None:
    program = of_points(Name("x") if field.name == "x" else Number(Fraction(1)), fields=(field,))

    found = producible_rejections(program) & {Rejection.NOT_A_DECIMAL, Rejection.EXCESS_DIGITS}

    assert bool(found) is refused


LIMIT = Limit(
    name="length",
    of=None,
    unit="h",
    unit_seconds=3600,
    low=None,
    high=Fraction(2),
    then="finding",
    behaviours=None,
)
OVERLAP = Overlap(tolerance_s=60, remember_days=30, then="finding", behaviours=None)


@pytest.mark.parametrize(
    ("limits", "overlap", "needed"),
    [((), None, False), ((LIMIT,), None, True), ((), OVERLAP, True), ((LIMIT,), OVERLAP, True)],
    ids=["nothing", "a limit of time", "no overlap", "both"],
)
def test_an_end_may_lack_where_something_is_held_to_it(
    limits: tuple[Limit, ...], overlap: Overlap | None, *, needed: bool
) -> None:
    end = make_field("end", role="end", type="instant", missing=Rejection.QUANTITY_UNKNOWN)
    program = of_points(Number(Fraction(1)), fields=(end,))
    held = replace(program, source=replace(program.source, limits=limits, overlap=overlap))

    assert (Rejection.QUANTITY_UNKNOWN in producible_rejections(held)) is needed


@pytest.mark.parametrize(("low", "nothing"), [(0, True), (1, False)])
def test_a_reduction_that_is_one_at_least_is_never_nothing(low: int, *, nothing: bool) -> None:
    steps = [step("reduction", Name("x")), step("points", Name("x"))]
    program = make_program(steps, fields=(decimal_field("x", 0, low=low, high=9),))

    assert (Rejection.NO_REDUCTION in producible_rejections(program)) is nothing


@pytest.mark.parametrize(("less", "nothing"), [("0", False), ("1", True)])
def test_points_below_zero_are_no_reduction(less: str, *, nothing: bool) -> None:
    expr = Binary("-", Name("x"), Number(Fraction(less)))
    program = of_points(expr, fields=(decimal_field("x", low=0, high=9000),))

    assert (Rejection.NO_REDUCTION in producible_rejections(program)) is nothing


def test_a_cap_is_met_below_at_and_above_what_it_allows() -> None:
    def touched(*points: str) -> set[str]:
        acts = [
            {"given": {"behaviour": "01", "x": value, "start": "2025-03-16T07:00:00+08:00"}, "expect": {}}
            for value in points
        ]
        program = of_points(
            Name("x"),
            fields=(decimal_field("x"),),
            caps=(make_cap(maximum=200),),
            tests=({"name": "t", "sequence": acts},),
        )
        return {rule.names[1] for rule in measure(program).touched if rule.kind == "cap"}

    assert touched("199") == {"below"}
    assert touched("200") == {"hit"}
    assert touched("150", "50") == {"below", "hit"}
    assert touched("201") == {"above"}
