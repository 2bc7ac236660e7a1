"""Blocks follow each other without a gap, and what is written is no more than the formula needs."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from gateway.convert.fast import FastEvaluator
from gateway.convert.interpret import Interpreter
from gateway.convert.ir import Block, RefuseBelow
from gateway.convert.lower import lower
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Binary, Call, Expr, Factor, Name, Number, Program, Step, Text
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection
from tests.fakes.mappings import (
    act,
    constant,
    dated,
    decimal_field,
    make_field,
    make_program,
    make_table,
    step,
)

X = Name("x")
FIRST = date(2025, 3, 1)
VEHICLES = {"s": "small", "l": "large"}


def changing(*days: date, until: date | None = None) -> Program:
    """Make a program whose one factor changes on some days."""
    values = tuple(dated(Fraction(number), day) for number, day in enumerate(days, start=1))
    factor = Factor(name="rate", unit="1", by=None, values=values)
    points = step("points", Binary("*", X, Name("rate")))
    return make_program([points], kind="engagement", factors=(factor,), effective_until=until)


def spans(program: Program) -> list[tuple[date, date | None]]:
    """Give the days of each block; None for the end of the calendar."""
    last = date.max.toordinal() + 1
    blocks = lower(program, "TRV-METRO")
    return [
        (date.fromordinal(b.first), None if b.until == last else date.fromordinal(b.until)) for b in blocks
    ]


@pytest.mark.parametrize(
    ("days", "until", "expected"),
    [
        ((date(2024, 1, 1),), None, [(FIRST, None)]),
        ((FIRST,), None, [(FIRST, None)]),
        (
            (FIRST, date(2025, 3, 2), date(2025, 7, 1)),
            None,
            [(FIRST, date(2025, 3, 2)), (date(2025, 3, 2), date(2025, 7, 1)), (date(2025, 7, 1), None)],
        ),
        ((FIRST, date(2025, 7, 1)), date(2025, 7, 1), [(FIRST, date(2025, 7, 1))]),
        (
            (FIRST, date(2025, 6, 30)),
            date(2025, 7, 1),
            [(FIRST, date(2025, 6, 30)), (date(2025, 6, 30), date(2025, 7, 1))],
        ),
    ],
)
def test_there_is_a_block_for_each_stretch_of_days_and_no_empty_one(
    days: tuple[date, ...], until: date | None, expected: list[tuple[date, date | None]]
) -> None:
    assert spans(changing(*days, until=until)) == expected


def test_a_version_without_an_end_holds_to_the_last_day_of_the_calendar() -> None:
    fast = FastEvaluator(changing(FIRST))

    last = fast.convert_inputs({"x": 5000}, behaviour="TRV-METRO", day=date.max.toordinal())

    assert isinstance(last, Converted)


@pytest.mark.parametrize(
    ("until", "day", "code"),
    [
        (None, FIRST.toordinal() - 1, Rejection.MAPPING_NOT_IN_FORCE),
        (None, FIRST.toordinal(), Rejection.UNMAPPED),
        (None, date.max.toordinal(), Rejection.UNMAPPED),
        (date(2025, 7, 1), date(2025, 6, 30).toordinal(), Rejection.UNMAPPED),
        (date(2025, 7, 1), date(2025, 7, 1).toordinal(), Rejection.MAPPING_NOT_IN_FORCE),
    ],
)
def test_an_act_without_a_figure_is_unmapped_on_the_days_of_the_version(
    until: date | None, day: int, code: Rejection
) -> None:
    program = replace(
        changing(FIRST, until=until), unmapped={"TRV-POOL": Text(zh="未公布", en="not published")}
    )

    found = FastEvaluator(program).block_on("TRV-POOL", day)

    assert isinstance(found, Refusal)
    assert found.code is code


def refusals_below(block: Block) -> int:
    """Count the statements that refuse a reduction or points that are too small."""
    return sum(isinstance(statement, RefuseBelow) for statement in block.statements)


@pytest.mark.parametrize(("low", "refusing"), [(-1, 2), (0, 1), (1, 0)])
def test_a_reduction_is_looked_at_only_where_it_may_lack(low: int, refusing: int) -> None:
    field = decimal_field("x", 0, low=low, high=9)
    program = make_program([step("reduction", X), step("points", X)], fields=(field,))

    assert refusals_below(lower(program, "TRV-METRO")[0]) == refusing


def test_a_step_that_is_used_twice_is_computed_once() -> None:
    square = Binary("*", X, X)
    double = Binary("+", Name("square"), Name("square"))
    program = make_program([step("square", square, scale=None), step("points", double)], kind="engagement")

    assert FastEvaluator(program).blocks["TRV-METRO"][0].source.split("def ")[1].count("in_x * in_x") == 1


def outcome(program: Program, **fields: str) -> int | Rejection:
    """Convert one act both ways, which must agree, and give its points or the reason."""
    row = act(**fields)
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)
    fast, slow = FastEvaluator(program).convert(row, roles), Interpreter(program).convert(row)
    if isinstance(slow, Refusal):
        assert isinstance(fast, Refusal)
        assert fast[:2] == slow[:2]
        return slow.code
    assert fast == slow._replace(touched=frozenset(), trace=())
    return slow.points


def by_vehicle(values: dict[str, str], points: Expr, *, tables: tuple[object, ...] = ()) -> Program:
    """Make a program with a figure by the class of the vehicle."""
    vehicle = make_field("vehicle", type="code", code_table="vehicle")
    return make_program(
        [step("points", points)],
        kind="engagement",
        fields=(decimal_field("x", 0, high=100), vehicle),
        factors=(constant("rate", values, by="vehicle"),),
        tables=tables,
        codes={"vehicle": VEHICLES},
    )


@pytest.mark.parametrize(
    ("values", "small", "large"),
    [
        ({"small": "2", "large": "3"}, 20, 30),
        ({"large": "3"}, Rejection.NO_FIGURE, 30),
        ({"small": "2"}, 20, Rejection.NO_FIGURE),
        ({"bus": "2"}, Rejection.NO_FIGURE, Rejection.NO_FIGURE),
    ],
)
def test_a_figure_by_class_is_that_of_the_act_or_lacks(
    values: dict[str, str], small: int | Rejection, large: int | Rejection
) -> None:
    program = by_vehicle(values, Binary("*", X, Name("rate")))

    assert (outcome(program, x="10", vehicle="s"), outcome(program, x="10", vehicle="l")) == (small, large)


@pytest.mark.parametrize(
    ("values", "small", "large"),
    [
        ({"small": "4", "large": "9"}, Rejection.OUT_OF_BOUNDS, 7),
        ({"small": "9", "large": "4"}, 7, Rejection.OUT_OF_BOUNDS),
        ({"small": "5", "large": "6"}, 7, 7),
    ],
)
def test_the_bounds_of_a_figure_by_class_are_those_of_all_classes(
    values: dict[str, str], small: int | Rejection, large: int | Rejection
) -> None:
    table = make_table("t", "step", [(5, "7"), (8, "7")])
    program = by_vehicle(
        values, Binary("+", Call("t", Name("rate")), Binary("*", X, Number(Fraction(0)))), tables=(table,)
    )

    assert (outcome(program, x="10", vehicle="s"), outcome(program, x="10", vehicle="l")) == (small, large)


@pytest.mark.parametrize(
    ("x", "points"),
    [("4.949", Rejection.OUT_OF_BOUNDS), ("4.950", 7), ("5.000", 7), ("7.950", 9), ("9.000", 9)],
)
def test_the_bounds_of_a_rounded_step_reach_as_far_as_its_values(x: str, points: int | Rejection) -> None:
    table = make_table("t", "step", [(5, "7"), (8, "9")])
    steps: list[Step] = [step("near", X, scale=1, mode="half_up"), step("points", Call("t", Name("near")))]
    program = make_program(steps, kind="engagement", tables=(table,), fields=(decimal_field("x", high=9000),))

    assert outcome(program, x=x) == points
