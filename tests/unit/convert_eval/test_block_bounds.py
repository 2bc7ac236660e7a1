"""What is built from an expression has its exact value, and no number on the way leaves its bounds."""

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from gateway.convert.build import AlwaysRefused, Builder, Value
from gateway.convert.exact import row_value
from gateway.convert.fast import FastEvaluator
from gateway.convert.inputs import InputReader
from gateway.convert.ir import (
    Assign,
    Block,
    Const,
    IntExpr,
    Op,
    Outcome,
    Pick,
    Quotient,
    Rank,
    RefuseBelow,
    RefuseRow,
    Round,
    Statement,
    Var,
)
from gateway.convert.outcome import Refusal
from gateway.convert.program import Binary, Call, Expr, Floor, MinMax, Name, Number, Table
from gateway.convert.rational import round_quotient
from gateway.convert.roles import SourceReader
from gateway.errors import InvariantBroken
from gateway.model.codes import Rejection
from gateway.resources import schema
from tests.fakes.mappings import make_table
from tests.fakes.random_mappings import random_program
from tests.fakes.random_rows import RowMaker

X, Y = Name("x"), Name("y")
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "//": int.__floordiv__,
    "min": min,
    "max": max,
}


def number(expr: IntExpr, known: Mapping[str, int]) -> int:
    """Evaluate an expression and check that every node is within its bounds."""
    match expr:
        case Const():
            value = expr.value
        case Var():
            value = known[expr.name]
        case Op():
            value = OPERATIONS[expr.op](number(expr.left, known), number(expr.right, known))
        case Round():
            value = round_quotient(
                number(expr.numerator, known), number(expr.denominator, known), mode=expr.mode
            )
    assert expr.low <= value <= expr.high, expr
    return value


def runs(statements: list[Statement] | tuple[Statement, ...], known: dict[str, int]) -> bool:
    """Run statements; False as soon as one refuses."""
    for statement in statements:
        match statement:
            case Assign():
                known[statement.name] = number(statement.value, known)
            case Rank():
                argument = number(statement.argument, known)
                known[statement.name] = sum(threshold <= argument for threshold in statement.thresholds)
            case Pick():
                known[statement.name] = statement.values[known[statement.index]]
            case RefuseBelow():
                if number(statement.argument, known) < statement.threshold:
                    return False
            case RefuseRow():
                if statement.refusals[known[statement.index]] is not None:
                    return False
    return True


def fraction(quotient: Value | Quotient, known: Mapping[str, int]) -> Fraction:
    """Evaluate a quotient, whose denominator must be positive."""
    under = number(quotient.denominator, known)
    assert under > 0
    return Fraction(number(quotient.numerator, known), under)


