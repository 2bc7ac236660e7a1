"""Of what every value of an expression is a multiple, on formulas made for one question each."""

from datetime import date
from fractions import Fraction
from typing import Literal

import pytest

from gateway.convert.expression import parse_expression
from gateway.convert.grid import analyse
from gateway.convert.program import Cite, Dated, Factor, Formula, Input, Rounding, Step, Table, TableRow

BY_DAY = (date(2025, 1, 1), date(2025, 7, 1))


def number(name: str, low: int, high: int, *, scale: int) -> Input:
    return Input(name=name, unit="1", scale=scale, low=low, high=high, classes=None)


def factor(name: str, *figures: Fraction | dict[str, Fraction], by: str | None = None) -> Factor:
    values = (
        Dated(since=day, value=figure, cite=Cite(ref="M1"))
        for day, figure in zip(BY_DAY, figures, strict=False)
    )
    return Factor(name=name, unit="1", by=by, values=tuple(values))


def table(kind: Literal["step", "marginal", "linear", "label"], *editions: dict[str, str]) -> Table:
    def row(at: str, value: str) -> TableRow:
        if kind == "label":
            return TableRow(at=Fraction(at), label=value)
        return TableRow(at=Fraction(at), value=Fraction(value))

    values = (
        Dated(since=day, value=tuple(row(at, value) for at, value in rows.items()), cite=Cite(ref="M1"))
        for day, rows in zip(BY_DAY, editions, strict=False)
    )
    return Table(name="t", unit="1", of="1", kind=kind, boundary="from", values=tuple(values))


INPUTS = (
    number("whole", 1, 100, scale=0),
    number("tenth", 1, 1000, scale=1),
    number("fixed", -75, -75, scale=2),
)
FACTORS = (
    factor("figure", Fraction(5, 2)),
    factor("revised", Fraction(6), Fraction(10)),
    factor("mode", {"TRV-BUS": Fraction(4), "TRV-METRO": Fraction(7)}, by="behaviour"),
)


def multiples(expr: str, *tables: Table, first: Rounding | None = None) -> Fraction | None:
    """Return the grid of an expression; ``first``: of what comes after the expression is rounded."""
    texts = [("x", expr, first), *([("y", "x", None)] if first else [])]
    steps = tuple(
        Step(name=name, unit="1", expr={"TRV-BUS": parse_expression(text)}, rounding=rounding)
        for name, text, rounding in texts
    )
    formula = Formula(
        inputs={one.name: one for one in INPUTS},
        factors={one.name: one for one in FACTORS},
        tables={one.name: one for one in tables},
        steps=steps,
        needs={"TRV-BUS": ()},
        mg_per_reduction_ulp=1,
    )
    return analyse(formula, "TRV-BUS").steps[steps[-1].name].grid


@pytest.mark.parametrize(
    ("expr", "grid"),
    [
        ("1.25", "1.25"), ("whole", "1"), ("tenth", "0.1"), ("fixed", "0.75"),
        ("figure", "2.5"), ("revised", "2"), ("mode", "4"),
        ("6 * whole + 4 * whole", "2"), ("1.5 * whole - 2.5 * whole", "0.5"), ("whole + 0.25", "0.25"),
        ("whole / 3 + whole / 4", "1/12"), ("0 + 6 * whole", "6"),
        ("min(6 * whole, 9 * whole, 15)", "3"), ("max(whole, fixed)", "0.25"),
        ("floor(6 * whole)", "6"), ("floor(tenth)", "1"), ("floor(whole / tenth)", "1"),
        ("revised * figure * tenth", "0.5"), ("0 * whole", "0"),
        ("6 * whole / 4", "1.5"), ("whole / (0 - 4)", "0.25"), ("whole / fixed", "4/3"),
    ],
)  # fmt: skip
def test_the_multiples_of_an_expression_follow_from_those_of_its_parts(expr: str, grid: str) -> None:
    assert multiples(expr) == Fraction(grid)


@pytest.mark.parametrize(
    "expr",
    [
        "whole / tenth", "whole / tenth / 2", "whole / tenth * 2", "2 * (whole / tenth)",
        "whole / tenth + 1", "1 + whole / tenth", "min(whole / tenth, 1)", "4 / revised",
    ],
)  # fmt: skip
def test_a_quotient_by_what_varies_has_no_multiples_and_what_is_made_of_it_neither(expr: str) -> None:
    assert multiples(expr) is None


@pytest.mark.parametrize(
    ("expr", "scale", "grid"),
    [("6 * whole", 1, "6"), ("whole / 3", 1, "0.1"), ("whole / 20", 1, "0.1"), ("whole / 20", 2, "0.05"),
     ("whole / tenth", 2, "0.01")],
)  # fmt: skip
def test_a_rounded_step_has_the_multiples_of_its_last_decimal_unless_its_own_are_coarser(
    expr: str, scale: int, grid: str
) -> None:
    assert multiples(expr, first=Rounding(scale=scale, mode="floor")) == Fraction(grid)


@pytest.mark.parametrize(
    ("made", "grid"),
    [
        pytest.param(table("label", {"0": "low", "50": "high"}), "1", id="the index of a row"),
        pytest.param(table("step", {"0": "6", "50": "15"}, {"0": "9", "50": "0"}), "3", id="of any day"),
        pytest.param(table("marginal", {"0": "4", "50": "6"}), "2", id="a rate for each unit"),
        pytest.param(table("marginal", {"0": "4", "2.5": "6"}), "1", id="tiers between two units"),
        pytest.param(table("linear", {"1": "10", "4": "16"}), "2", id="as much for each unit"),
        pytest.param(table("linear", {"1": "16", "4": "10"}), "2", id="downwards"),
        pytest.param(table("linear", {"0.5": "0", "2.5": "2"}), "0.5", id="ends between two units"),
        pytest.param(table("linear", {"1": "0", "3": "12", "5": "16"}), "2", id="two lines"),
        pytest.param(table("linear", {"1": "0", "3": "12"}, {"1": "0", "2": "4"}), "2", id="two editions"),
        pytest.param(table("linear", {"1": "7"}), "7", id="one point"),
    ],
)
def test_the_multiples_of_a_table_follow_from_its_rows_and_its_argument(made: Table, grid: str) -> None:
    assert multiples("t(whole)", made) == Fraction(grid)


@pytest.mark.parametrize("kind", ["marginal", "linear"])
def test_a_curve_of_what_has_no_multiples_has_none(kind: Literal["marginal", "linear"]) -> None:
    assert multiples("t(whole / tenth)", table(kind, {"0": "4", "50": "6"})) is None


def test_what_no_row_can_reach_is_left_out() -> None:
    """A factor without a figure for the behaviour refuses every act."""
    formula = Formula(
        inputs={},
        factors={"f": factor("f", {"TRV-METRO": Fraction(7)}, by="behaviour")},
        tables={"t": table("step", {"0": "1"})},
        steps=(Step(name="x", unit="1", expr={"TRV-BUS": parse_expression("t(f)")}, rounding=None),),
        needs={"TRV-BUS": ()},
        mg_per_reduction_ulp=1,
    )

    found = analyse(formula, "TRV-BUS")

    assert (found.steps, found.arguments) == ({}, [])
