"""The little language of formulas."""

from fractions import Fraction

import pytest

from gateway.convert.expression import ExpressionError, called, named, parse_expression
from gateway.convert.program import Binary, Call, Floor, MinMax, Name, Number

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("12.50", Number(Fraction(25, 2))),
        ("a + b * c", Binary("+", A, Binary("*", B, C))),
        ("(a + b) * c", Binary("*", Binary("+", A, B), C)),
        ("a - b - c", Binary("-", Binary("-", A, B), C)),
        ("a / b / c", Binary("/", Binary("/", A, B), C)),
        ("a / b * c", Binary("*", Binary("/", A, B), C)),
        ("a-b+c", Binary("+", Binary("-", A, B), C)),
        ("min(a, b, c)", MinMax("min", (A, B, C))),
        ("max( a ,b )", MinMax("max", (A, B))),
        ("floor(a / b)", Floor(Binary("/", A, B))),
        ("curve(a)", Call("curve", A)),
        (" a ", A),
        ("((a))", A),
    ],
)
def test_expressions_are_read_as_people_read_them(text: str, tree: object) -> None:
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a name, a number or a bracket, got the end at character 1"),
        ("a +", "got the end at character 4"),
        ("-a", "got - at character 1"),
        ("a b", "an operator or the end, got b at character 3"),
        ("2 a", "an operator or the end, got a at character 3"),
        ("01", "an operator or the end, got 1 at character 2"),
        ("1.", "got '.' at character 2"),
        ("1e3", "got e3 at character 2"),
        ("a ** b", "got * at character 4"),
        ("a % b", "got '%' at character 3"),
        ("a // b", "got / at character 4"),
        ("(a", "a closing bracket, got the end"),
        ("a)", "an operator or the end, got )"),
        ("min(a)", "two or more values in min"),
        ("floor(a, b)", "a closing bracket, got ,"),
        ("(a, b)", "a closing bracket, got ,"),
        ("curve(a, b)", "a closing bracket, got ,"),
        ("curve()", "a name, a number or a bracket, got )"),
        ("A", "got 'A' at character 1"),
        ("a.b", "got '.' at character 2"),
        ("__import__", "got '_' at character 1"),
        ("１", "got '１' at character 1"),
        ("a × b", "got '×' at character 3"),
        ("(" * 25 + "a" + ")" * 25, "at most 24 brackets"),
    ],
)
def test_anything_else_is_refused_at_its_character(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text)

    assert message in str(refused.value)


def test_names_and_tables_are_found_wherever_they_stand() -> None:
    expr = parse_expression("max(a, floor(curve(b + 1)) / c) * tiers(2)")

    assert named(expr) == {"a", "b", "c"}
    assert called(expr) == {"curve", "tiers"}


def test_brackets_go_24_deep_and_no_deeper_wherever_they_stand() -> None:
    deepest = "(" * 24 + "a" + ")" * 24
    assert parse_expression(f"{deepest} + {deepest}") == Binary("+", Name("a"), Name("a"))

    for text in (f"({deepest})", f"(a) * (a) * ({deepest})", f"min(a, ({deepest}))"):
        with pytest.raises(ExpressionError, match="at most 24 brackets inside each other"):
            parse_expression(text)
