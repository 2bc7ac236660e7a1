"""Building an integer expression changes no value, and its bounds are exact."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from gateway.convert.ir import (
    Const,
    IntExpr,
    Op,
    Quotient,
    Round,
    Var,
    add,
    floor_divide,
    largest,
    multiply,
    negate,
    nodes,
    positive,
    round_to,
    smallest,
    subtract,
)
from gateway.convert.program import RoundingMode
from gateway.convert.rational import round_quotient

RANGES = ((-3, 2), (0, 4), (1, 3), (-5, -2))
OPERANDS: tuple[IntExpr, ...] = (*map(Const, range(-2, 4)), *(Var("x", low, high) for low, high in RANGES))
OTHERS: tuple[IntExpr, ...] = (*map(Const, range(-2, 4)), *(Var("y", low, high) for low, high in RANGES))
BUILDERS: dict[str, tuple[Callable[[IntExpr, IntExpr], IntExpr], Callable[[int, int], int]]] = {
    "add": (add, lambda a, b: a + b),
    "subtract": (subtract, lambda a, b: a - b),
    "multiply": (multiply, lambda a, b: a * b),
    "floor_divide": (floor_divide, lambda a, b: a // b),
    "smallest": (smallest, min),
    "largest": (largest, max),
}


def numbers(operand: IntExpr) -> range:
    """Give every value that an operand can have."""
    return range(operand.low, operand.high + 1)


def compute(expr: IntExpr, values: dict[str, int]) -> int:
    """Evaluate an expression."""
    match expr:
        case Const():
            return expr.value
        case Var():
            return values[expr.name]
        case Round():
            numerator, denominator = compute(expr.numerator, values), compute(expr.denominator, values)
            return round_quotient(numerator, denominator, mode=expr.mode)
        case Op():
            builder = {"+": "add", "-": "subtract", "*": "multiply", "//": "floor_divide"}
            name = builder.get(expr.op, {"min": "smallest", "max": "largest"}.get(expr.op, ""))
            return BUILDERS[name][1](compute(expr.left, values), compute(expr.right, values))


def pairs() -> Iterator[tuple[IntExpr, IntExpr]]:
    """Give all pairs of operands."""
    return product(OPERANDS, OTHERS)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_built_expression_has_the_value_and_the_bounds_of_its_operation(name: str) -> None:
    build, meaning = BUILDERS[name]
    for left, right in pairs():
        if name == "floor_divide" and right.low <= 0:
            continue
        expr = build(left, right)
        values = [meaning(a, b) for a, b in product(numbers(left), numbers(right))]

        found = [compute(expr, {"x": a, "y": b}) for a, b in product(numbers(left), numbers(right))]
        assert found == values, (left, right)
        assert (expr.low, expr.high) == (min(values), max(values)), (left, right)


def test_constants_are_folded_so_that_generated_code_stays_short() -> None:
    x = Var("x", 0, 9)

    assert multiply(multiply(Const(3), x), Const(4)) == multiply(x, Const(12))
    assert add(Const(2), Const(3)) == Const(5)
    assert floor_divide(Const(-7), Const(2)) == Const(-4)
    assert floor_divide(x, Const(1)) is multiply(x, Const(1)) is subtract(x, Const(0)) is x
    assert add(Const(0), x) is add(x, Const(0)) is x
    assert multiply(x, Const(0)) == Const(0)
    assert negate(Const(4)) == Const(-4)


@pytest.mark.parametrize("mode", ["floor", "ceiling", "half_even"])
@pytest.mark.parametrize("scale", [0, 1, 3])
@pytest.mark.parametrize("denominator", [Const(1), Const(4), Const(30), Var("y", 1, 3), Var("y", 2, 7)])
@pytest.mark.parametrize("x", [Var("x", -7, 9), Var("x", 5, 9), Var("x", -9, -5)])
def test_a_rounding_has_the_value_of_the_quotient_and_sound_bounds(
    mode: RoundingMode, scale: int, denominator: IntExpr, x: Var
) -> None:
    expr = round_to(Quotient(x, denominator), scale, mode=mode)

    for a, b in product(numbers(x), numbers(denominator)):
        value = compute(expr, {"x": a, "y": b})
        assert value == round_quotient(a * 10**scale, b, mode=mode)
        assert expr.low <= value <= expr.high


def test_the_bounds_of_a_rounding_are_as_near_as_its_direction_may_lead() -> None:
    expr = round_to(Quotient(Var("x", -7, 9), Const(4)), 0, mode="half_even")

    assert (expr.low, expr.high) == (-2, 3)


def test_what_is_known_to_be_positive_is_bounded_by_one() -> None:
    assert positive(Var("x", -3, 5)) == Var("x", 1, 5)
    assert positive(Var("x", 0, 5)) == Var("x", 1, 5)
    assert positive(Var("x", 2, 5)) == Var("x", 2, 5)
    assert positive(Const(4)) == Const(4)


def test_all_nodes_of_an_expression_are_listed() -> None:
    x, y = Var("x", 0, 9), Var("y", 1, 9)
    total = add(x, y)

    assert nodes(round_to(Quotient(total, y), 0, mode="floor"))[1:] == [total, x, y, y]