def exact(expr: Expr, known: Mapping[str, Fraction], table: Table | None = None) -> Fraction | None:
    """Evaluate an expression with fractions; None where its table has no value."""
    match expr:
        case Number():
            return expr.value
        case Name():
            return known[expr.name]
        case Floor():
            inner = exact(expr.arg, known, table)
            return None if inner is None else Fraction(inner // 1)
        case MinMax():
            several = [value for arg in expr.args if (value := exact(arg, known, table)) is not None]
            return min(several) if expr.op == "min" else max(several)
        case Binary():
            left, right = exact(expr.left, known, table), exact(expr.right, known, table)
            assert left is not None
            assert right is not None
            return {"+": left + right, "-": left - right, "*": left * right}.get(expr.op, left / (right or 1))
        case Call():
            argument = exact(expr.arg, known, table)
            assert argument is not None
            assert table is not None
            return looked_up(table, argument)


def looked_up(table: Table, argument: Fraction) -> Fraction | None:
    """Look an argument up row by row."""
    rows = table.values[0].value
    beyond = [n for n, row in enumerate(rows) if argument > row.at or (n == 0 and argument == row.at)]
    reached = [n for n, row in enumerate(rows) if argument >= row.at]
    held = reached if table.boundary == "from" else beyond
    if not held or rows[held[-1]].reject is not None:
        return None
    return row_value(table, rows, index=held[-1], argument=argument)


Range = tuple[int, int]


def require_sound(
    expr: Expr, ranges: Mapping[str, tuple[Range, int]], *, table: Table | None = None
) -> tuple[Builder, Value]:
    """Build an expression over inputs (bounds and units), try all of them, and check value and bounds."""
    build = Builder()
    for name, ((low, high), unit) in ranges.items():
        build.known[name] = Value(
            Var(name, low, high), Const(unit), Fraction(low, unit), Fraction(high, unit)
        )
    if table is not None:
        build.editions[table.name] = (table, table.values[0].value)
    value = build.value(expr)
    found = []
    for numbers in product(*(range(low, high + 1) for (low, high), _ in ranges.values())):
        known = dict(zip(ranges, numbers, strict=True))
        meant = exact(expr, {name: Fraction(known[name], unit) for name, (_, unit) in ranges.items()}, table)
        assert runs(build.statements, known) == (meant is not None), known
        if meant is not None:
            assert fraction(value, known) == meant, known
            found.append(meant)
    assert (value.low, value.high) == (min(found), max(found))
    return build, value


RANGES: tuple[Range, ...] = ((-3, -1), (-2, 3), (0, 3), (1, 4), (2, 5))


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
@pytest.mark.parametrize("units", [(1, 1), (2, 3), (10, 4)])
def test_an_operation_is_exact_and_its_bounds_are_reached(op: str, units: tuple[int, int]) -> None:
    for left, right in product(RANGES, RANGES):
        if op == "/" and right[0] <= 0 <= right[1]:
            continue
        expr = Binary(op, X, Y)  # type: ignore[arg-type]  # one of the four
        require_sound(expr, {"x": (left, units[0]), "y": (right, units[1])})


@pytest.mark.parametrize("divisor", [(-2, 3), (0, 3), (-3, 0), (0, 0)])
def test_a_divisor_that_may_be_zero_is_never_built(divisor: Range) -> None:
    with pytest.raises(InvariantBroken):
        require_sound(Binary("/", X, Y), {"x": ((1, 4), 1), "y": (divisor, 1)})


@pytest.mark.parametrize("op", ["min", "max"])
def test_the_smallest_and_the_largest_are_exact_and_take_one_comparison_each(op: str) -> None:
    for left, right in product(RANGES, RANGES):
        expr = MinMax(op, (X, Y))  # type: ignore[arg-type]  # one of the two
        _, value = require_sound(expr, {"x": (left, 2), "y": (right, 3)})

        assert isinstance(value.numerator, Op)
        assert value.numerator.left != value.numerator.right
        assert not isinstance(value.numerator.left, Op) or value.numerator.left.op != op


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_whole_parts_are_exact_below_zero_too(unit: int) -> None:
    for bounds in RANGES:
        require_sound(Floor(X), {"x": (bounds, unit)})


STEPS: list[tuple[Any, ...]] = [("0.5", "7"), ("2.25", "-3"), (4, "5")]
TABLES: dict[str, list[tuple[Any, ...]]] = {
    "step": STEPS,
    "step from a whole number": [(0, "7"), (2, "-3"), (4, "5")],
    "step with a gap": [("0.5", "7"), (2, Rejection.QUANTITY_UNKNOWN), (4, "5")],
    "label": [(0, "low"), (2, "high"), ("3.5", "highest")],
    "marginal": [(0, "2"), (2, "-1"), ("3.5", "4")],
    "marginal with a gap": [(0, "2"), (2, Rejection.IMPLAUSIBLE), ("3.5", "4")],
    "linear": [("0.5", "1"), (2, "-1"), ("3.5", "4")],
}


@pytest.mark.parametrize("boundary", ["from", "above"])
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("bounds", "unit"), [((-2, 12), 2), ((-1, 6), 1), ((-3, 24), 4), ((0, 6), 1)])
def test_a_table_is_exact_at_and_beside_every_threshold(
    name: str, boundary: str, bounds: Range, unit: int
) -> None:
    table = make_table("t", name.split(maxsplit=1)[0], TABLES[name], boundary=boundary)

    require_sound(Call("t", X), {"x": (bounds, unit)}, table=table)


@pytest.mark.parametrize("boundary", ["from", "above"])
@pytest.mark.parametrize("name", ["step", "step from a whole number", "marginal", "linear"])
def test_a_table_of_a_quotient_is_exact(name: str, boundary: str) -> None:
    table = make_table("t", name.split(maxsplit=1)[0], TABLES[name], boundary=boundary)
    build = Builder()
    build.editions["t"] = (table, table.values[0].value)
    for letter, low in (("x", -2), ("y", 1)):
        build.known[letter] = Value(Var(letter, low, 12), Const(2), Fraction(low, 2), Fraction(6))
    value = build.value(Call("t", Binary("/", X, Y)))

    for x, y in product(range(-2, 13), range(1, 13)):
        known = {"x": x, "y": y}
        meant = looked_up(table, Fraction(x, y))
        assert runs(build.statements, known) == (meant is not None), known
        if meant is not None:
            assert fraction(value, known) == meant, known
            assert value.low <= meant <= value.high


@pytest.mark.parametrize("low", [-3, 0, 1])
def test_an_act_is_refused_below_a_table_only_where_one_can_be(low: int) -> None:
    table = make_table("t", "step", [(0, "7"), (2, "5")])
    build, _ = require_sound(Call("t", X), {"x": ((low, 4), 1)}, table=table)

    assert any(isinstance(statement, RefuseBelow) for statement in build.statements) == (low < 0)


def test_a_table_that_has_no_value_for_any_argument_refuses_every_act() -> None:
    table = make_table("t", "step", [(10, "7")])

    with pytest.raises(AlwaysRefused):
        require_sound(Call("t", X), {"x": ((0, 9), 1)}, table=table)


def test_constant_factors_are_cancelled_so_that_numbers_stay_small() -> None:
    six_quarters = Binary("/", Binary("*", X, Number(Fraction(6))), Number(Fraction(4)))
    _, value = require_sound(six_quarters, {"x": ((1, 4), 1)})

    assert (value.numerator, value.denominator) == (Op("*", Var("x", 1, 4), Const(3), 3, 12), Const(2))


def test_values_that_are_all_one_need_no_look_up() -> None:
    build = Builder()

    assert build.pick("t", [4, 4]) == Const(4)
    assert build.statements == []
    assert build.pick("t", [4, -5, 4]) == Var("t1", -5, 4)
    assert build.statements == [Pick("t1", "t", (4, -5, 4))]


def numbers_of(block: Block) -> Iterator[IntExpr]:
    """Give every expression that a block ends with."""
    for form in block.steps:
        yield from (*form.exact, *form.value)
    if isinstance(block.outcome, Outcome):
        yield from (block.outcome.co2e_mg, block.outcome.points, *block.outcome.points_exact)


@pytest.mark.parametrize("seed", range(4))
def test_no_number_of_a_random_mapping_leaves_its_bounds(seed: int) -> None:
    rng = random.Random(seed)
    reached = 0
    for _ in range(12):
        program = random_program(rng, schema("mapping"))
        fast, reader, needs = FastEvaluator(program), SourceReader(program), InputReader(program)
        for row in RowMaker(program, rng).rows(60):
            roles = reader.read(row)
            if isinstance(roles, Refusal):
                continue
            made = fast.block_on(roles.behaviour, roles.day)
            if isinstance(made, Refusal):
                continue
            inputs = needs.read(row, roles.behaviour)
            if isinstance(inputs, Refusal):
                continue
            known = {var.name: inputs[name] for name, var in made.block.inputs.items()}
            if runs(made.block.statements, known):
                reached += len([number(expr, known) for expr in numbers_of(made.block)])

    assert reached
